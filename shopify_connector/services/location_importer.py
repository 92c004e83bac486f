from odoo import fields, models

from ..mappers.shop import map_location


class ShopifyLocationImporter(models.AbstractModel):
    """Fetches the locations of a store; what they are mapped to is kept."""

    _name = "shopify.location.importer"
    _description = "Shopify Location Importer"

    def _import(self, backend):
        """Read all locations of the store.

        :return: the active ``shopify.location`` of the store
        :raises ShopifyError: the store could not be read; nothing was changed
        """
        client = self.env["shopify.client.factory"]._client(backend)
        return self._store(
            backend, [map_location(node) for node in client.paginate("locations", "locations")]
        )

    def _store(self, backend, locations):
        """Create, update and archive so that ours are those of the store.

        :param locations: list of mappers.shop.Location, complete
        """
        # The store decides what exists; who may map it is another matter.
        Location = self.env["shopify.location"].sudo().with_context(active_test=False)
        known = {
            record.shopify_gid: record
            for record in Location.search([("backend_id", "=", backend.id)])
        }
        now = fields.Datetime.now()
        to_create = []
        for location in locations:
            values = self._values(location, now)
            record = known.pop(location.gid, None)
            if record:
                record.write(values)
            else:
                to_create.append({**values, "backend_id": backend.id, "shopify_gid": location.gid})
        Location.create(to_create)
        for gone in known.values():
            gone.active = False
        active = Location.search([("backend_id", "=", backend.id), ("active", "=", True)])
        self._map_the_only_one(backend, active)
        return active.with_env(self.env)

    def _values(self, location, now):
        """Values of a ``shopify.location``."""
        return {
            "name": location.name,
            "active": location.active,
            "address": self._address(location.address),
            "fulfils_online": location.fulfils_online,
            "fulfillment_service": location.fulfillment_service,
            "synced_at": now,
        }

    def _address(self, address):
        if not address:
            return False
        parts = (address.address1, address.zip, address.city, address.country_code)
        return ", ".join(part for part in parts if part) or False

    def _map_the_only_one(self, backend, locations):
        """A store with one location of its own needs no mapping by hand."""
        own = locations.filtered(lambda location: not location.fulfillment_service)
        if len(own) == 1 and not own.warehouse_id:
            own.warehouse_id = backend.warehouse_id
