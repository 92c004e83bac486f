from odoo import api, fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    shopify_customer_ids = fields.One2many("shopify.customer", "partner_id", copy=False)
    shopify_customer_count = fields.Integer(
        compute="_compute_shopify_customer_count", groups="shopify_connector.group_auditor"
    )

    # Orders are matched by e-mail, else by the last digits of the phone number.
    _shopify_email_idx = models.Index("(email_normalized) WHERE email_normalized IS NOT NULL")
    _shopify_phone_idx = models.Index(
        r"((right(regexp_replace(phone, '\D', '', 'g'), 7))) WHERE phone IS NOT NULL"
    )

    @api.depends("shopify_customer_ids")
    def _compute_shopify_customer_count(self):
        counts = dict(
            self.env["shopify.customer"]._read_group(
                [("partner_id", "in", self.ids)], ["partner_id"], ["__count"]
            )
        )
        for partner in self:
            partner.shopify_customer_count = counts.get(partner._origin, 0)

    def action_view_shopify_customers(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "shopify_connector.action_shopify_customer"
        )
        action["domain"] = [("partner_id", "=", self.id)]
        return action
