"""Additional details and metafields of orders and customers, as values of Odoo's fields."""

from __future__ import annotations

from dataclasses import dataclass, field

from odoo import models

from ..mappers.field_values import read_value

# As many metafields as Shopify is asked for at once; they are all on the first page then.
KEYS_AT_ONCE = 10


@dataclass
class Mapped:
    """What the field mappings make of one order."""

    sale: dict = field(default_factory=dict)
    partner: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)


class ShopifyFieldMapper(models.AbstractModel):
    """Reads what the store's field mappings name. A value that does not fit is left out and
    noted: it stops no order.
    """

    _name = "shopify.field.mapper"
    _description = "Shopify Field Mapper"

    # === READING FROM SHOPIFY === #

    def _fetch_metafields(self, backend, client, nodes):
        """Add the metafields that the mappings name to order nodes, in place; network only.

        :param nodes: ``{gid: node or None}``; orders whose metafields could not be read are
            taken out
        :return: faults, as of ``client.nodes``
        """
        of_order, of_customer = self.env["shopify.field.mapping"]._metafield_keys(backend.id)
        faults = ()
        for start in range(0, max(len(of_order), len(of_customer)), KEYS_AT_ONCE):
            keys = slice(start, start + KEYS_AT_ONCE)
            gids = [gid for gid, node in nodes.items() if node]
            found, more = client.nodes(
                "order_metafields",
                gids,
                variables={
                    "orderKeys": of_order[keys],
                    "customerKeys": of_customer[keys],
                    "ofOrder": bool(of_order[keys]),
                    "ofCustomer": bool(of_customer[keys]),
                },
            )
            faults += tuple(more)
            for gid in gids:
                if gid not in found:
                    del nodes[gid]
                elif found[gid]:
                    _merge(nodes[gid], found[gid])
                    if nodes[gid].get("customer") and found[gid].get("customer"):
                        _merge(nodes[gid]["customer"], found[gid]["customer"])
        return faults

    # === VALUES === #

    def _values(self, backend, orders):
        """What the mappings make of orders: ``{gid: Mapped}``; empty without mappings."""
        mappings = self.env["shopify.field.mapping"].search([("backend_id", "=", backend.id)])
        if not mappings:
            return {}
        return {order.gid: self._of_order(order, mappings) for order in orders}

    def _of_order(self, order, mappings):
        mapped = Mapped()
        stated = {
            "attribute": {key.strip().casefold(): value for key, value in order.attributes},
            "order_metafield": dict(order.metafields),
            "customer_metafield": dict(order.customer.metafields if order.customer else ()),
        }
        for mapping in mappings:
            key = mapping.key.strip()
            key = key.casefold() if mapping.source == "attribute" else key
            if key not in stated[mapping.source]:
                continue
            text = stated[mapping.source][key]
            try:
                value = self._value(mapping, text)
            except (ValueError, ArithmeticError, TypeError, AttributeError) as error:
                mapped.notes.append(self._note(mapping, text, error))
                continue
            values = mapped.sale if mapping.model == "sale.order" else mapped.partner
            values[mapping.field_id.name] = False if value is None else value
        return mapped

    def _value(self, mapping, text):
        """:raises ValueError: the text is no value for the field"""
        problem = mapping._problem()
        if problem:
            raise ValueError(problem)
        target = self.env[mapping.model]._fields[mapping.field_id.name]
        value = read_value(text, mapping.kind)
        if value is None:
            return None
        if target.type == "selection":
            return self._choice(target, value)
        if target.type in ("char", "text"):
            return str(value)
        return value

    def _choice(self, target, text):
        """The value of a selection field, by value or label."""
        for value, label in target._description_selection(self.env):
            if text.casefold() in (str(value).casefold(), (label or "").casefold()):
                return value
        raise ValueError(self.env._("%s is none of the values of the field", text))

    def _note(self, mapping, text, error):
        return self.env._(
            "%(key)s = %(text)s was not written to %(field)s: %(reason)s",
            key=mapping.key,
            text=text if len(text) < 60 else text[:60] + "…",
            field=mapping.field_id.field_description,
            reason=error,
        )

    def _write_partners(self, backend, mapped, partners):
        """Write what was read to the contacts of the people who bought.

        :param mapped: ``{order gid: Mapped}``
        :param partners: ``{order gid: Partners}``
        """
        mappings = self.env["shopify.field.mapping"].search(
            [("backend_id", "=", backend.id), ("model", "=", "res.partner")]
        )
        overwrite = {row.field_id.name for row in mappings if row.overwrite}
        for gid, found in mapped.items():
            person = partners[gid].person.with_context(no_vat_validation=True)
            if not found.partner:
                continue
            if not person:
                found.notes.append(
                    self.env._("Details of the customer were not kept: %s stands for many people.")
                    % partners[gid].partner.display_name
                )
                continue
            vals = {
                name: value
                for name, value in found.partner.items()
                if person[name] != value and (name in overwrite or not person[name])
            }
            if vals:
                person.write(vals)


def _merge(node, found):
    """Add the metafields of one answer to a node."""
    held = node.setdefault("metafields", {"nodes": []})
    held["nodes"].extend((found.get("metafields") or {}).get("nodes") or ())
