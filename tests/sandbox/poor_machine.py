"""Run inside a machine that lacks something: which mechanism is found there, and what it holds.

Prints one JSON object. Called by `test_poor_machines.py`.
"""

from __future__ import annotations

import json
import os
import sys

from app_server.protocol.permissions import SandboxPolicy
from app_server.sandbox import probe
from app_server.sandbox.errors import SandboxUnavailable
from tests.sandbox.attempts import MOUNTS, WRITES_OUTSIDE
from tests.sandbox.stage import BREACH, READ_ONLY, Stage, snapshot

TRIED = (
    *("writing", "through_a_fresh_link", "through_process_1", "through_own_root", "renaming_in"),
    *("modes", "times", "bind_mount", "remounting_the_root", "mount_attributes"),
    *("new_user_namespace", "clone_into_a_user_namespace", "kernel_settings"),
)


def main() -> None:
    found = probe.facts()
    report: dict[str, object] = {
        "mechanism": found.mechanism,
        "keeps": sorted(found.keeps),
        "missing": found.missing,
        "remedy": found.remedy,
    }
    if found.mechanism != "none":
        stage = Stage(found.mechanism, os.geteuid())
        try:
            keeps_writing = "workspace-write" in found.keeps
            report["breaches"] = _breaches(stage, stage.policy() if keeps_writing else READ_ONLY)
            report["reading"] = stage.shell("cat mine", READ_ONLY).output
            report["writing"] = _writing(stage)
        finally:
            stage.remove()
    sys.stdout.write(json.dumps(report))


def _breaches(stage: Stage, policy: SandboxPolicy) -> list[str]:
    names = []
    for attempt in (*WRITES_OUTSIDE, *MOUNTS):
        if attempt.name in TRIED:
            before = snapshot(stage.outside)
            done = stage.python(attempt.source, policy)
            if BREACH in done.output or snapshot(stage.outside) != before:
                names.append(attempt.name)
    return names


def _writing(stage: Stage) -> str:
    try:
        return stage.shell("echo new > new && cat new").output
    except SandboxUnavailable as refused:
        return f"refused: {refused}"


if __name__ == "__main__":
    main()
