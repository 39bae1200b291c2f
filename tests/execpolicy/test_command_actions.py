"""What a reader is told a command does: the same as the original says."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app_server.execpolicy.command_actions import command_actions, display_command
from app_server.execpolicy.shell_quote import shell_join

RECORDED: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "recorded_actions.json").read_text()
)


@pytest.mark.parametrize("case", RECORDED, ids=[case["script"] for case in RECORDED])
def test_actions_are_those_the_original_reports(case: dict[str, Any]) -> None:
    argv = ["/bin/bash", "-lc", case["script"]]
    assert msgspec.to_builtins(command_actions(argv, Path("/w"))) == case["actions"]
    assert shell_join(argv) == case["shown"]


def test_a_call_without_a_shell_is_described_too() -> None:
    (action,) = command_actions(["cat", "a b"], Path("/w"))
    assert msgspec.to_builtins(action) == {
        "type": "read",
        "command": "cat 'a b'",
        "name": "a b",
        "path": "/w/a b",
    }
    (action,) = command_actions(["make", "all things"], Path("/w"))
    assert msgspec.to_builtins(action) == {"type": "unknown", "command": "make 'all things'"}


def test_a_script_is_displayed_without_its_shell() -> None:
    assert display_command(["/bin/bash", "-lc", "echo $HOME"]) == "echo $HOME"
    assert display_command(["make", "a b"]) == "make 'a b'"
