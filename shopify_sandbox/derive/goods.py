"""Products, variants, inventory and locations."""

from decimal import Decimal

from ..money import money
from ..store import legacy_id
from .base import derived, quantity_of


@derived("Product", "totalInventory")
def _product_inventory(product, shop):
    variants = shop.store.related(product, "variants")
    return sum(shop.read(variant, "inventoryQuantity") or 0 for variant in variants)


@derived("Product", "handle")
def _product_handle(product, shop):
    return "-".join((product.get("title") or legacy_id(product["id"])).lower().split())


@derived("Product", "hasOnlyDefaultVariant")
def _product_single(product, shop):
    return len(shop.store.related(product, "variants")) <= 1


@derived("Product", "status")
def _product_status(product, shop):
    return "ACTIVE"


@derived("Product", "tracksInventory")
def _product_tracks(product, shop):
    return True


@derived("Product", "variantsCount")
def _product_variants_count(product, shop):
    return {"count": len(shop.store.related(product, "variants")), "precision": "EXACT"}


@derived("Product", "priceRangeV2", "priceRange")
def _product_price_range(product, shop):
    prices = [
        Decimal(shop.read(variant, "price")) for variant in shop.store.related(product, "variants")
    ] or [Decimal(0)]
    return {
        "minVariantPrice": money(min(prices), shop.currency),
        "maxVariantPrice": money(max(prices), shop.currency),
    }


@derived("ProductVariant", "displayName")
def _variant_display_name(variant, shop):
    product = shop.store.get(variant.get("product")) or {}
    return f"{product.get('title') or ''} - {variant.get('title') or 'Default Title'}"


@derived("ProductVariant", "title")
def _variant_title(variant, shop):
    return "Default Title"


@derived("ProductVariant", "position")
def _variant_position(variant, shop):
    product = shop.store.get(variant.get("product"))
    siblings = shop.store.related(product, "variants") if product else [variant]
    return siblings.index(variant) + 1


@derived("ProductVariant", "taxable", "availableForSale")
def _variant_true(variant, shop):
    return True


@derived("ProductVariant", "sku")
def _variant_sku(variant, shop):
    item = shop.store.get(variant.get("inventoryItem")) or {}
    return item.get("sku")


@derived("ProductVariant", "inventoryQuantity")
def _variant_quantity(variant, shop):
    item = shop.store.get(variant.get("inventoryItem"))
    if not item:
        return 0
    return sum(
        quantity_of(level, "available")
        for level in shop.store.related(item, "inventoryLevels")
        if level.get("isActive", True)
    )


@derived("InventoryItem", "variant")
def _item_variant(item, shop):
    return next(iter(shop.store.related(item, "variants")), None)


@derived("InventoryItem", "sku")
def _item_sku(item, shop):
    variant = next(iter(shop.store.related(item, "variants")), {})
    return variant.get("sku")


@derived("InventoryItem", "tracked", "requiresShipping")
def _item_true(item, shop):
    return True


@derived("InventoryLevel", "isActive")
def _level_active(level, shop):
    return True


@derived("Location", "isActive", "fulfillsOnlineOrders", "shipsInventory", "hasActiveInventory")
def _location_true(location, shop):
    return True
