"""`--strict-config`: no start with settings that hold unknown keys."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app_server.cli.main import main


def test_a_server_is_not_started_with_a_key_nobody_knows(
    codex_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CODEX_HOME", str(codex_home))
    (codex_home / "config.toml").write_text('[tui]\nthem = "x"\n')
    for words in (["app-server", "--strict-config"], ["--strict-config"]):
        assert main(words) == 1
        assert capsys.readouterr().err == (
            f"Error loading config.toml:\n{codex_home}/config.toml:2:8: unknown configuration "
            "field `tui.them`; did you mean `tui.theme`?\n"
        )


def test_a_server_starts_with_keys_that_are_known(codex_home: Path) -> None:
    (codex_home / "config.toml").write_text('model = "x"\n')
    ended = subprocess.run(
        [sys.executable, "-m", "app_server.cli.main", "app-server", "--strict-config"],
        env={**os.environ, "CODEX_HOME": str(codex_home)},
        input=b"",
        capture_output=True,
        timeout=30,
    )
    assert (ended.returncode, ended.stdout) == (0, b"")
