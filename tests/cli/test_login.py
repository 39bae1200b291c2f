"""`codex login` and `codex logout`, as a script would call them."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.issuer import Issuer

REVOKE = "CODEX_REFRESH_TOKEN_URL_OVERRIDE"
KEY = "sk-test-0123456789"


def codex(
    *words: str, home: Path, given: str = "", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    own = {"PATH": os.defpath, "HOME": str(home.parent), "CODEX_HOME": str(home)}
    environment = {**own, **(environment or {})}
    if REVOKE in os.environ:
        environment[REVOKE] = os.environ[REVOKE]
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
    assert codex("logout", home=codex_home).stderr == "Successfully logged out\n"
    assert codex("login", "status", home=codex_home).returncode == 1


def test_something_that_is_not_a_key_is_refused(codex_home: Path) -> None:
    done = codex("login", "--with-api-key", home=codex_home, given="two words")
    assert done.returncode == 1
    assert "not an API key" in done.stderr
    assert not (codex_home / "auth.json").exists()


def test_bytes_that_are_no_text_are_no_key_either(codex_home: Path) -> None:
    call = [sys.executable, "-m", "app_server.cli.main", "login", "--with-api-key"]
    environment = {
        "PATH": os.defpath,
        "CODEX_HOME": str(codex_home),
        "PYTHONIOENCODING": "utf-8:strict",
    }
    done = subprocess.run(call, input=b"sk-\xff\xfe", env=environment, capture_output=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[1:] == [b"codex login: that is not an API key"]


def test_a_home_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = codex("login", "status", home=tmp_path / "missing")
    assert done.returncode == 1
    assert "CODEX_HOME" in done.stderr
    assert str(tmp_path / "missing") in done.stderr


def test_a_device_code_signs_in_where_no_browser_can_open(codex_home: Path, issuer: Issuer) -> None:
    done = codex("login", "--experimental_issuer", issuer.url, home=codex_home)
    assert "No browser can be opened here" in done.stderr
    assert "ABCD-1234" in done.stderr
    assert done.stderr.endswith("Successfully logged in\nuser@example.com, plan: pro\n")
    assert done.returncode == 0
    stored = json.loads((codex_home / "auth.json").read_text())
    assert (stored["auth_mode"], stored["tokens"]["account_id"]) == ("chatgpt", "acct-1")
    assert stored["tokens"]["refresh_token"] not in done.stderr
    status = codex("login", "status", home=codex_home)
    assert status.returncode == 0
    assert status.stderr == (
        f"Logged in using ChatGPT\nuser@example.com, plan: pro\nFrom {codex_home}/auth.json\n"
    )


def test_signing_out_gives_the_tokens_back(codex_home: Path, issuer: Issuer) -> None:
    codex("login", "--device-auth", "--experimental_issuer", issuer.url, home=codex_home)
    token = json.loads((codex_home / "auth.json").read_text())["tokens"]["refresh_token"]
    assert codex("logout", home=codex_home).stderr == "Successfully logged out\n"
    assert [each.body["token"] for each in issuer.asked if each.path == "/oauth/revoke"] == [token]
    assert not (codex_home / "auth.json").exists()


@pytest.mark.parametrize("mode", ["keyring", "auto", "ephemeral"])
def test_signing_out_works_without_a_keyring(codex_home: Path, mode: str) -> None:
    (codex_home / "config.toml").write_text(f'cli_auth_credentials_store = "{mode}"\n')
    if mode == "auto":
        codex("login", "--with-api-key", home=codex_home, given=KEY)
        assert (codex_home / "auth.json").exists()
    done = codex("logout", home=codex_home)
    assert "Traceback" not in done.stderr
    assert not (codex_home / "auth.json").exists()


def test_a_service_that_answers_with_a_web_page_is_named_not_quoted(
    codex_home: Path, issuer: Issuer
) -> None:
    issuer.refuse("/api/accounts/deviceauth/token", 502, "<html>secret detail</html>")
    done = codex("login", "--device-auth", "--experimental_issuer", issuer.url, home=codex_home)
    assert done.returncode == 1
    assert "device auth failed with status 502 Bad Gateway" in done.stderr
    assert "html" not in done.stderr


def test_the_forced_way_of_signing_in_holds_on_the_command_line(codex_home: Path) -> None:
    (codex_home / "config.toml").write_text('forced_login_method = "chatgpt"\n')
    done = codex("login", "--with-api-key", home=codex_home, given=KEY)
    assert (done.returncode, "API key login is disabled" in done.stderr) == (1, True)
    (codex_home / "config.toml").write_text('forced_login_method = "api"\n')
    done = codex("login", "--device-auth", home=codex_home)
    assert (done.returncode, "ChatGPT login is disabled" in done.stderr) == (1, True)


def test_a_key_on_the_command_line_itself_is_refused(codex_home: Path) -> None:
    done = codex("login", "--api-key", KEY, home=codex_home)
    assert done.returncode == 1
    assert "codex login --with-api-key" in done.stderr
    assert KEY not in done.stdout + done.stderr
    assert not (codex_home / "auth.json").exists()


def test_a_key_in_the_environment_that_wins_over_the_stored_one_is_named(codex_home: Path) -> None:
    environment = {"CODEX_API_KEY": "sk-other"}
    done = codex("login", "--with-api-key", home=codex_home, given=KEY, environment=environment)
    assert done.returncode == 0
    assert "CODEX_API_KEY is set in your environment, and is used instead" in done.stderr


def test_no_key_on_stdin_is_told(codex_home: Path) -> None:
    done = codex("login", "--with-api-key", home=codex_home, given="\n")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        1,
        "No API key provided via stdin.",
    )


def test_status_says_where_a_key_comes_from_and_logout_that_it_stays(codex_home: Path) -> None:
    status = codex("login", "status", home=codex_home, environment={"OPENAI_API_KEY": KEY})
    assert status.stderr == (
        "Logged in using an API key - sk-test-***56789\n"
        "From the environment variable OPENAI_API_KEY\n"
    )
    done = codex("logout", home=codex_home, environment={"OPENAI_API_KEY": KEY})
    assert done.stderr.startswith("Not logged in\nThe key in OPENAI_API_KEY stays in use")
