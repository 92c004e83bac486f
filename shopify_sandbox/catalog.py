"""A deterministic catalogue: products with variants, inventory items and levels."""

import itertools
import random
from decimal import Decimal

from .money import money
from .shop import Shop
from .store import legacy_id

# title, product type, base price, options, kind
PRODUCTS = (
    ("Harbor Tee", "T-Shirts", "24.00", {"Size": "S M L XL", "Color": "Navy White"}, "goods"),
    ("Ridge Hoodie", "Hoodies", "58.50", {"Size": "S M L", "Color": "Moss Slate"}, "goods"),
    ("Field Jacket", "Outerwear", "149.00", {"Size": "S M L XL"}, "goods"),
    ("Trail Cap", "Accessories", "19.95", {"Color": "Black Olive Sand"}, "goods"),
    ("Canvas Tote", "Bags", "17.00", {}, "goods"),
    ("Weekender Bag", "Bags", "119.90", {"Color": "Cognac Black"}, "goods"),
    ("Stoneware Mug", "Kitchen", "14.50", {"Color": "Cream Ink"}, "goods"),
    ("Pour Over Kettle", "Kitchen", "64.99", {}, "goods"),
    ("Cast Iron Pan", "Kitchen", "49.95", {"Size": "20cm 26cm"}, "goods"),
    ("House Blend Coffee", "Coffee", "13.75", {"Weight": "250g 1kg"}, "goods"),
    ("Espresso Roast", "Coffee", "15.25", {"Weight": "250g 1kg"}, "goods"),
    ("Beeswax Candle", "Home", "9.99", {"Scent": "Cedar Fig Linen"}, "goods"),
    ("Wool Throw", "Home", "79.00", {"Color": "Oat Rust"}, "goods"),
    ("Linen Apron", "Kitchen", "34.33", {}, "goods"),
    ("Enamel Pin", "Accessories", "6.66", {}, "goods"),
    ("Merino Socks", "Accessories", "12.49", {"Size": "36-39 40-43 44-47"}, "goods"),
    ("Brass Pen", "Stationery", "42.10", {}, "goods"),
    ("Dot Grid Notebook", "Stationery", "11.11", {"Format": "A5 A6"}, "goods"),
    ("Atlas of Small Islands", "Books", "28.00", {}, "book"),
    ("Bread at Home", "Books", "32.90", {"Format": "Hardcover Paperback"}, "book"),
    ("Knife Skills Course", "Courses", "35.00", {}, "digital"),
    ("Gift Card", "Gift Cards", "25.00", {"Denominations": "25 50 100"}, "gift_card"),
)
VENDORS = ("Northbound Goods", "Atelier Ost", "Harbor & Sons")


def fill(shop: Shop, seed: int = 1) -> None:
    """Load the catalogue into a shop; the same seed gives the same SKUs, barcodes and stock."""
    rng = random.Random(seed)
    locations = [item["id"] for item in shop.store.all("Location")]
    for position, entry in enumerate(PRODUCTS, start=1):
        shop.load([_product(shop, rng, position, entry, locations)])


def _product(shop: Shop, rng: random.Random, position: int, entry: tuple, locations) -> dict:
    title, product_type, _price, options, kind = entry
    names = {name: values.split() for name, values in options.items()}
    combinations = list(itertools.product(*names.values())) if names else [("Default Title",)]
    variants = [
        _variant(
            shop,
            rng,
            (position, index),
            combination,
            names=names,
            entry=entry,
            locations=locations,
        )
        for index, combination in enumerate(combinations, start=1)
    ]
    return {
        "__typename": "Product",
        "id": shop.store.new_gid("Product"),
        "title": title,
        "handle": title.lower().replace(" ", "-"),
        "status": "ACTIVE",
        "vendor": rng.choice(VENDORS),
        "productType": product_type,
        "tags": [product_type.lower(), "sandbox"],
        "descriptionHtml": f"<p>{title}, made to be ordered again and again.</p>",
        "isGiftCard": kind == "gift_card",
        "publishedAt": shop.created_at,
        "options": [
            {
                "id": shop.store.new_gid("ProductOption"),
                "name": name,
                "position": number,
                "values": values,
            }
            for number, (name, values) in enumerate(
                (names or {"Title": ["Default Title"]}).items(), start=1
            )
        ],
        "variants": {"nodes": variants},
    }


def _variant(shop, rng, place, combination, *, names, entry, locations) -> dict:
    title, _type, base, _options, kind = entry
    position, index = place
    price = Decimal(base)
    if kind == "gift_card":
        price = Decimal(combination[0])
    elif "1kg" in combination:
        price = price * 3
    elif combination[-1] in ("XL", "26cm", "Hardcover"):
        price += Decimal("5.00")
    code = "".join(word[0] for word in title.split()) + f"{position:02d}"
    sku = f"{code}-{index:02d}" if len(names) else f"{code}-00"
    ships = kind in ("goods", "book")
    item = shop.store.new_gid("InventoryItem")
    return {
        "id": shop.store.new_gid("ProductVariant"),
        "title": " / ".join(combination),
        "sku": sku,
        "barcode": _ean13(f"40{position:05d}{index:05d}") if kind != "gift_card" else None,
        "price": f"{price:.2f}",
        "position": index,
        "taxable": kind != "gift_card",
        "inventoryPolicy": "DENY" if ships else "CONTINUE",
        "selectedOptions": [
            {"name": name, "value": value}
            for name, value in zip(names or {"Title": ()}, combination, strict=True)
        ],
        "inventoryItem": {
            "id": item,
            "sku": sku,
            "tracked": ships,
            "requiresShipping": ships,
            "unitCost": money((price * Decimal("0.45")).quantize(Decimal("0.01")), shop.currency),
            "countryCodeOfOrigin": "PT",
            "harmonizedSystemCode": f"61{position:02d}10",
            "measurement": {
                "id": shop.store.new_gid("InventoryItemMeasurement"),
                "weight": {"value": round(rng.uniform(0.1, 2.5), 2), "unit": "KILOGRAMS"},
            },
            "inventoryLevels": {
                "nodes": [
                    _level(shop, rng, location, item) for location in (locations if ships else ())
                ]
            },
        },
    }


def _level(shop: Shop, rng: random.Random, location: str, item: str) -> dict:
    available = rng.randint(200, 2000)
    quantities = {
        "available": available,
        "on_hand": available,
        "committed": 0,
        "incoming": 0,
        "reserved": 0,
        "damaged": 0,
        "safety_stock": 0,
        "quality_control": 0,
    }
    return {
        "id": f"{shop.store.new_gid('InventoryLevel')}?inventory_item_id={legacy_id(item)}",
        "isActive": True,
        "location": {"id": location},
        "quantities": [
            {"name": name, "quantity": quantity} for name, quantity in quantities.items()
        ],
    }


def _ean13(digits: str) -> str:
    total = sum(int(digit) * (3 if index % 2 else 1) for index, digit in enumerate(digits))
    return f"{digits}{-total % 10}"
