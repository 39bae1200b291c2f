"""Nothing outside the writable roots changes, however it is tried, and nobody remounts anything."""

from __future__ import annotations

import os

import pytest

from app_server.protocol.permissions import SandboxPolicy
from app_server.sandbox.probe import Mechanism
from tests.sandbox.attempts import MOUNTS, WRITES_OUTSIDE, Attempt
from tests.sandbox.conftest import MakeStage
from tests.sandbox.stage import BREACH, READ_ONLY, Stage, read_to_end, snapshot, spawn

pytestmark = pytest.mark.sandbox


def _seen(stage: Stage) -> dict[str, tuple[object, ...]]:
    """The outside, and that the workspace is where it was."""
    return {**snapshot(stage.outside), "base": (sorted(os.listdir(stage.base)),)}


@pytest.fixture
def _a_way_out(request: pytest.FixtureRequest) -> None:
    for name in ("stage", "any_stage", "open_stage"):
        if name in request.fixturenames:
            stage: Stage = request.getfixturevalue(name)
            (stage.workspace / "escape").symlink_to(stage.outside)


@pytest.mark.usefixtures("_a_way_out")
@pytest.mark.parametrize("attempt", WRITES_OUTSIDE, ids=lambda attempt: attempt.name)
class TestWritingOutside:
    def test_is_stopped_in_a_writable_workspace(self, stage: Stage, attempt: Attempt) -> None:
        before = _seen(stage)
        stage.python(attempt.source)
        assert _seen(stage) == before

    def test_is_stopped_under_the_read_only_policy(
        self, any_stage: Stage, attempt: Attempt
    ) -> None:
        before = {**_seen(any_stage), **snapshot(any_stage.workspace)}
        any_stage.python(attempt.source, READ_ONLY)
        assert {**_seen(any_stage), **snapshot(any_stage.workspace)} == before

    def test_would_work_without_a_sandbox(self, open_stage: Stage, attempt: Attempt) -> None:
        before = _seen(open_stage)
        done = open_stage.python(attempt.source)
        if attempt.name == "through_process_1" and "PermissionError" in done.output:
            pytest.skip("process 1 of this machine is closed to this user anyway")
        assert _seen(open_stage) != before, done.output


@pytest.mark.parametrize("attempt", MOUNTS, ids=lambda attempt: attempt.name)
def test_mounts_and_devices_stay_out_of_reach(
    any_stage: Stage, policy: SandboxPolicy, attempt: Attempt
) -> None:
    before = _seen(any_stage)
    done = any_stage.python(attempt.source, policy)
    assert BREACH not in done.output
    assert _seen(any_stage) == before


@pytest.mark.parametrize("name", ["named_pipe"])
def test_a_named_pipe_outside_is_not_written_where_landlock_helps(
    any_stage: Stage, name: str
) -> None:
    if any_stage.mechanism == "bubblewrap":
        pytest.skip("bubblewrap has no Landlock: mounts do not hold named pipes")
    path = any_stage.outside / name
    os.mkfifo(path)
    os.chown(path, any_stage.uid, any_stage.uid)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    any_stage.python(
        f"os.write(os.open({str(path)!r}, os.O_WRONLY | os.O_NONBLOCK), b'x')", READ_ONLY
    )
    assert os.read(reading, 10) == b""
    os.close(reading)


@pytest.mark.parametrize("mechanism", ["namespaces", "landlock"])
def test_a_descriptor_left_open_by_the_caller_is_closed(
    make_stage: MakeStage, mechanism: Mechanism
) -> None:
    """bubblewrap closes none: there the process service passes on only what it is told to."""
    stage: Stage = make_stage(mechanism, os.geteuid())
    folder = os.open(stage.outside, os.O_RDONLY)
    command = stage.prepared(["/bin/sh", "-c", "ls /proc/self/fd"], READ_ONLY)
    reading, writing = os.pipe()
    nothing = os.open(os.devnull, os.O_RDONLY)
    pid = spawn(command, stage.uid, nothing, writing, {17: folder})
    for fd in (writing, nothing, folder):
        os.close(fd)
    output = read_to_end(reading, pid)
    os.close(reading)
    os.waitpid(pid, 0)
    assert output.split() == ["0", "1", "2", "3"]  # the last one is ls reading the folder


def test_a_command_inherits_nothing_but_its_streams(any_stage: Stage) -> None:
    assert any_stage.shell("ls /proc/self/fd", READ_ONLY).output.split() == ["0", "1", "2", "3"]
