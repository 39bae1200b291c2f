"""A long command is taken apart once, and beside the event loop."""

import threading
from collections import Counter
from pathlib import Path

import pytest

from app_server.agent.tools.guarded_run import command_item
from app_server.agent.tools.long_commands import SHORT_COMMAND_CHARS, look_at
from app_server.agent.tools.requirement import CommandCall, requirement
from app_server.execpolicy import shell_split
from app_server.execpolicy.amend import objection, propose
from app_server.execpolicy.rules import RuleSet
from app_server.protocol.permissions import WorkspaceWriteSandboxPolicy


@pytest.mark.parametrize("script", ["touch {}; ls", "x=1 touch {} > log", "cat <<'END'\n{}\nEND"])
def test_whoever_asks_about_a_script_shares_one_reading(
    script: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    read: Counter[str] = Counter()
    reading = shell_split.read_script

    def counted(text: str) -> shell_split.Script:
        read[text] += 1
        return reading(text)

    monkeypatch.setattr(shell_split, "read_script", counted)
    # A text of its own, so that no test before it has had it read.
    argv = ("/bin/bash", "-lc", script.format(request.node.name))
    call = CommandCall(call_id="1", argv=argv, command="", cwd=Path("/"))
    command_item(call)
    requirement(call, "untrusted", WorkspaceWriteSandboxPolicy(), RuleSet())
    propose(argv)
    objection(argv, ["touch"])
    assert list(read.values()) == [1]


@pytest.mark.parametrize(("length", "beside"), [(10, False), (SHORT_COMMAND_CHARS + 1, True)])
async def test_only_a_long_command_is_looked_at_beside_the_loop(length: int, beside: bool) -> None:
    here = threading.get_ident()
    assert await look_at(["sh", "x" * length], lambda: threading.get_ident() != here) == beside
