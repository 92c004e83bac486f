import subprocess
import sys

from devenv import paths, stamps


def test_digest_follows_the_content_of_files(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text("a==1")
    before = stamps.digest("x", path)
    path.write_text("a==2")
    assert stamps.digest("x", path) != before


def test_digest_tells_parts_from_their_joint():
    assert stamps.digest("ab", "c") != stamps.digest("a", "bc")


def test_a_step_is_done_for_its_key_only(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "STAMPS", tmp_path / "stamps")
    assert not stamps.is_done("venv", "1")
    stamps.mark_done("venv", "1")
    assert stamps.is_done("venv", "1")
    assert not stamps.is_done("venv", "2")
    stamps.forget("venv")
    assert not stamps.is_done("venv", "1")


def test_lock_keeps_another_process_out(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    attempt = (
        "import fcntl, sys\n"
        f"handle = open({str(tmp_path / 'build.lock')!r}, 'w')\n"
        "fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
    )
    with stamps.locked("build"):
        assert subprocess.run([sys.executable, "-c", attempt], capture_output=True).returncode
    assert subprocess.run([sys.executable, "-c", attempt]).returncode == 0
