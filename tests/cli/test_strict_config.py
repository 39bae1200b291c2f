"""`--strict-config`: no start with settings that hold unknown keys."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def codex(codex_home: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "app_server.cli.main", *words],
        env={**os.environ, "CODEX_HOME": str(codex_home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )


@pytest.mark.parametrize("words", [("app-server", "--strict-config"), ("--strict-config",)])
def test_nothing_is_started_with_a_key_nobody_knows(
    codex_home: Path, words: tuple[str, ...]
) -> None:
    (codex_home / "config.toml").write_text('[tui]\nthem = "x"\n')
    ended = codex(codex_home, *words)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.splitlines()[-2:] == [
        "Error loading config.toml:",
        f"{codex_home}/config.toml:2:8: unknown configuration field `tui.them`; "
        "did you mean `tui.theme`?",
    ]


def test_a_server_starts_with_keys_that_are_known(codex_home: Path) -> None:
    (codex_home / "config.toml").write_text('model = "x"\n')
    ended = codex(codex_home, "app-server", "--strict-config")
    assert (ended.returncode, ended.stdout) == (0, "")
