import pytest

from devenv import database, lint, paths
from devenv import test as runner

UNIT = "devenv/tests/test_commands.py"
ODOO = "shopify_connector/tests"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-k", "money"], ([], [], ["-k", "money"])),
        ([UNIT], ([UNIT], [], [])),
        ([f"{UNIT}::test_x", "-x"], ([f"{UNIT}::test_x"], [], ["-x"])),
        ([ODOO, UNIT], ([UNIT], [ODOO], [])),
        (["shopify_connector/tests/unit"], (["shopify_connector/tests/unit"], [], [])),
    ],
)
def test_paths_choose_the_kind_of_run(arguments, expected):
    assert runner._split(arguments) == expected


def test_xml_is_checked_against_odoos_grammar(tmp_path):
    (tmp_path / "good.xml").write_text('<odoo><record id="a" model="res.partner"/></odoo>')
    (tmp_path / "bad.xml").write_text('<odoo><recrod id="a" model="res.partner"/></odoo>')
    (tmp_path / "broken.xml").write_text("<odoo><record></odoo>")
    problems = lint.check_xml(tmp_path)
    assert {problem.split(":")[0].rpartition("/")[2] for problem in problems} == {
        "bad.xml",
        "broken.xml",
    }


def test_template_follows_what_an_installation_reads(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "ADDON", tmp_path)
    for name in ("models/a.py", "views/a.xml", "tests/test_a.py", "client/c.py", "README.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    names = [str(path.relative_to(tmp_path)) for path in database.installed_files()]
    assert names == ["models/a.py", "views/a.xml"]
