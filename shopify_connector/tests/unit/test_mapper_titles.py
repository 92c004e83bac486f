from shopify_connector.mappers.titles import title_key


def test_case_and_white_space_do_not_count():
    assert title_key("  NY  State\u00a0Tax\n") == title_key("ny state tax") == "ny state tax"


def test_other_signs_count():
    assert title_key("VAT (19%)") != title_key("VAT 19%")


def test_nothing():
    assert title_key(None) == title_key(" ") == ""
