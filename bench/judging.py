"""Deciding about a command: what a call costs before it runs, and what files of rules cost."""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.figures import Figure
from bench.programs import Model, Program

RUNS = 200
RULES = 200
SCRIPT = "cd src && cat a | head -n 3 | wc -l && rg -n 'foo bar' src"


def measure(programs: list[Program], model: Model) -> list[Figure]:
    """Of the other program there is nothing to see from outside."""
    from app_server.agent.tools.requirement import CommandCall, requirement
    from app_server.execpolicy import load
    from app_server.protocol.permissions import WorkspaceWriteSandboxPolicy

    call = CommandCall(
        call_id="c", argv=("/bin/bash", "-lc", SCRIPT), command=SCRIPT, cwd=Path("/w")
    )
    judged = Figure(f"deciding about a command, {RULES} rules", "ms", "1 ms")
    first = Figure(f"a file of {RULES} rules, worked out", "ms")
    again = Figure(f"a file of {RULES} rules, known", "ms")
    with TemporaryDirectory() as folder:
        text = f'[prefix_rule(["git", str(n)], match = ["git %d" % n]) for n in range({RULES})]\n'
        (Path(folder) / "a.rules").write_text(text)
        for _ in range(5):
            load._known.clear()
            first.add("ours", _milliseconds(lambda: load.load_rules([Path(folder)])))
            again.add("ours", _milliseconds(lambda: load.load_rules([Path(folder)])))
        rules = load.load_rules([Path(folder)]).rules
    policy = WorkspaceWriteSandboxPolicy()
    for _ in range(RUNS):
        spent = _milliseconds(lambda: requirement(call, "on-request", policy, rules))
        judged.add("ours", spent)
    return [judged, first, again]


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000
