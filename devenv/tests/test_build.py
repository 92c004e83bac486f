import pytest

from devenv import build, debian, paths
from devenv.console import DevenvError


def test_everything_that_is_missing_is_named_at_once(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("ODOO_DIR", raising=False)
    with pytest.raises(DevenvError) as caught:
        build.check_machine()
    for tool in ("apt-get", "dpkg", "npm", "ODOO_DIR"):
        assert tool in str(caught.value)


def test_old_python_is_refused(monkeypatch):
    monkeypatch.setattr(build.sys, "version_info", (3, 9, 2))
    with pytest.raises(DevenvError, match=r"Python >= 3\.10 \(found 3\.9\.2\)"):
        build.check_machine()


def test_directory_without_odoo_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("ODOO_DIR", str(tmp_path))
    with pytest.raises(DevenvError, match=r"has no odoo/release\.py"):
        build.check_machine()


INDEX_TARGETS = """\
Packages|http://mirror.example/debian-security/|bookworm-security
Translations|http://mirror.example/debian/|bookworm
Packages|http://mirror.example/debian/|bookworm-updates
Packages|http://mirror.example/debian/|bookworm
"""


@pytest.fixture
def machine(monkeypatch):
    monkeypatch.delenv("DEVENV_DEBIAN_MIRROR", raising=False)
    monkeypatch.setattr(debian, "run", lambda *_args, **_kwargs: INDEX_TARGETS)
    release = {"ID": "debian", "VERSION_CODENAME": "bookworm"}
    monkeypatch.setattr(debian, "_os_release", lambda: release)
    return release


def test_mirror_of_the_machines_own_suite(machine):
    assert debian.machine_mirror() == ("http://mirror.example/debian/", "bookworm")


def test_machine_without_a_debian_mirror_is_told_what_to_set(machine):
    machine["VERSION_CODENAME"] = "noble"
    with pytest.raises(DevenvError, match="DEVENV_DEBIAN_MIRROR"):
        debian.machine_mirror()


def test_mirror_can_be_named(machine, monkeypatch):
    machine.update(ID="ubuntu", VERSION_CODENAME="noble")
    monkeypatch.setenv("DEVENV_DEBIAN_MIRROR", "http://other.example/debian")
    assert debian.machine_mirror() == ("http://other.example/debian", "stable")


def test_newest_package_file_wins(tmp_path):
    for age, name in enumerate(("odoo-19_19.0.1_all.deb", "odoo-19_19.0.0_all.deb")):
        (tmp_path / name).touch()
        debian.os.utime(tmp_path / name, (100 - age, 100 - age))
    assert debian._newest(tmp_path, "odoo-19").name == "odoo-19_19.0.1_all.deb"


def test_schema_of_the_environment_is_complete():
    versions = {path.name.split("_", 1)[1] for path in paths.SCHEMA.glob("admin_*.json.gz")}
    assert "2026-10.json.gz" in versions
    for version in versions:
        assert (paths.SCHEMA / f"offline_scopes_{version.removesuffix('.gz')}").is_file()
