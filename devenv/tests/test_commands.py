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


WITH_MRP = "shopify_connector/tests/with_mrp"
A_KIT = f"{WITH_MRP}/test_kit_stock.py"


@pytest.mark.parametrize(
    ("selected", "expected"),
    [
        ([], {"": [ODOO], "mrp": [WITH_MRP]}),
        ([ODOO], {"": [ODOO], "mrp": [WITH_MRP]}),
        ([f"{ODOO}/test_refund.py"], {"": [f"{ODOO}/test_refund.py"]}),
        ([WITH_MRP], {"mrp": [WITH_MRP]}),
        ([f"{A_KIT}::TestKitStock"], {"mrp": [f"{A_KIT}::TestKitStock"]}),
        ([A_KIT, f"{ODOO}/test_refund.py"], {"": [f"{ODOO}/test_refund.py"], "mrp": [A_KIT]}),
    ],
)
def test_paths_choose_the_modules_that_are_installed(selected, expected):
    assert runner._by_template(selected) == expected


@pytest.fixture
def runs(monkeypatch, tmp_path):
    """What a run of the Odoo tests would do: ``[(template, database, what pytest is told)]``."""
    found = []
    copies = {}
    for name in ("start", "environ"):
        monkeypatch.setattr(runner.postgres, name, dict)
    for name in ("drop", "drop_left_over"):
        monkeypatch.setattr(database, name, lambda _name: None)
    monkeypatch.setattr(runner.config, "write", lambda *_args, **_options: tmp_path / "odoo.conf")
    monkeypatch.setattr(database, "addon_template", lambda beside: f"tmpl_addon{beside}")
    monkeypatch.setattr(database, "copy", lambda source, name: copies.update({name: source}))

    def pytest_run(arguments, _env):
        name = arguments[arguments.index("--odoo-database") + 1]
        found.append((copies[name], name, arguments))
        return runner.NOTHING_COLLECTED if "tmpl_addonmrp" in copies[name] else 0

    monkeypatch.setattr(runner, "_pytest", pytest_run)
    return found


def test_kits_are_tested_in_a_database_of_their_own(runs):
    runner.main(["--odoo"])
    (plain, name, told), (with_mrp, other, told_there) = runs
    assert (plain, with_mrp) == ("tmpl_addon", "tmpl_addonmrp")
    assert name.rpartition("_")[2] == other.rpartition("_")[2] == str(runner.os.getpid())
    assert name != other
    assert f"--ignore={WITH_MRP}" in told
    assert ODOO in told
    assert f"--ignore={WITH_MRP}" not in told_there
    assert WITH_MRP in told_there


def test_selection_that_matches_in_one_of_the_databases_is_fine(runs):
    assert runner.main(["--odoo", "-k", "refund"]) == 0
    assert runner.main([WITH_MRP, "-k", "nothing"]) == runner.NOTHING_COLLECTED
    assert len(runs) == 3


def test_named_databases_do_not_meet(runs):
    runner.main(["--odoo", "--db", "mine"])
    assert [name for _template, name, _told in runs] == ["mine", "mine_mrp"]


def test_old_templates_of_a_set_of_modules_make_way_for_it_alone(monkeypatch):
    asked, dropped = [], []
    monkeypatch.setattr(database, "drop", dropped.append)

    def databases(pattern):
        asked.append(pattern.replace("\\", ""))
        return [f"tmpl_addonmrp_{number}" for number in range(database.KEPT + 2)]

    monkeypatch.setattr(database.postgres, "databases", databases)
    database._forget_old("tmpl_addonmrp_99")
    assert asked == ["tmpl_addonmrp_%"]
    assert dropped == ["tmpl_addonmrp_0", "tmpl_addonmrp_1"]
    assert not any("_" in key for key in database.BESIDE)


def test_template_of_a_set_of_modules_has_them_from_the_start(monkeypatch, tmp_path):
    made = []
    (tmp_path / "odoo").write_text("key")
    monkeypatch.setattr(paths, "STAMPS", tmp_path)
    monkeypatch.setattr(database, "_make", lambda *how: made.append(how))
    names = [database.addon_template(beside) for beside in ("", "mrp")]
    assert len(set(names)) == 2
    plain, addon, with_mrp, addon_with_mrp = made
    assert with_mrp[1:] == ("template0", (*plain[2], "mrp", "sale_mrp"))
    assert addon[1] == plain[0]
    assert addon_with_mrp[1:] == (with_mrp[0], [paths.ADDON.name])


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
