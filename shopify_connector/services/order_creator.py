"""New sale orders: created, proved and confirmed in batches."""

from __future__ import annotations

from decimal import Decimal

from odoo import models

from .order_policies import is_dead, risk_of
from .order_totals import expected_figures
from .outcome import Outcome


class _Refused(Exception):
    """Some orders of a batch do not prove: the batch is rolled back and made without them."""

    def __init__(self, sentences):
        super().__init__(sentences)
        self.sentences = sentences


class ShopifyOrderCreator(models.AbstractModel):
    """Makes sale orders and their bindings; nothing stays of an order that does not prove."""

    _name = "shopify.order.creator"
    _description = "Shopify Order Creator"

    def _create_orders(self, backend, orders, found):
        """Create a batch of orders, prove their totals, confirm those that the policy lets.

        :param orders: list of :class:`~..mappers.order_types.Order` without binding
        :param found: :class:`~.order_values.Found`
        :return: ``{gid: Outcome}``
        """
        outcomes = {}
        while orders:
            try:
                with self.env.cr.savepoint():
                    sales = self._create_sales(backend, orders, found)
                    wrong = self._unproved(orders, sales)
                    if wrong:
                        raise _Refused(wrong)
                    self._create_bindings(backend, orders, sales, found)
                break
            except _Refused as refused:
                importer = self.env["shopify.order.importer"]
                for order in orders:
                    if order.gid in refused.sentences:
                        block = importer._totals_block(order, refused.sentences[order.gid])
                        outcomes[order.gid] = Outcome("blocked", blocks=[block])
                orders = [order for order in orders if order.gid not in outcomes]
        if orders:
            self._settle(backend, orders, sales)
            for order, sale in zip(orders, sales, strict=True):
                outcomes[order.gid] = Outcome(
                    "created", record=sale, message=self._sentence(order, sale)
                )
        return outcomes

    def _create_sales(self, backend, orders, found):
        Values = self.env["shopify.order.values"]
        return (
            self.env["sale.order"]
            .with_context(shopify_import=True)
            .create([Values._order_vals(backend, order, found) for order in orders])
            .with_env(self.env)
        )

    def _create_bindings(self, backend, orders, sales, found):
        Values = self.env["shopify.order.values"]
        confirmer = self.env["shopify.order.confirmer"]
        return self.env["shopify.order"].create(
            [
                {
                    "backend_id": backend.id,
                    "shopify_gid": order.gid,
                    "sale_order_id": sale.id,
                    "currency_policy": backend.currency_policy,
                    "reserve_pending": backend.reserve and confirmer._wanted(backend, order),
                    **Values._facts(order, found),
                    **Values._applied(order, found),
                    "risk_seen": risk_of(order),
                    **self._further_vals(backend, order),
                }
                for order, sale in zip(orders, sales, strict=True)
            ]
        )

    def _further_vals(self, backend, order):
        """Further values of the ``shopify.order``; open to extension."""
        return {}

    def _settle(self, backend, orders, sales):
        """Confirm what is to be confirmed, cancel what Shopify cancelled."""
        pairs = list(zip(orders, sales, strict=True))
        dead = sales.browse([sale.id for order, sale in pairs if is_dead(order)])
        if dead:
            dead._action_cancel()
        self.env["shopify.order.confirmer"]._confirm(backend, pairs)

    def _sentence(self, order, sale):
        sentence = {
            "sale": self.env._("%(order)s was imported and confirmed as %(name)s."),
            "cancel": self.env._("%(order)s was imported, cancelled, as %(name)s."),
        }.get(sale.state, self.env._("%(order)s was imported as quotation %(name)s."))
        return sentence % {"order": order.name, "name": sale.name}

    # === PROOF === #

    def _unproved(self, orders, sales):
        """Which sale orders differ from their Shopify order: ``{gid: [sentence]}``.

        The amounts of the orders come from Odoo's tax engine, over all of their lines; see
        :mod:`.order_totals` for what makes it arrive at Shopify's.
        """
        wrong = {}
        for order, sale in zip(orders, sales, strict=True):
            currency = sale.currency_id
            ours = sale._shopify_figures()
            sentences = []
            for figure, expected in expected_figures(order).items():
                if currency.compare_amounts(ours[figure], float(expected)):
                    sentences.append(
                        self.env._(
                            "%(figure)s: Shopify %(theirs)s, Odoo %(ours)s, difference"
                            " %(difference)s",
                            figure=figure,
                            theirs=currency.format(float(expected)),
                            ours=currency.format(ours[figure]),
                            difference=currency.format(ours[figure] - float(expected)),
                        )
                    )
                elif round(expected, currency.decimal_places) != expected:
                    sentences.append(
                        self.env._(
                            "%(figure)s: %(theirs)s has more decimals than %(currency)s in Odoo",
                            figure=figure,
                            theirs=Decimal(expected),
                            currency=currency.name,
                        )
                    )
            if sentences:
                wrong[order.gid] = sentences
        return wrong
