"""From a mapped order and what was found for it to the values of Odoo's records."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from odoo import api, fields, models
from odoo.fields import Command

from ..mappers.odoo_values import (
    discount_percent,
    line_description,
    tag_list,
    visible_attributes,
)
from .order_snapshot import fingerprint, snapshot
from .order_totals import (
    books_rate,
    extra_tax_data,
    left_out_figures,
    taken_off_figures,
    taxes_by_id,
)


@dataclass
class Found:
    """What stands in Odoo for the parts of a batch of orders."""

    products: dict = field(default_factory=dict)  # line gid -> product.product
    carriers: dict = field(default_factory=dict)  # line gid -> (delivery.carrier, product)
    taxes: dict = field(default_factory=dict)  # TaxKey -> account.tax
    partners: dict = field(default_factory=dict)  # order gid -> Partners
    pricelists: dict = field(default_factory=dict)  # ISO code -> product.pricelist
    warehouses: dict = field(default_factory=dict)  # location gid -> stock.warehouse
    tags: dict = field(default_factory=dict)  # tag, case folded -> crm.tag
    names: dict = field(default_factory=dict)  # order gid -> name of the sale order
    blocks: dict = field(default_factory=dict)  # order gid -> [Block]
    currencies: dict = field(default_factory=dict)  # ISO code -> res.currency, inactive ones too
    further: dict = field(default_factory=dict)  # order gid -> {"values": of the order, "notes"}
    cache: dict = field(default_factory=dict)  # what is the same for many orders of the batch

    def leave_out(self, order):
        """The order, knowing which of its taxes are mapped to no tax because they are left out."""
        if "left_out" not in self.cache:
            self.cache["left_out"] = {key for key, tax in self.taxes.items() if not tax}
        keys = self.cache["left_out"]
        if not keys:
            return order
        gone = frozenset(tax.key for line in order.lines for tax in line.taxes if tax.key in keys)
        return replace(order, left_out=gone) if gone else order


class ShopifyOrderValues(models.AbstractModel):
    """Builds the values of ``sale.order``, its lines and ``shopify.order``.

    Every stored field that Odoo would compute one by one is given here, because of the cost;
    fields of other modules are computed as usual.
    """

    _name = "shopify.order.values"
    _description = "Shopify Order Values"

    # === SALE ORDER === #

    @api.model
    def _order_vals(self, backend, order, found):
        """Values of the sale order with its lines.

        :param order: :class:`~..mappers.order_types.Order`
        :param found: :class:`Found`, complete for this order
        """
        partners = found.partners[order.gid]
        pricelist = found.pricelists[order.currency]
        warehouse = found.warehouses.get(order.location_gid) or backend.warehouse_id
        shipping = [line for line in order.lines if line.kind == "shipping"]
        carrier = found.carriers[shipping[0].gid][0] if shipping else None
        vals = {
            "name": found.names.get(order.gid) or order.name,
            "company_id": backend.company_id.id,
            "shopify_backend_id": backend.id,
            "partner_id": partners.partner.id,
            "partner_invoice_id": partners.invoice.id,
            "partner_shipping_id": partners.shipping.id,
            "pricelist_id": pricelist.id,
            "warehouse_id": warehouse.id,
            "carrier_id": carrier.id if carrier else False,
            "date_order": order.processed_at,
            "client_order_ref": order.po_number or order.name,
            "origin": order.name,
            "user_id": backend.salesperson_id.id,
            "team_id": backend.team_id.id,
            "tag_ids": [Command.set(self._tag_ids(order, found))],
            # Nothing of these is asked of people who have bought already.
            "require_signature": False,
            "require_payment": False,
            "prepayment_percent": 1.0,
            "validity_date": False,
            "journal_id": False,
            "payment_term_id": False,
            "preferred_payment_method_line_id": False,
            "sale_order_template_id": False,
            "note": self._terms(backend, partners.partner, found),
            "fiscal_position_id": self._fiscal_position(backend, partners, found),
        }
        rate = self._books_rate(backend, order)
        vals["shopify_computed"] = {
            "currency_id": pricelist.currency_id.id,
            "currency_rate": rate or self._currency_rate(backend, pricelist, order, found),
        }
        vals["order_line"] = [
            Command.create(line_vals) for line_vals in self._lines_vals(backend, order, found, rate)
        ]
        return vals

    def _tag_ids(self, order, found):
        return [found.tags[tag.casefold()].id for tag in tag_list(order)]

    def _terms(self, backend, partner, found):
        """Odoo's own terms and conditions, where they are used."""
        if "terms" not in found.cache:
            found.cache["terms"] = self.env["ir.config_parameter"].get_param(
                "account.use_invoice_terms"
            )
        if not found.cache["terms"]:
            return False
        values = {"partner_id": partner.id, "company_id": backend.company_id.id}
        return self.env["sale.order"].new(values).note

    def _fiscal_position(self, backend, partners, found):
        """As Odoo finds it. It decides on accounts; the taxes of the lines come from mappings."""
        FiscalPosition = self.env["account.fiscal.position"].with_company(backend.company_id)
        if "fiscal_positions" not in found.cache:
            found.cache["fiscal_positions"] = FiscalPosition.search_count(
                FiscalPosition._check_company_domain(backend.company_id), limit=1
            )
        if not found.cache["fiscal_positions"]:
            return False
        return FiscalPosition._get_fiscal_position(partners.partner, partners.shipping).id

    def _books_rate(self, backend, order):
        """Shopify's own rate, where the books are kept in the store's currency."""
        company_currency = backend.company_id.currency_id.name
        if order.currency == company_currency or order.shop_currency != company_currency:
            return None
        return books_rate(order)

    def _currency_rate(self, backend, pricelist, order, found):
        company, currency = backend.company_id, pricelist.currency_id
        if company.currency_id == currency:
            return 1.0
        key = ("rate", currency.id, order.processed_at.date())
        if key not in found.cache:
            found.cache[key] = self.env["res.currency"]._get_conversion_rate(
                company.currency_id, currency, company, order.processed_at.date()
            )
        return found.cache[key]

    # === LINES === #

    def _lines_vals(self, backend, order, found, rate):
        common = {
            "company_id": backend.company_id.id,
            "currency_id": found.pricelists[order.currency].currency_id.id,
            "order_partner_id": found.partners[order.gid].partner.id,
            "salesman_id": backend.salesperson_id.id,
            "state": "draft",
        }
        analytic = {} if self._analytic_models(found) else {"analytic_distribution": False}
        return [
            {
                **self._line_vals(backend, line, found, common, rate),
                **analytic,
                "sequence": 10 + n,
                "shopify_taken_off": float(stated.quantity - line.quantity),
            }
            for n, (stated, line) in enumerate(zip(order.lines, order.booked_lines, strict=True))
        ]

    def _line_vals(self, backend, line, found, common, rate):
        """Values of one line; see the engine's ways in :mod:`.order_totals`."""
        if line.kind == "shipping":
            product = found.carriers[line.gid][1]
        else:
            product = found.products[line.gid]
        quantity = float(line.quantity)
        price_unit = float(line.unit_price.amount)
        discount = float(discount_percent(line))
        amounts = taxes_by_id(line, found.taxes)
        subtotal = float(line.total_excluded.amount)
        total = float(line.total_included.amount)
        product_values = self._product_values(product, found)
        return {
            "product_id": product.id,
            "name": line_description(line) or product.display_name,
            "shopify_gid": line.gid,
            "shopify_kind": line.kind,
            "shopify_sku": line.sku,
            "shopify_variant_gid": line.variant_gid,
            "shopify_taxes_included": line.taxes_included,
            "is_delivery": line.kind == "shipping",
            "product_uom_qty": quantity,
            "price_unit": price_unit,
            "technical_price_unit": price_unit,
            "discount": discount,
            "tax_ids": [Command.set(list(amounts))],
            "extra_tax_data": extra_tax_data(
                line,
                amounts,
                currency_id=common["currency_id"],
                price_unit=price_unit,
                discount=discount,
                books=rate is not None,
                rate=rate,
            ),
            "product_custom_attribute_value_ids": [],
            "product_no_variant_attribute_value_ids": [],
            "product_uom_id": product_values["product_uom_id"],
            "customer_lead": product_values["customer_lead"],
            "shopify_computed": {
                **common,
                "qty_delivered_method": product_values["qty_delivered_method"],
                "price_subtotal": subtotal,
                "price_tax": float(line.tax_total.amount),
                "price_total": total,
                "price_reduce_taxexcl": subtotal / quantity if quantity else 0.0,
                "price_reduce_taxinc": total / quantity if quantity else 0.0,
            },
        }

    def _product_values(self, product, found):
        """What Odoo computes for a line from its product alone, once per product and batch."""
        key = ("product", product.id)
        if key not in found.cache:
            line = self.env["sale.order.line"].new({"product_id": product.id})
            found.cache[key] = {
                "product_uom_id": product.uom_id.id,
                "customer_lead": line.customer_lead,
                "qty_delivered_method": line.qty_delivered_method,
            }
        return found.cache[key]

    def _analytic_models(self, found):
        """Whether a distribution may follow from the partner or the product."""
        if "analytic" not in found.cache:
            Model = self.env["account.analytic.distribution.model"]
            found.cache["analytic"] = Model.search_count([], limit=1)
        return found.cache["analytic"]

    # === BINDING === #

    @api.model
    def _facts(self, order, found):
        """Values of ``shopify.order`` that follow Shopify at any time, whatever Odoo's order is."""
        totals = order.totals
        currency = found.currencies.get(order.currency)
        return {
            "shopify_updated_at": order.updated_at,
            "synced_at": fields.Datetime.now(),
            "name": order.name,
            "legacy_id": order.legacy_id,
            "processed_at": order.processed_at,
            "cancelled_at": order.cancelled_at,
            "closed_at": order.closed_at,
            "deleted": False,
            "financial_status": order.financial_status,
            "fulfillment_status": order.fulfillment_status,
            "return_status": order.return_status,
            "cancel_reason": order.cancel_reason,
            "risk": order.risk,
            "risk_level": order.risk_level,
            "test": order.test,
            "edited": order.edited,
            "currency_id": currency.id if currency else False,
            "taxes_included": order.taxes_included,
            "amount_total": _float(totals.total),
            "amount_tax": _float(totals.tax),
            "amount_shipping": _float(totals.shipping),
            "amount_discount": _float(totals.discount),
            "amount_current": _float(totals.current_total),
            "amount_received": _float(totals.received),
            "amount_outstanding": _float(totals.outstanding),
            "amount_refunded": _float(totals.refunded),
            "note": order.note,
            "tags": ", ".join(tag_list(order)),
            "attributes": "\n".join(
                f"{key}: {value}" for key, value in visible_attributes(order.attributes)
            ),
            "discount_codes": ", ".join(order.discount_codes),
            "gateways": ", ".join(order.gateways),
            "channel": order.channel or order.channel_handle,
            "source_name": order.source_name,
            "app_name": order.app_name,
            "po_number": order.po_number,
            "confirmation_number": order.confirmation_number,
            "locale": order.locale,
            "email": order.email,
            "phone": order.phone,
        }

    @api.model
    def _applied(self, order, found):
        """Values of ``shopify.order`` that say which content the sale order has."""
        content = snapshot(order)
        notes = found.partners[order.gid].notes if order.gid in found.partners else ()
        return {
            "snapshot": content,
            "fingerprint": fingerprint(content),
            "seen": False,
            "difference": False,
            "figures": self._figures(order, found),
            "warnings": "\n".join((*order.warnings, *notes)),
        }

    def _figures(self, order, found):
        """Taxes by title and discounts by code, for the page of the order."""
        discounts = {}
        for line in order.lines:
            for discount in line.discounts:
                key = (discount.code_or_title, discount.kind)
                discounts[key] = discounts.get(key, 0) + discount.amount.amount
        return {
            "taxes": [
                {
                    "title": tax.key.title,
                    "rate": None if tax.key.percent is None else float(tax.key.percent),
                    "amount": float(tax.amount.amount),
                    "channel_liable": tax.key.channel_liable,
                    "included": tax.key.included,
                    "country": tax.key.country_code or "",
                    "left_out": tax.key in order.left_out,
                    "tax_id": found.taxes[tax.key].id if tax.key in found.taxes else False,
                }
                for tax in order.taxes
            ],
            "discounts": [
                {"title": title, "kind": kind, "amount": float(amount)}
                for (title, kind), amount in discounts.items()
            ],
            "left_out": left_out_figures(order),
            "taken_off": taken_off_figures(order),
        }


def _float(money):
    return float(money.amount) if money is not None else 0.0
