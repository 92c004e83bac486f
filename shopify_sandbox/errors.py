"""Failures in the shapes in which Shopify reports them."""

ACCESS_DOCUMENTATION = "https://shopify.dev/api/usage/access-scopes"


class ApiError(Exception):
    """A top-level error of one field; the field becomes null, the rest of the answer stays."""

    def __init__(self, message: str, code: str | None = None, **extensions) -> None:
        super().__init__(message)
        self.message = message
        self.extensions = {"code": code, **extensions} if code else extensions


class UserErrors(Exception):
    """Refusal of a mutation: nothing was changed, the payload carries the errors.

    ``payload`` is what else the payload tells, e.g. the unchanged order.
    """

    def __init__(self, *errors: dict, payload: dict | None = None) -> None:
        super().__init__("; ".join(error["message"] for error in errors))
        self.errors = list(errors)
        self.payload = payload or {}


def user_error(field: list[str] | None, message: str, code: str | None = None) -> dict:
    error = {"field": field, "message": message}
    if code:
        error["code"] = code
    return error


def access_denied(field_name: str, required: str) -> ApiError:
    message = f"Access denied for {field_name} field."
    extensions = {"documentation": ACCESS_DOCUMENTATION}
    if required:
        message += f" Required access: {required}"
        extensions["requiredAccess"] = required
    return ApiError(message, "ACCESS_DENIED", **extensions)


def protected_data_denied(field_name: str) -> ApiError:
    return ApiError(
        f"This app is not approved to use the {field_name} field. See "
        "https://shopify.dev/docs/apps/launch/protected-customer-data for more details.",
        "ACCESS_DENIED",
        documentation=ACCESS_DOCUMENTATION,
    )


def not_implemented(kind: str, name: str) -> ApiError:
    return ApiError(
        f"{kind} '{name}' is part of the Admin API, but the sandbox store does not implement it.",
        "NOT_IMPLEMENTED",
    )
