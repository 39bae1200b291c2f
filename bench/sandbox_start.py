"""What a sandbox costs a command that does nothing: by mechanism, and as others call it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from app_server.exec_server.mount_points import hold, release
from app_server.protocol.permissions import ReadOnlySandboxPolicy, WorkspaceWriteSandboxPolicy
from app_server.sandbox import probe
from app_server.sandbox.launch import prepare
from app_server.sandbox.trial import attempt
from bench.figures import Figure
from bench.programs import Model, Program

RUNS = 25
TRUE = "/bin/true"
HELPER = "codex-linux-sandbox"
PROFILE = (
    '{"type":"managed","file_system":{"type":"restricted","entries":['
    '{"path":{"type":"special","value":{"kind":"root"}},"access":"read"}]},"network":"restricted"}'
)

Mechanism = Literal["bubblewrap", "namespaces", "landlock"]
BUDGETS: Mapping[Mechanism, str] = {
    "bubblewrap": "<= 0.4x, plain + 15 ms",
    "namespaces": "plain + 60 ms",
    "landlock": "plain + 60 ms",
}


def measure(programs: list[Program], _: Model) -> list[Figure]:
    figures = []
    probe.facts()
    plain = Figure("`true`, plain", "ms", "")
    _fill(plain, "ours", partial(attempt, [TRUE], {}, {}))
    figures.append(plain)
    native = _by_its_name(next((p for p in programs if p.name == "original"), None))
    for mechanism, budget in BUDGETS.items():
        figure = Figure(f"`true`, prepared and run: {mechanism}", "ms", budget)
        if _works(mechanism):
            _fill(figure, "ours", partial(_run, mechanism))
        if native is not None:
            _fill(figure, "original", partial(_call, native))
        figures.append(figure)
    called = Figure(f"`true` by {HELPER}", "ms", "<= 1.0x")
    ours = Path(sys.executable).with_name(HELPER)
    if ours.exists():
        _fill(called, "ours", partial(_call, str(ours)))
    if native is not None:
        _fill(called, "original", partial(_call, native))
    return [*figures, called]


def _fill(figure: Figure, name: str, once: Callable[[], object]) -> None:
    for _ in range(RUNS):
        began = time.monotonic()
        once()
        figure.add(name, (time.monotonic() - began) * 1000)


def _works(mechanism: Mechanism) -> bool:
    if mechanism == "bubblewrap":
        return probe.facts().mechanism == "bubblewrap"
    return (probe.try_namespaces() if mechanism == "namespaces" else probe.try_landlock()).works


def _run(mechanism: Mechanism) -> None:
    policy = ReadOnlySandboxPolicy() if mechanism == "landlock" else WorkspaceWriteSandboxPolicy()
    folder = os.getcwd()
    prepared = prepare(policy, [TRUE], folder, {"PATH": "/usr/bin:/bin"}, mechanism=mechanism)
    held = [(path, hold(path)) for path in prepared.mount_points]
    done = attempt(prepared.argv, prepared.env, prepared.inherited_data)
    for path, fd in held:
        release(path, fd)
    assert done.works, done.complaint


def _call(program: str) -> None:
    here = os.getcwd()
    words: Sequence[str] = (
        *(program, "--sandbox-policy-cwd", here, "--command-cwd", here),
        *("--permission-profile", PROFILE, "--", TRUE),
    )
    done = subprocess.run(words, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def _by_its_name(original: Program | None) -> str | None:
    """A link by which the original is called under the helper's name, beside its working folder.

    The starter script would lose the name, so the link leads to the program behind it.
    """
    if original is None:
        return None
    path = Path(os.path.realpath(original.executable))
    if path.read_bytes()[:4] != b"\x7fELF":
        found = path.parent.parent.parent.glob("codex-linux-*/vendor/*/codex/codex")
        path = next(found, path)
    link = original.cwd.parent / HELPER
    link.unlink(missing_ok=True)
    link.symlink_to(path)
    return str(link)
