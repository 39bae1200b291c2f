"""`codex doctor` tells what is there, what is wrong and what would help, and never a secret."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keyring.backends.fail
import keyring.core
import pytest

from app_server.cli import doctor
from app_server.cli.doctor import CHECKS, Circumstances, Finding, examined
from app_server.cli.main import main
from app_server.cli.options import parse
from app_server.sandbox import probe
from tests.support.repository import mark_repository

SECRET = "sk-very-secret-indeed"


@pytest.fixture
def home(codex_home: Path) -> Path:
    codex_home.chmod(0o700)
    return codex_home


def finding(name: str, workspace: Path, *words: str, **env: str) -> Finding:
    options = parse(["doctor", "-C", str(workspace), *words])
    return CHECKS[name](Circumstances(options, {**os.environ, **env}))


def test_a_sound_machine_is_told_as_such(
    home: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setattr(probe, "facts", lambda: BUBBLEWRAP)
    assert main(["doctor", "-C", str(workspace)]) == 0
    said = capsys.readouterr().out
    lines = [line for line in said.splitlines() if line[:1] in "✓·!✗"]
    assert [line.split()[1] for line in lines if line] == list(CHECKS)
    assert "an API key, from OPENAI_API_KEY" in said
    assert SECRET not in said


def test_a_program_is_told_the_same_in_json(
    home: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setattr(probe, "facts", lambda: NOTHING)
    assert main(["doctor", "-C", str(workspace), "--json"]) == 1
    said = capsys.readouterr().out
    assert SECRET not in said
    told: dict[str, Any] = json.loads(said)
    assert list(told["checks"]) == list(CHECKS)
    assert told["checks"]["sandbox"] == {
        "status": "failure",
        "summary": "commands cannot be confined",
        "details": {"keeps": "nothing", "better one": "bubblewrap is not installed"},
        "remedy": "Install it.",
    }


BUBBLEWRAP = probe.SandboxFacts(
    mechanism="bubblewrap", keeps=frozenset(("read-only", "workspace-write")), program="/bin/bwrap"
)
NOTHING = probe.SandboxFacts(
    mechanism="none", missing="bubblewrap is not installed", remedy="Install it."
)
LANDLOCK = probe.SandboxFacts(
    mechanism="landlock", keeps=frozenset(("read-only",)), missing="no namespaces", remedy="Allow."
)


def test_a_mechanism_that_keeps_less_is_a_warning_with_its_remedy(
    home: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "facts", lambda: LANDLOCK)
    found = finding("sandbox", workspace)
    assert (found.status, found.summary, found.remedy) == ("warning", "landlock", "Allow.")
    assert found.details == {"keeps": "read-only", "better one": "no namespaces"}


def test_a_broken_file_is_named_with_line_and_column(home: Path, workspace: Path) -> None:
    (home / "config.toml").write_text('model = "x"\nsandbox_mode = 3\n')
    found = finding("config", workspace)
    assert found.status == "failure"
    assert f"{home}/config.toml:2:" in found.summary


def test_files_that_count_and_files_that_do_not_are_named(home: Path, workspace: Path) -> None:
    (home / "config.toml").write_text('modell = "x"\n')
    mark_repository(workspace)
    (workspace / ".codex").mkdir()
    (workspace / ".codex" / "config.toml").write_text('model = "y"\n')
    found = finding("config", workspace)
    assert found.status == "warning"
    assert "Nothing is known of the setting `modell`" in found.summary
    assert found.details[f"{home}/config.toml"] == "read"
    assert "trusted" in found.details[f"{workspace}/.codex/config.toml"]


def test_a_home_open_to_others_or_missing_is_told(
    home: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert finding("home", workspace).status == "ok"
    home.chmod(0o755)
    found = finding("home", workspace)
    assert (found.status, found.remedy) == ("warning", f"`chmod 700 {home}`")
    monkeypatch.setenv("CODEX_HOME", str(home / "gone"))
    assert finding("home", workspace).status == "failure"


def test_who_is_not_signed_in_is_told_how_to(home: Path, workspace: Path) -> None:
    found = finding("sign-in", workspace)
    assert (found.status, found.remedy) == ("warning", "Run `codex login`.")
    local = finding("sign-in", workspace, "--oss")
    assert local.status == "note"


def test_a_keyring_is_looked_for_only_where_it_is_used(
    home: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "get_keyring", keyring.backends.fail.Keyring)
    assert finding("keyring", workspace).status == "ok"
    found = [
        finding("keyring", workspace, "-c", f"cli_auth_credentials_store={mode}").status
        for mode in ("auto", "keyring")
    ]
    assert found == ["note", "failure"]


def test_passwords_of_proxies_are_not_told(home: Path, workspace: Path) -> None:
    found = finding("network", workspace, HTTPS_PROXY="http://me:secret@proxy:3128")
    assert found.details["HTTPS_PROXY"] == "http://…@proxy:3128"


def test_a_ca_file_that_is_none_is_a_failure(home: Path, workspace: Path) -> None:
    found = finding("network", workspace, CODEX_CA_CERTIFICATE="/nowhere.pem")
    assert (found.status, found.remedy) == ("failure", "Mend or unset CODEX_CA_CERTIFICATE.")


def test_missing_programs_are_named(home: Path, workspace: Path) -> None:
    found = finding("programs", workspace, PATH="/nowhere")
    assert (found.status, found.details["rg"]) == ("warning", "not found")


def test_a_check_that_breaks_down_does_not_hide_the_others(
    home: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_: Circumstances) -> Finding:
        raise RuntimeError("broken")

    rows = {"first": breaks, "second": lambda _: Finding("ok", "fine")}
    monkeypatch.setattr(doctor, "CHECKS", rows)
    found = examined(Circumstances(parse(["doctor"]), {}))
    assert [one.status for one in found.values()] == ["failure", "ok"]


def test_it_loads_neither_the_interface_nor_the_server(home: Path, workspace: Path) -> None:
    code = (
        "import sys; from app_server.cli.main import main; main(['doctor', '--json'])\n"
        "heavy = ('textual', 'httpx', 'tui', 'app_server.server', 'app_server.threads')\n"
        "print([name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=workspace,
        env={**os.environ, "PYTHONPATH": os.getcwd()}, timeout=30,
    )  # fmt: skip
    assert done.stderr.splitlines()[-1] == "[]", done.stderr
