"""Which fields an app may read, by its scopes and its approval for customer data."""

from dataclasses import dataclass

from graphql import get_named_type

from .errors import ApiError, access_denied, protected_data_denied
from .schema import Access, ApiSchema, item_type_name


@dataclass(frozen=True)
class AccessRules:
    """Rules of one app on one shop.

    :param scopes: granted scopes, read scopes that a write scope includes among them
    :param protected_data_withheld: names, addresses, e-mails and phones are not approved
    """

    api: ApiSchema
    scopes: frozenset[str]
    protected_data_withheld: bool = False

    def _misses(self, access: Access | None) -> bool:
        return access is not None and self.scopes.isdisjoint(access.scopes)

    def denial(self, type_name: str, field_name: str, gql_type) -> ApiError | None:
        """The error of a field that the app may not read, or None."""
        own = self.api.field_access.get((type_name, field_name))
        if self._misses(own):
            return access_denied(field_name, own.text)
        denied = self.type_denial(item_type_name(get_named_type(gql_type).name), field_name)
        if denied:
            return denied
        if self.protected_data_withheld and (type_name, field_name) in self.api.protected:
            return protected_data_denied(field_name)
        return None

    def type_denial(self, type_name: str, field_name: str) -> ApiError | None:
        """The error of a field whose objects the app may not read, or None."""
        access = self.api.type_access.get(type_name)
        return access_denied(field_name, access.text) if self._misses(access) else None
