"""`codex login` and `codex logout`, as a script would call them."""

import json
import os
import subprocess
import sys
from pathlib import Path

KEY = "sk-test-0123456789"


def codex(*words: str, home: Path, given: str = "") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.defpath, "HOME": str(home.parent), "CODEX_HOME": str(home)}
    call = [sys.executable, "-m", "app_server.cli.main", *words]
    return subprocess.run(call, input=given, env=environment, capture_output=True, text=True)


def test_a_key_from_stdin_is_stored_for_the_owner_only(codex_home: Path) -> None:
    done = codex("login", "--with-api-key", home=codex_home, given=KEY + "\n")
    stored = codex_home / "auth.json"
    assert done.returncode == 0
    assert json.loads(stored.read_text())["OPENAI_API_KEY"] == KEY
    assert stored.stat().st_mode & 0o777 == 0o600
    assert KEY not in done.stdout + done.stderr


def test_status_and_logout_follow_the_stored_key(codex_home: Path) -> None:
    assert codex("login", "status", home=codex_home).returncode == 1
    codex("login", "--with-api-key", home=codex_home, given=KEY)
    assert "API key" in codex("login", "status", home=codex_home).stderr
    assert codex("logout", home=codex_home).stderr == "Signed out\n"
    assert codex("login", "status", home=codex_home).returncode == 1


def test_something_that_is_not_a_key_is_refused(codex_home: Path) -> None:
    done = codex("login", "--with-api-key", home=codex_home, given="two words")
    assert done.returncode == 1
    assert "not an API key" in done.stderr
    assert not (codex_home / "auth.json").exists()


def test_a_home_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = codex("login", "status", home=tmp_path / "missing")
    assert done.returncode == 1
    assert "CODEX_HOME" in done.stderr
    assert str(tmp_path / "missing") in done.stderr
