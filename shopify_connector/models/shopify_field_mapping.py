from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError

# What a value of each kind may be written to.
TARGETS = {
    "text": {"char", "text", "html", "selection"},
    "integer": {"integer", "float", "monetary", "char", "text"},
    "decimal": {"float", "monetary", "char", "text"},
    "boolean": {"boolean", "char", "text"},
    "date": {"date", "char", "text"},
    "datetime": {"datetime", "char", "text"},
}
# What the import itself decides on; a text of a customer must not.
KEPT = {
    "sale.order": {"name", "date_order", "origin", "state", "locked", "currency_rate"},
    "res.partner": {"name", "email", "lang", "type", "active", "is_company", "company_type"},
}


class ShopifyFieldMapping(models.Model):
    """An additional detail or a metafield of Shopify that is kept in a field of Odoo."""

    _name = "shopify.field.mapping"
    _description = "Shopify Field Mapping"
    _rec_name = "key"
    _order = "backend_id, source, key, id"

    backend_id = fields.Many2one(
        "shopify.backend", string="Store", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(
        related="backend_id.company_id", store=True, index=True, precompute=True
    )
    source = fields.Selection(
        [
            ("attribute", "Additional detail of the order"),
            ("order_metafield", "Metafield of the order"),
            ("customer_metafield", "Metafield of the customer"),
        ],
        required=True,
        default="attribute",
    )
    key = fields.Char(
        required=True,
        help="Name of the detail as it stands in the order, or namespace.key of the metafield.",
    )
    kind = fields.Selection(
        [
            ("text", "Text"),
            ("integer", "Whole number"),
            ("decimal", "Number or amount"),
            ("boolean", "Yes or no"),
            ("date", "Date"),
            ("datetime", "Date and time"),
        ],
        string="Read as",
        required=True,
        default="text",
    )
    model = fields.Selection(
        [("sale.order", "Sales order"), ("res.partner", "Contact of the customer")],
        string="Write to",
        required=True,
        default="sale.order",
    )
    field_id = fields.Many2one(
        "ir.model.fields",
        required=True,
        ondelete="cascade",
        index=True,
        domain="[('model', '=', model), ('store', '=', True), ('readonly', '=', False)]",
    )
    overwrite = fields.Boolean(
        help="Also replace what the contact has in this field. Otherwise only an empty field is"
        " filled. Quotations always follow Shopify.",
    )

    _field_uniq = models.UniqueIndex(
        "(backend_id, field_id)", "Another detail of this store is kept in this field already."
    )

    @api.onchange("model")
    def _onchange_model(self):
        if self.field_id.model != self.model:
            self.field_id = False

    @api.constrains("source", "key")
    def _check_key(self):
        for mapping in self.filtered(lambda row: row.source != "attribute"):
            namespace, dot, key = mapping.key.strip().partition(".")
            if not (namespace and dot and key) or " " in mapping.key.strip():
                raise ValidationError(
                    self.env._(
                        "%(key)s is no metafield: write its namespace, a dot and its key, as in"
                        " custom.delivery_date.",
                        key=mapping.key,
                    )
                )

    @api.constrains("model", "field_id", "kind")
    def _check_field_id(self):
        for mapping in self:
            problem = mapping._problem()
            if problem:
                raise ValidationError(problem)

    def _problem(self):
        """Why values cannot be written to the field: a sentence, or None."""
        name, label = self.field_id.name, self.field_id.field_description
        field = self.env[self.model]._fields.get(name)
        values = {"field": label, "model": self.env[self.model]._description}
        if self.field_id.model != self.model or field is None:
            return self.env._("%(model)s has no field %(field)s.", **values)
        if not field.store or field.readonly or name in models.MAGIC_COLUMNS:
            return self.env._("%(field)s of %(model)s cannot be written.", **values)
        if name in KEPT[self.model] or name.startswith("shopify_"):
            return self.env._("%(field)s of %(model)s is set by the import itself.", **values)
        if not self.env[self.model]._has_field_access(field, "write"):
            return self.env._("You may not write %(field)s of %(model)s.", **values)
        if field.type not in TARGETS[self.kind]:
            kind = dict(self._fields["kind"]._description_selection(self.env))[self.kind]
            return self.env._(
                "%(field)s of %(model)s is of the type %(type)s; it cannot take: %(kind)s.",
                type=field.type,
                kind=kind,
                **values,
            )
        return None

    # === WHICH METAFIELDS ARE ASKED FOR === #

    @tools.ormcache("backend_id")
    def _metafield_keys(self, backend_id):
        """Keys of the metafields that a store's mappings need: ``(of orders, of customers)``."""
        mappings = self.sudo().search([("backend_id", "=", backend_id)])
        return tuple(
            tuple(sorted({row.key.strip() for row in mappings if row.source == source}))
            for source in ("order_metafield", "customer_metafield")
        )

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        self.env.registry.clear_cache()
        return super().write(vals)

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()
