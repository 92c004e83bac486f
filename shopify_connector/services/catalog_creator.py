"""Odoo products for what only the store has."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from odoo import fields, models

from ..mappers import product as mapped
from ..mappers.titles import title_key


@dataclass(frozen=True, slots=True)
class Missing:
    """Variants of one product that Odoo does not have.

    :ivar template: the product to extend; empty for a new one
    :ivar links: ``{variant gid: shopify.variant}``
    """

    product: mapped.Product
    variants: list[mapped.Variant]
    template: models.BaseModel
    links: dict


class ShopifyCatalogCreator(models.AbstractModel):
    """Products of the store that have no link at all become products of Odoo.

    Options become attributes whose variants Odoo does not multiply by itself, so that exactly the
    store's variants exist. The price is that of the cheapest variant: orders bring their own.
    A product that is linked in part gets its missing variants only where its attributes are the
    store's options; else they are left to a person. Gift cards are left to the store's setting.
    """

    _name = "shopify.catalog.creator"
    _description = "Shopify Catalogue: Missing Products"

    def _create_missing(self, backend, products):
        """Create what is missing and link it.

        :param products: ``{shopify.product: mappers.product.Product}``
        :return: the ``shopify.product`` that got links
        """
        taken = self._taken_barcodes(products)
        jobs = {}
        for binding, product in products.items():
            links = {link.shopify_gid: link for link in binding.variant_ids}
            variants = [v for v in product.variants if not links[v.gid].product_id]
            if not variants or product.is_gift_card:
                continue
            template = self._template_to_extend(binding, product)
            if template is not None:
                jobs[binding] = Missing(product, variants, template, links)
        self._create_templates(backend, jobs.values(), taken)
        return self.env["shopify.product"].union(*jobs)

    def _template_to_extend(self, binding, product):
        """An empty record for a new product, the one to extend, or None: left to a person."""
        templates = binding.sudo().variant_ids.product_id.product_tmpl_id
        if not templates:
            return templates
        options = {title_key(name) for v in product.variants for name, _value in v.option_values}
        lines = templates.attribute_line_ids
        same = options == {title_key(line.attribute_id.name) for line in lines}
        dynamic = all(line.attribute_id.create_variant == "dynamic" for line in lines)
        return templates if len(templates) == 1 and options and same and dynamic else None

    def _create_templates(self, backend, jobs, taken):
        plain = [job for job in jobs if not self._options(job.product)]
        templates = self.env["product.template"].create(
            [
                {
                    **self._template_values(backend, job.product),
                    **self._variant_values(job.variants[0], taken),
                }
                for job in plain
            ]
        )
        for job, template in zip(plain, templates, strict=True):
            job.links[job.variants[0].gid].product_id = template.product_variant_id
        values = self._attribute_values([job.product for job in jobs])
        for job in jobs:
            if self._options(job.product):
                self._create_variants(backend, job, values, taken)

    def _create_variants(self, backend, job, values, taken):
        """Create the variants of one product with options."""
        template = job.template
        if template:
            self._extend_attributes(template, job.variants, values)
        else:
            template = self.env["product.template"].create(
                {
                    **self._template_values(backend, job.product),
                    "attribute_line_ids": [
                        fields.Command.create(
                            {
                                "attribute_id": chosen[0].attribute_id.id,
                                "value_ids": [fields.Command.set([value.id for value in chosen])],
                            }
                        )
                        for chosen in self._chosen(job.product.variants, values).values()
                    ],
                }
            )
        own = {
            value.product_attribute_value_id: value.id
            for value in template.attribute_line_ids.product_template_value_ids
        }
        created = self.env["product.product"].create(
            [
                {
                    "product_tmpl_id": template.id,
                    "product_template_attribute_value_ids": [
                        fields.Command.set(
                            [own[values[self._value_key(pair)]] for pair in variant.option_values]
                        )
                    ],
                    **self._variant_values(variant, taken),
                }
                for variant in job.variants
            ]
        )
        for variant, record in zip(job.variants, created, strict=True):
            job.links[variant.gid].product_id = record

    def _extend_attributes(self, template, variants, values):
        chosen = self._chosen(variants, values)
        for line in template.attribute_line_ids:
            new = chosen.get(title_key(line.attribute_id.name), ())
            ids = [value.id for value in new if value not in line.value_ids]
            if ids:
                line.value_ids = [fields.Command.link(value_id) for value_id in ids]

    # === ATTRIBUTES === #

    def _options(self, product):
        return any(variant.option_values for variant in product.variants)

    def _value_key(self, pair):
        return title_key(pair[0]), title_key(pair[1])

    def _chosen(self, variants, values):
        """``{option: [value, ...]}`` in the order in which the variants name them."""
        chosen = defaultdict(dict)
        for variant in variants:
            for pair in variant.option_values:
                key = self._value_key(pair)
                chosen[key[0]][values[key]] = True
        return {option: list(found) for option, found in chosen.items()}

    def _attribute_values(self, products):
        """Find or create the attributes and values of all options: ``{key of pair: value}``."""
        pairs = {
            self._value_key(pair): pair
            for product in products
            for variant in product.variants
            for pair in variant.option_values
        }
        if not pairs:
            return {}
        Attribute = self.env["product.attribute"]
        # Attributes of other modes would make Odoo create every combination, or none.
        attributes = {}
        for attribute in Attribute.search([("create_variant", "=", "dynamic")], order="id desc"):
            attributes[title_key(attribute.name)] = attribute
        names = {option: pair[0] for (option, _value), pair in pairs.items()}
        new = [option for option in names if option not in attributes]
        created = Attribute.create(
            [{"name": names[option], "create_variant": "dynamic"} for option in new]
        )
        attributes |= dict(zip(new, created, strict=True))
        known = {
            (option, title_key(value.name)): value
            for option in names
            for value in attributes[option].value_ids
        }
        new = [key for key in pairs if key not in known]
        created = self.env["product.attribute.value"].create(
            [{"attribute_id": attributes[key[0]].id, "name": pairs[key][1]} for key in new]
        )
        return known | dict(zip(new, created, strict=True))

    # === VALUES === #

    def _taken_barcodes(self, products):
        """Barcodes that may not be given to a new product: taken, or used twice in the store."""
        counts = Counter(
            variant.barcode
            for product in products.values()
            for variant in product.variants
            if variant.barcode
        )
        taken = (
            self.env["product.product"]
            .with_context(active_test=False)
            .search_fetch([("barcode", "in", list(counts))], ["barcode"])
        )
        return {*taken.mapped("barcode"), *(code for code, count in counts.items() if count > 1)}

    def _template_values(self, backend, product):
        """Values of a new product."""
        shipped = any(variant.requires_shipping for variant in product.variants)
        prices = [variant.price for variant in product.variants if variant.price is not None]
        values = {
            "name": product.title or product.handle or product.gid,
            "type": "consu" if shipped else "service",
            "list_price": float(min(prices, default=0)),
            "sale_ok": True,
        }
        if shipped:
            values["is_storable"] = any(variant.tracked for variant in product.variants)
        if self.env["res.company"].sudo().search_count([], limit=2) > 1:
            values["company_id"] = backend.company_id.id
        return values

    def _variant_values(self, variant, taken):
        barcode = variant.barcode if variant.barcode not in taken else False
        return {"default_code": variant.sku or False, "barcode": barcode or False}
