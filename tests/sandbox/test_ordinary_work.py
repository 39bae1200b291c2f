"""What people and programs do all day goes on working inside the sandbox."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path
from typing import NamedTuple

import pytest

from app_server.protocol.permissions import ReadOnlySandboxPolicy
from app_server.sandbox.errors import SandboxUnavailable
from tests.sandbox.stage import LONGEST_RUN_SECONDS, READ_ONLY, Stage

pytestmark = pytest.mark.sandbox


class Work(NamedTuple):
    name: str
    line: str
    expected: str


SHELL = [
    Work("writing", "echo a > new && cat new", "a\n"),
    Work("renaming", "mv mine yours && cat yours", "mine"),
    Work("deleting", "rm mine && ls", "src\n"),
    Work("changing_modes", "chmod 700 mine && stat -c %a mine", "700\n"),
    Work("moving_between_folders", "mv mine src/ && ls src", "mine\n"),
    Work("hard_links_inside", "ln mine other && cat other", "mine"),
    Work("temporary_folder", 'f=$(mktemp) && echo t > "$f" && cat "$f"', "t\n"),
    Work("reading_the_system", "head -c 4 /etc/passwd", "root"),
    Work("null_device", "echo x > /dev/null && echo ok", "ok\n"),
    Work("zero_device", "head -c 3 /dev/zero | wc -c", "3\n"),
    Work("random_device", "head -c 3 /dev/urandom | wc -c", "3\n"),
    Work("pipes", "seq 3 | tac | tr '\\n' ' '", "3 2 1 "),
    Work("background_jobs", "true & wait $! && echo waited", "waited\n"),
    Work("own_signals", "sh -c 'kill -TERM $$'; echo $?", "Terminated\n143\n"),
    Work("error_stream_by_name", "echo e > /dev/stderr", "e\n"),
    Work("own_process_facts", "cat /proc/$$/comm", "sh\n"),
    Work("a_child_that_hangs_is_ended", "timeout 0.05 tail -f /dev/null; echo $?", "124\n"),
]

PYTHON = [
    Work(
        "socket_pairs",
        "import socket; a, b = socket.socketpair(); a.send(b'x'); print(b.recv(1))",
        "b'x'\n",
    ),
    Work(
        "ended_socket_pairs",
        "import socket; a, b = socket.socketpair(); a.shutdown(socket.SHUT_WR); print(b.recv(1))",
        "b''\n",
    ),
    Work(
        "threads",
        "import threading\nt = threading.Thread(target=print, args=('ran',)); t.start(); t.join()",
        "ran\n",
    ),
    Work(
        "shared_memory",
        "from multiprocessing import shared_memory\n"
        "s = shared_memory.SharedMemory(create=True, size=9); s.unlink(); print(s.size)",
        "9\n",
    ),
    Work(
        "several_processes",
        "import multiprocessing as m\n"
        "with m.get_context('fork').Pool(2) as p: print(p.map(abs, [-1, -2]))",
        "[1, 2]\n",
    ),
    Work(
        "pseudo_terminals",
        "import pty; print(pty.spawn(['/bin/sh', '-c', 'test -t 0 && echo terminal']))",
        "terminal\r\n0\n",
    ),
    Work(
        "asyncio_children",
        "import asyncio\n"
        "async def main():\n"
        "    p = await asyncio.create_subprocess_exec('cat', stdin=-1, stdout=-1)\n"
        "    print(await p.communicate(b'through'))\n"
        "asyncio.run(main())",
        "(b'through', None)\n",
    ),
]


@pytest.mark.parametrize("work", SHELL, ids=lambda work: work.name)
def test_shells_go_on_working(stage: Stage, work: Work) -> None:
    assert stage.shell(work.line) == (0, work.expected)


@pytest.mark.parametrize("work", PYTHON, ids=lambda work: work.name)
def test_programs_go_on_working(stage: Stage, work: Work) -> None:
    assert stage.python(work.line) == (0, work.expected)


@pytest.mark.parametrize("code", [0, 1, 42, 255])
def test_exit_codes_pass_through(any_stage: Stage, code: int) -> None:
    assert any_stage.shell(f"exit {code}", READ_ONLY).code == code


@pytest.mark.parametrize(("name", "code"), [("TERM", 143), ("KILL", 137), ("SEGV", 139)])
def test_a_command_ended_by_a_signal_is_told_as_a_shell_tells_it(
    stage: Stage, name: str, code: int
) -> None:
    assert stage.shell(f"kill -{name} $$").code == code


def test_a_program_that_is_missing_fails_with_its_name(any_stage: Stage) -> None:
    done = any_stage.run(["no-such-program"], READ_ONLY)
    assert done.code != 0
    assert "no-such-program" in done.output


def test_git_tells_the_state_of_the_workspace(stage: Stage) -> None:
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is not installed")
    quiet = f"export HOME={stage.tmp}; {git}"
    make = f"{quiet} init -q && {quiet} add mine && {quiet} -c user.name=a -c user.email=b"
    Stage.run(_without_sandbox(stage), ["/bin/sh", "-c", f"{make} commit -qm first"])
    stage.own()
    assert stage.shell(f"echo more >> mine; {quiet} status --porcelain") == (0, " M mine\n")


def _without_sandbox(stage: Stage) -> Stage:
    same = Stage.__new__(Stage)
    same.__dict__.update(stage.__dict__, mechanism=None)
    return same


def test_the_shared_temporary_folder_may_be_written_and_is_left_clean(stage: Stage) -> None:
    name = stage.base.name
    done = stage.shell(
        f"echo t > /tmp/{name} && cat /tmp/{name} && rm /tmp/{name}",
        stage.policy(exclude_slash_tmp=False),
    )
    assert done == (0, "t\n")


def test_a_further_root_may_be_written(stage: Stage) -> None:
    policy = stage.policy(writable_roots=[str(stage.outside)])
    assert stage.shell(f"echo new > {stage.outside}/kept", policy).code == 0
    assert (stage.outside / "kept").read_text() == "new\n"


def test_an_allowed_network_is_reached(any_stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(LONGEST_RUN_SECONDS)
        port = server.getsockname()[1]
        policy = ReadOnlySandboxPolicy(network_access=True)
        connect = f"import socket; socket.create_connection(('127.0.0.1', {port}))"
        try:
            done = any_stage.python(connect, policy)
        except SandboxUnavailable as refused:
            if any_stage.mechanism != "landlock":
                raise
            pytest.skip(f"something listens on this machine: {refused}")
        assert done == (0, "")
        server.accept()[0].close()


def test_the_environment_arrives_whole(any_stage: Stage) -> None:
    done = any_stage.shell("env", READ_ONLY, LD_LIBRARY_PATH="/nowhere", SECRET="a b\tc")
    lines = done.output.splitlines()
    assert "LD_LIBRARY_PATH=/nowhere" in lines
    assert "SECRET=a b\tc" in lines
    assert "CODEX_SANDBOX_NETWORK_DISABLED=1" in lines


def test_node_ends_the_input_of_its_children(stage: Stage) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    source = (
        "const c = require('child_process').spawn('cat', {stdio: ['pipe', 'inherit', 'inherit']});"
        "c.stdin.end('through')"
    )
    assert stage.run([node, "-e", source]) == (0, "through")


def test_folders_may_have_odd_names(stage: Stage) -> None:
    odd = stage.base / "-a b\n'ü$(x)"
    (odd / ".git" / "hooks").mkdir(parents=True)
    stage.own()
    policy = stage.policy(writable_roots=[str(odd)])
    assert stage.python(f"open({str(odd)!r} + '/new', 'w')", policy).code == 0
    assert stage.python(f"open({str(odd)!r} + '/.git/new', 'w')", policy).code != 0


def test_everything_may_be_opened_but_the_kernels_trees(stage: Stage) -> None:
    if stage.uid == 0:
        pytest.skip("would cover names in / of this machine")
    policy = stage.policy(writable_roots=["/"])
    assert stage.shell(f"echo new > {stage.outside}/kept; echo ok > /dev/null", policy).code == 0
    assert (stage.outside / "kept").read_text() == "new\n"
    assert stage.shell("ls /proc | grep -c '^[0-9]'", policy).output.strip() in "1234"


def test_a_writable_root_may_be_a_single_file(stage: Stage) -> None:
    policy = stage.policy(writable_roots=[str(stage.outside / "kept")])
    stage.shell(f"echo new > {stage.outside}/kept; echo x > {stage.outside}/other", policy)
    assert "other" not in os.listdir(stage.outside)
    assert (stage.outside / "kept").read_text() == "new\n"


def test_temporary_files_may_lie_in_shared_memory(stage: Stage) -> None:
    folder = Path("/dev/shm", stage.base.name)
    folder.mkdir()
    os.chown(folder, stage.uid, stage.uid)
    try:
        assert stage.shell(f"echo t > {folder}/t", TMPDIR=str(folder)).code == 0
        assert (folder / "t").read_text() == "t\n"
    finally:
        shutil.rmtree(folder)
