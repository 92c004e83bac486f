import pytest

from shopify_connector.mappers.address import Address, map_address
from shopify_connector.mappers.customer import (
    map_company,
    map_customer,
    normalise_email,
    normalise_phone,
)

TORONTO = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "name": "Ada Lovelace",
    "company": None,
    "address1": "123 Queen St. W",
    "address2": None,
    "city": "Toronto",
    "zip": "M5H 2M9",
    "province": "Ontario",
    "provinceCode": "ON",
    "country": "Canada",
    "countryCodeV2": "CA",
    "phone": "+1 416-555-0101",
}


def test_address_is_mapped_as_written():
    assert map_address(TORONTO) == Address(
        first_name="Ada",
        last_name="Lovelace",
        name="Ada Lovelace",
        address1="123 Queen St. W",
        city="Toronto",
        zip="M5H 2M9",
        province="Ontario",
        province_code="ON",
        country="Canada",
        country_code="CA",
        phone="+1 416-555-0101",
    )


def test_no_address_is_none():
    assert map_address(None) is None
    assert map_address({}) is None
    assert map_address(dict.fromkeys(TORONTO)) is None


@pytest.mark.parametrize(
    ("country", "code", "expected"),
    [
        ("CA", None, "CA"),
        ("ca", None, "CA"),
        ("Canada", None, ""),
        ("x", "ZZ", ""),
        (None, "ca", "CA"),
    ],
)
def test_country_code(country, code, expected):
    address = map_address({**TORONTO, "country": country, "countryCodeV2": code})
    assert address.country_code == expected


def test_key_ignores_case_spaces_punctuation_and_phone():
    same = {
        "name": " ADA  lovelace",
        "address1": "123 queen st w ",
        "city": "TORONTO",
        "zip": "m5h2m9",
        "provinceCode": "on",
        "countryCodeV2": "CA",
        "phone": "000",
    }
    assert map_address(same).key == map_address(TORONTO).key


@pytest.mark.parametrize(
    "other", [{"address2": "Suite 400"}, {"zip": "M5H 2M8"}, {"company": "Acme"}, {"name": "Bob"}]
)
def test_key_tells_addresses_apart(other):
    assert map_address({**TORONTO, **other}).key != map_address(TORONTO).key


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" Ada@Example.COM ", "ada@example.com"),
        ("mailto:a@b.c", "a@b.c"),
        (None, ""),
        ("nobody", ""),
        ("@b.c", ""),
    ],
)
def test_email(text, expected):
    assert normalise_email(text) == expected


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("+1 (416) 555-0101", None, "+14165550101"),
        ("0049 30 12.34.56", None, "+4930123456"),
        ("030 123456", "DE", "+4930123456"),
        ("+49 (0)30 123456", "FR", "+4930123456"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("416.555.0101", "US", "+14165550101"),
        ("1 416 555 0101", "CA", "+14165550101"),
        ("49 30 12345678", "DE", "+493012345678"),
        ("030 123456", None, "030123456"),
        ("030 123456", "XK", "030123456"),
        ("416 555 0101 ext. 12", "US", "+14165550101"),
        ("12", "US", ""),
        ("unknown", "US", ""),
        (None, "US", ""),
    ],
)
def test_phone(text, country, expected):
    assert normalise_phone(text, country) == expected


def test_customer():
    customer = map_customer(
        {
            "id": "gid://shopify/Customer/1",
            "firstName": "Ada",
            "lastName": None,
            "displayName": "Ada",
            "defaultEmailAddress": {
                "emailAddress": "ADA@example.com",
                "marketingState": "SUBSCRIBED",
            },
            "defaultPhoneNumber": {
                "phoneNumber": "+14165550101",
                "smsMarketingConsent": {"state": "NOT_SUBSCRIBED"},
            },
            "tags": ["vip"],
            "locale": "en-CA",
            "taxExempt": True,
            "taxSettings": {"taxId": "DE123"},
            "verifiedEmail": True,
            "state": "ENABLED",
            "defaultAddress": TORONTO,
            "addressesV2": {"nodes": [TORONTO, None]},
        }
    )
    assert (customer.name, customer.email, customer.phone) == (
        "Ada",
        "ada@example.com",
        "+14165550101",
    )
    assert (customer.email_consent, customer.sms_consent) == ("subscribed", "not_subscribed")
    assert (customer.tax_exempt, customer.tax_id, customer.state) == (True, "DE123", "enabled")
    assert customer.addresses == (customer.default_address,)


def test_customer_whose_data_is_withheld():
    customer = map_customer(
        {
            "id": "gid://shopify/Customer/1",
            "displayName": "",
            "defaultEmailAddress": None,
            "defaultPhoneNumber": None,
            "taxSettings": None,
            "defaultAddress": None,
        }
    )
    assert (customer.name, customer.email, customer.default_address) == ("", "", None)
    assert map_customer(None) is None


def test_company():
    company = map_company(
        {
            "company": {"id": "gid://shopify/Company/1", "name": "Acme", "externalId": "C-1"},
            "location": {
                "id": "gid://shopify/CompanyLocation/2",
                "name": "Berlin",
                "externalId": None,
                "taxSettings": {"taxRegistrationId": "DE123", "taxExempt": False},
            },
            "contact": None,
        }
    )
    assert (company.name, company.external_id, company.tax_id) == ("Acme", "C-1", "DE123")
    assert (company.location_name, company.contact_gid) == ("Berlin", "")


@pytest.mark.parametrize("entity", [None, {}, {"__typename": "Customer"}])
def test_no_company_bought(entity):
    assert map_company(entity) is None
