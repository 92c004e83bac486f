"""People: names, addresses and accounts of customers."""

import random

from .profiles import Profile, Region
from .shop import Shop
from .store import Ref

FIRST = [
    "Ada",
    "Ben",
    "Carla",
    "David",
    "Elena",
    "Farid",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Kira",
    "Liam",
    "Mona",
    "Noah",
    "Olga",
    "Paul",
    "Quinn",
    "Rosa",
    "Samir",
    "Tessa",
    "Uwe",
    "Vera",
    "Will",
    "Xenia",
    "Yara",
    "Zoe",
    "José",
    "Zoë",
    "Bjørn",
    "Anaïs",
]
LAST = [
    "Abel",
    "Brandt",
    "Costa",
    "Diaz",
    "Evans",
    "Fischer",
    "García",
    "Huber",
    "Ivanov",
    "Jensen",
    "Keller",
    "Lopez",
    "Müller",
    "Novak",
    "O'Brien",
    "Peters",
    "Quist",
    "Rossi",
    "Silva",
    "Tanaka",
    "Ueda",
    "Vogel",
    "Weber",
    "Xu",
    "Young",
    "Ziegler",
    "Ångström",
    "Łukasz",
]
STREETS = (
    "Mill Lane",
    "Harbour Road",
    "Oak Street",
    "Station Square",
    "Rue du Four",
    "Lindenallee",
    "Via Roma",
    "Kerkstraat",
    "Elm Avenue",
    "Bergweg",
)


def pick_region(rng: random.Random, profile: Profile) -> Region:
    return rng.choices(profile.regions, [region.weight for region in profile.regions])[0]


def address(shop: Shop, rng: random.Random, region: Region, person: tuple[str, str]) -> dict:
    city, code = rng.choice(region.cities)
    first, last = person
    company = f"{last} {rng.choice(('Studio', 'GmbH', 'LLC'))}" if rng.random() < 0.1 else None
    return {
        "id": shop.store.new_gid("MailingAddress") + "?model_name=Address",
        "firstName": first,
        "lastName": last,
        "name": f"{first} {last}",
        "company": company,
        "address1": f"{rng.randint(1, 240)} {rng.choice(STREETS)}",
        "address2": f"Apt {rng.randint(1, 40)}" if rng.random() < 0.25 else None,
        "city": city,
        "zip": code,
        "province": region.province,
        "provinceCode": region.province_code,
        "country": region.country,
        "countryCodeV2": region.country_code,
        "phone": phone(rng, region) if rng.random() < 0.6 else None,
    }


def phone(rng: random.Random, region: Region) -> str:
    return f"{region.phone}{rng.randint(0, 9999):04d}"


def person(rng: random.Random) -> tuple[str, str]:
    return rng.choice(FIRST), rng.choice(LAST)


def email(rng: random.Random, who: tuple[str, str]) -> str:
    plain = "".join(c for c in f"{who[0]}.{who[1]}".lower() if c.isascii() and c not in "' ")
    return f"{plain}.{rng.randint(1, 999_999)}@example.com"


def new_customer(shop: Shop, rng: random.Random, region: Region) -> dict:
    """Register a customer with an address; returns the stored object."""
    who = person(rng)
    gid = shop.store.new_gid("Customer")
    mail = email(rng, who)
    home = address(shop, rng, region, who)
    now = shop.now()
    marketing = rng.choice(("SUBSCRIBED", "NOT_SUBSCRIBED"))
    return shop.store.put(
        gid,
        "Customer",
        {
            "firstName": who[0],
            "lastName": who[1],
            "email": mail,
            "phone": home["phone"],
            "defaultEmailAddress": {"emailAddress": mail, "marketingState": marketing},
            "defaultPhoneNumber": {"phoneNumber": home["phone"]} if home["phone"] else None,
            "defaultAddress": home,
            "addresses": [home],
            "addressesV2": [home],
            "state": "ENABLED",
            "tags": [],
            "createdAt": now,
            "updatedAt": now,
            "_region": _region_key(region),
        },
    )


def _region_key(region: Region) -> str:
    return f"{region.country_code}/{region.province_code or ''}"


def region_of(customer: dict, profile: Profile, rng: random.Random) -> Region:
    for region in profile.regions:
        if _region_key(region) == customer.get("_region"):
            return region
    return pick_region(rng, profile)


def reference(customer: dict) -> Ref:
    return Ref(customer["id"])
