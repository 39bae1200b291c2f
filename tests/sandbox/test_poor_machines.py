"""Where something is missing the next best mechanism holds, and says what it cannot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from app_server.sandbox import probe
from tests.sandbox.conftest import USERS, MakeStage, why_not
from tests.sandbox.stage import Stage, read_to_end, spawn

pytestmark = pytest.mark.sandbox

WAIT_SECONDS = 60.0
NO_NAMESPACES = "echo 0 > /proc/sys/user/max_user_namespaces"
NO_RIGHTS = "setpriv --bounding-set=-all --inh-caps=-all --no-new-privs"
MASKED = "mount -t tmpfs none /proc/sysvipc && mount -t tmpfs none /proc/fs"


def found_in(*unshare: str, line: str) -> dict[str, Any]:
    """What is found after a shell line in a machine of its own."""
    program = f"{sys.executable} -m tests.sandbox.poor_machine"
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", *unshare, "sh", "-c", line.format(program)],
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )
    if "unshare failed" in done.stderr or "Operation not permitted" in done.stderr:
        pytest.skip(f"no machine of its own can be made here: {done.stderr}")
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_root_does_without_user_namespaces_where_they_are_used_up() -> None:
    report = found_in(line=f"{NO_NAMESPACES}; exec {{}}")
    assert report["mechanism"] == "namespaces", report
    assert report["breaches"] == []
    assert (report["reading"], report["writing"]) == ("mine", "new\n")
    assert "nesting depth or /proc/sys/user/max_" in report["missing"]


def test_where_all_namespaces_are_refused_landlock_keeps_reading_and_says_so() -> None:
    if why_not("landlock"):
        pytest.skip("Landlock is missing")
    report = found_in(line=f"{NO_NAMESPACES}; exec {NO_RIGHTS} {{}}")
    assert (report["mechanism"], report["keeps"]) == ("landlock", ["read-only"]), report
    assert report["breaches"] == []
    assert report["reading"] == "mine"
    assert report["writing"].startswith("refused: Commands cannot be confined here")
    assert "cannot protect .git, .codex and .agents" in report["writing"]
    assert report["remedy"] == "Allow user namespaces: `sysctl -w user.max_user_namespaces=15000`."


def test_a_proc_with_hidden_parts_as_in_containers_is_no_way_out() -> None:
    if why_not("landlock"):
        pytest.skip("an old /proc is kept only behind Landlock")
    report = found_in("--mount", "--pid", "--fork", "--mount-proc", line=f"{MASKED}; exec {{}}")
    assert report["mechanism"] == "namespaces", report
    assert report["breaches"] == []
    assert (report["reading"], report["writing"]) == ("mine", "new\n")
    assert "proc" in report["missing"]


@pytest.mark.skipif(len(USERS) == 1, reason="only the superuser can be two users")
def test_users_of_one_machine_do_not_hinder_each_other(make_stage: MakeStage) -> None:
    """Both may write in /tmp, where their covers for missing metadata would be the same."""
    mechanism = probe.facts().mechanism
    if mechanism not in ("bubblewrap", "namespaces"):
        pytest.skip("nothing here lets a command write")
    first, second = (make_stage(mechanism, uid) for uid in reversed(USERS))
    command = first.prepared(["/bin/cat"], first.policy(exclude_slash_tmp=False))
    with first.mount_points(command):
        reading, ours = os.pipe()
        theirs, writing = os.pipe()
        os.fchown(writing, first.uid, first.uid)
        pid = spawn(command, first.uid, reading, writing)
        os.close(reading)
        os.close(writing)
        try:
            done = _writes_in_tmp(second)
        finally:
            os.close(ours)
            read_to_end(theirs, pid)
            os.close(theirs)
            os.waitpid(pid, 0)
    assert done == (0, "t\n")
    assert _writes_in_tmp(first) == (0, "t\n")


def _writes_in_tmp(stage: Stage) -> tuple[int, str]:
    name = f"/tmp/{stage.base.name}"
    line = f"echo t > {name} && cat {name} && rm {name}"
    return stage.shell(line, stage.policy(exclude_slash_tmp=False))
