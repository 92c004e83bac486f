"""Kinds of shops: an American, a European and an empty one."""

from dataclasses import dataclass, field
from decimal import Decimal

from .shop import Settings, Shop

Taxes = list[tuple[str, str]]  # title and rate


@dataclass(frozen=True)
class Region:
    """A place customers live in, with the taxes that its orders carry.

    :param reduced: taxes of books, where they differ
    """

    country: str
    country_code: str
    province: str | None
    province_code: str | None
    cities: tuple[tuple[str, str], ...]  # city and postal code
    taxes: tuple[tuple[str, str], ...] = ()
    reduced: tuple[tuple[str, str], ...] | None = None
    phone: str = "+1212555"
    weight: int = 1
    foreign: bool = False


@dataclass(frozen=True)
class Profile:
    """What a shop of this kind has.

    :param rates: presentment currencies and how many of them one unit of shop currency buys
    :param shipping: title, code and price in shop currency
    """

    settings: dict
    locations: tuple[dict, ...] = ()
    regions: tuple[Region, ...] = ()
    rates: dict[str, Decimal] = field(default_factory=dict)
    shipping: tuple[tuple[str, str, str], ...] = ()
    tax_shipping: bool = True
    cash_on_delivery: str = "Cash on Delivery (COD)"
    address: dict = field(default_factory=dict)


US_REGIONS = (
    Region(
        "United States",
        "US",
        "New York",
        "NY",
        (("New York", "10013"), ("Brooklyn", "11211"), ("Queens", "11375")),
        (
            ("New York State Tax", "0.04"),
            ("New York City City Tax", "0.045"),
            ("Metropolitan Commuter Transportation District", "0.00375"),
        ),
        weight=4,
    ),
    Region(
        "United States",
        "US",
        "California",
        "CA",
        (("Los Angeles", "90014"), ("San Francisco", "94107")),
        (("California State Tax", "0.0725"), ("Los Angeles County District Tax Sp", "0.0225")),
        phone="+1213555",
        weight=4,
    ),
    Region(
        "United States",
        "US",
        "Texas",
        "TX",
        (("Austin", "78701"), ("Austin", "78745")),
        (
            ("Texas State Tax", "0.0625"),
            ("Austin Municipal Tax", "0.01"),
            ("Austin Mta Transit", "0.01"),
        ),
        phone="+1512555",
        weight=3,
    ),
    Region(
        "United States",
        "US",
        "Florida",
        "FL",
        (("Miami", "33130"), ("Tampa", "33602")),
        (("Florida State Tax", "0.06"), ("Miami-Dade County Tax", "0.01")),
        phone="+1305555",
        weight=2,
    ),
    Region("United States", "US", "Oregon", "OR", (("Portland", "97205"),), phone="+1503555"),
    Region(
        "Canada",
        "CA",
        "Ontario",
        "ON",
        (("Toronto", "M5V 2T6"), ("Ottawa", "K1P 5M7")),
        phone="+1416555",
        weight=2,
        foreign=True,
    ),
    Region(
        "United Kingdom",
        "GB",
        "England",
        "ENG",
        (("London", "E1 6AN"), ("Leeds", "LS1 4AP")),
        phone="+4420794",
        foreign=True,
    ),
    Region(
        "Japan",
        "JP",
        "Tōkyō",
        "JP-13",
        (("Minato-ku", "105-0011"),),
        phone="+8135550",
        foreign=True,
    ),
)

EU_REGIONS = (
    Region(
        "Germany",
        "DE",
        None,
        None,
        (("Berlin", "10115"), ("München", "80331"), ("Köln", "50667")),
        (("DE MwSt", "0.19"),),
        (("DE MwSt", "0.07"),),
        phone="+493055",
        weight=6,
    ),
    Region(
        "Austria",
        "AT",
        None,
        None,
        (("Wien", "1010"), ("Graz", "8010")),
        (("AT USt", "0.2"),),
        (("AT USt", "0.1"),),
        phone="+43155",
        weight=2,
    ),
    Region(
        "France",
        "FR",
        None,
        None,
        (("Paris", "75011"), ("Lyon", "69002")),
        (("FR TVA", "0.2"),),
        (("FR TVA", "0.055"),),
        phone="+33155",
        weight=2,
    ),
    Region(
        "Netherlands",
        "NL",
        None,
        None,
        (("Amsterdam", "1016 GV"),),
        (("NL BTW", "0.21"),),
        (("NL BTW", "0.09"),),
        phone="+312055",
        weight=2,
    ),
    Region(
        "Italy",
        "IT",
        "Milano",
        "MI",
        (("Milano", "20121"),),
        (("IT IVA", "0.22"),),
        (("IT IVA", "0.04"),),
        phone="+390255",
    ),
    Region(
        "Switzerland",
        "CH",
        None,
        None,
        (("Zürich", "8001"), ("Bern", "3011")),
        phone="+41445",
        weight=2,
        foreign=True,
    ),
    Region(
        "United Kingdom",
        "GB",
        "Scotland",
        "SCT",
        (("Edinburgh", "EH1 1YZ"),),
        phone="+4413155",
        foreign=True,
    ),
)

PROFILES = {
    "us": Profile(
        settings={
            "currency": "USD",
            "country": "US",
            "timezone": "America/New_York",
            "taxes_included": False,
            "presentment_currencies": ["USD", "CAD", "GBP", "JPY"],
        },
        locations=(
            {
                "name": "Brooklyn Warehouse",
                "isPrimary": True,
                "address": {
                    "address1": "25 Kent Ave",
                    "city": "Brooklyn",
                    "zip": "11249",
                    "province": "New York",
                    "provinceCode": "NY",
                    "country": "United States",
                    "countryCode": "US",
                    "phone": "+12125550100",
                },
            },
            {
                "name": "Los Angeles Store",
                "address": {
                    "address1": "810 S Spring St",
                    "city": "Los Angeles",
                    "zip": "90014",
                    "province": "California",
                    "provinceCode": "CA",
                    "country": "United States",
                    "countryCode": "US",
                    "phone": "+12135550100",
                },
            },
        ),
        regions=US_REGIONS,
        rates={"CAD": Decimal("1.3712"), "GBP": Decimal("0.7641"), "JPY": Decimal("151.37")},
        shipping=(
            ("Standard", "standard", "7.90"),
            ("Express", "express", "19.95"),
            ("Economy", "economy", "4.99"),
        ),
        address={
            "address1": "25 Kent Ave",
            "city": "Brooklyn",
            "zip": "11249",
            "province": "New York",
            "provinceCode": "NY",
            "country": "United States",
            "countryCodeV2": "US",
        },
    ),
    "eu": Profile(
        settings={
            "currency": "EUR",
            "country": "DE",
            "timezone": "Europe/Berlin",
            "taxes_included": True,
            "presentment_currencies": ["EUR", "CHF", "GBP"],
        },
        locations=(
            {
                "name": "Lager Berlin",
                "isPrimary": True,
                "address": {
                    "address1": "Köpenicker Str. 154",
                    "city": "Berlin",
                    "zip": "10997",
                    "country": "Germany",
                    "countryCode": "DE",
                    "phone": "+493055501",
                },
            },
            {
                "name": "Laden Hamburg",
                "address": {
                    "address1": "Schulterblatt 58",
                    "city": "Hamburg",
                    "zip": "20357",
                    "country": "Germany",
                    "countryCode": "DE",
                    "phone": "+494055501",
                },
            },
        ),
        regions=EU_REGIONS,
        rates={"CHF": Decimal("0.9387"), "GBP": Decimal("0.8352")},
        shipping=(
            ("DHL Paket", "dhl_paket", "4.90"),
            ("DHL Express", "dhl_express", "14.90"),
            ("DPD Classic", "dpd_classic", "5.90"),
        ),
        cash_on_delivery="Bank Deposit",
        address={
            "address1": "Köpenicker Str. 154",
            "city": "Berlin",
            "zip": "10997",
            "country": "Germany",
            "countryCodeV2": "DE",
        },
    ),
    "blank": Profile(settings={}),
}
DEFAULT_PROFILES = {"sandbox-us.myshopify.com": "us", "sandbox-eu.myshopify.com": "eu"}
TIMEZONES = {"America/New_York": ("EST", "-0500", -300), "Europe/Berlin": ("CET", "+0100", 60)}


def new_shop(domain: str, profile_name: str) -> Shop:
    """A shop of a profile, with its own record and locations but without a catalogue.

    :raises KeyError: unknown profile
    """
    profile = PROFILES[profile_name]
    title = domain.removesuffix(".myshopify.com").replace("-", " ").title()
    shop = Shop(domain, Settings(name=title, **profile.settings), profile_name)
    describe(shop)
    for location in profile.locations:
        shop.load(
            [
                {
                    "__typename": "Location",
                    "id": shop.store.new_gid("Location"),
                    "isActive": True,
                    "fulfillsOnlineOrders": True,
                    "shipsInventory": True,
                    **location,
                }
            ]
        )
    return shop


def describe(shop: Shop) -> None:
    """Write the settings into the shop's own record, which ``shop { ... }`` reads."""
    settings, profile = shop.settings, PROFILES[shop.profile]
    abbreviation, offset, minutes = TIMEZONES.get(settings.timezone, ("UTC", "+0000", 0))
    domain = {
        "__typename": "Domain",
        "id": "gid://shopify/Domain/1",
        "host": shop.domain,
        "url": f"https://{shop.domain}",
        "sslEnabled": True,
    }
    shop.load(
        [
            {
                "__typename": "Shop",
                "id": shop.gid,
                "name": settings.name,
                "email": f"owner@{shop.domain}",
                "contactEmail": f"hello@{shop.domain}",
                "shopOwnerName": "Sam Owner",
                "myshopifyDomain": shop.domain,
                "primaryDomain": domain,
                "url": f"https://{shop.domain}",
                "currencyCode": settings.currency,
                "enabledPresentmentCurrencies": settings.presentment_currencies
                or [settings.currency],
                "ianaTimezone": settings.timezone,
                "timezoneAbbreviation": abbreviation,
                "timezoneOffset": offset,
                "timezoneOffsetMinutes": minutes,
                "taxesIncluded": settings.taxes_included,
                "taxShipping": profile.tax_shipping,
                "unitSystem": "IMPERIAL_SYSTEM" if settings.country == "US" else "METRIC_SYSTEM",
                "weightUnit": "POUNDS" if settings.country == "US" else "KILOGRAMS",
                "orderNumberFormatPrefix": settings.order_prefix,
                "orderNumberFormatSuffix": "",
                "shipsToCountries": sorted({region.country_code for region in profile.regions}),
                "plan": {
                    "partnerDevelopment": False,
                    "publicDisplayName": settings.plan,
                    "displayName": settings.plan,
                    "shopifyPlus": settings.plan == "Plus",
                },
                "shopAddress": {
                    "__typename": "ShopAddress",
                    "id": "gid://shopify/ShopAddress/1",
                    **profile.address,
                },
            }
        ]
    )
