"""The kernel, other processes, the network and the caller's terminal stay out of reach."""

from __future__ import annotations

import ctypes
import errno
import os
import pty
import select
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator

import pytest

from app_server.protocol.permissions import SandboxPolicy
from tests.sandbox.attempts import C_LIBRARY, KERNEL, PROCESSES, SOCKET_KINDS, SOCKETS, Attempt
from tests.sandbox.stage import BREACH, LONGEST_RUN_SECONDS, Stage, read_to_end, spawn

pytestmark = pytest.mark.sandbox

PORTS_TRIED = 20


@pytest.mark.parametrize("attempt", KERNEL, ids=lambda attempt: attempt.name)
def test_the_kernel_is_not_to_be_had(
    any_stage: Stage, policy: SandboxPolicy, attempt: Attempt
) -> None:
    host_name = socket.gethostname()
    done = any_stage.python(attempt.source, policy)
    assert BREACH not in done.output
    assert socket.gethostname() == host_name


@pytest.fixture
def victim(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the same user, outside."""
    name = "open_stage" if "open_stage" in request.fixturenames else "any_stage"
    uid = request.getfixturevalue(name).uid
    env = {"SECRET": "hidden-word", "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(
        ["/bin/cat"], stdin=subprocess.PIPE, user=uid, group=uid, env=env
    ) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("attempt", PROCESSES, ids=lambda attempt: attempt.name)
def test_processes_outside_are_left_alone(
    any_stage: Stage, policy: SandboxPolicy, victim: subprocess.Popen[bytes], attempt: Attempt
) -> None:
    done = any_stage.python(f"PID = {victim.pid}\n{attempt.source}", policy)
    assert BREACH not in done.output
    assert "hidden-word" not in done.output
    assert victim.stdin is not None
    victim.stdin.close()
    assert victim.wait(LONGEST_RUN_SECONDS) == 0


@pytest.mark.parametrize(
    "attempt", [a for a in PROCESSES if a.name.startswith("signals")], ids=lambda a: a.name
)
def test_those_signals_would_arrive_without_a_sandbox(
    open_stage: Stage, victim: subprocess.Popen[bytes], attempt: Attempt
) -> None:
    open_stage.python(f"PID = {victim.pid}\n{attempt.source}")
    assert victim.wait(LONGEST_RUN_SECONDS) == -signal.SIGTERM


def test_system_v_memory_outside_is_not_seen(any_stage: Stage, policy: SandboxPolicy) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    key = 0x43584400 + os.getpid() % 199
    segment = libc.shmget(key, 64, 0o1666)
    try:
        done = any_stage.python(C_LIBRARY + f"tell(libc.shmget({key}, 64, 0) >= 0)", policy)
        assert BREACH not in done.output
    finally:
        libc.shmctl(segment, 0, None)


class Listeners:
    """Everything one could send to, on one port and under names in and outside the workspace."""

    def __init__(self, stage: Stage) -> None:
        self.abstract = f"codex-{stage.base.name}"
        self.port, self._all = _all_of_one_port()
        for folder in (stage.workspace, stage.outside):
            for name, kind in (("stream", socket.SOCK_STREAM), ("datagram", socket.SOCK_DGRAM)):
                self._listen(str(folder / name), kind)
                os.chown(folder / name, stage.uid, stage.uid)
        self._listen("\0" + self.abstract, socket.SOCK_STREAM)

    def _listen(self, address: str, kind: socket.SocketKind) -> None:
        listener = socket.socket(socket.AF_UNIX, kind)
        listener.bind(address)
        if kind == socket.SOCK_STREAM:
            listener.listen()
        self._all.append(listener)

    def heard_something(self) -> bool:
        return bool(select.select(self._all, [], [], 0)[0])

    def close(self) -> None:
        for listener in self._all:
            listener.close()


def _all_of_one_port() -> tuple[int, list[socket.socket]]:
    """A port that nobody has in any protocol of the Internet, and who listens on it in each."""
    hosts = ["127.0.0.1", "::1"] if socket.has_ipv6 else ["127.0.0.1"]
    for _ in range(PORTS_TRIED):
        port, listening = 0, list[socket.socket]()
        try:
            for host in hosts:
                family = socket.AF_INET6 if ":" in host else socket.AF_INET
                listening.append(socket.create_server((host, port), family=family))
                port = listening[0].getsockname()[1]
                listening.append(socket.socket(family, socket.SOCK_DGRAM))
                listening[-1].bind((host, port))
        except OSError as failure:
            for one in listening:
                one.close()
            if failure.errno != errno.EADDRINUSE:
                raise
        else:
            return port, listening
    raise AssertionError("no port is free in all protocols")


@pytest.mark.parametrize("attempt", SOCKETS, ids=lambda attempt: attempt.name)
def test_nobody_is_reached_over_sockets(
    any_stage: Stage, policy: SandboxPolicy, attempt: Attempt
) -> None:
    listeners = Listeners(any_stage)
    names = f"PORT, ABSTRACT = {listeners.port}, {listeners.abstract!r}\n"
    any_stage.python(names + attempt.source, policy)
    heard = listeners.heard_something()
    listeners.close()
    assert not heard


@pytest.mark.parametrize("attempt", SOCKETS, ids=lambda attempt: attempt.name)
def test_those_sockets_would_be_reached_without_a_sandbox(
    open_stage: Stage, attempt: Attempt
) -> None:
    listeners = Listeners(open_stage)
    names = f"PORT, ABSTRACT = {listeners.port}, {listeners.abstract!r}\n"
    done = open_stage.python(names + attempt.source)
    heard = listeners.heard_something()
    listeners.close()
    assert heard, done.output


@pytest.mark.parametrize(
    "line",
    [
        "curl -sS -m 5 http://127.0.0.1:{port}",
        "wget -q -T 5 -t 1 -O - http://127.0.0.1:{port}",
        "nc -z -w 5 127.0.0.1 {port}",
        "ssh -o BatchMode=yes -o ConnectTimeout=5 -p {port} 127.0.0.1",
        "ping -c 1 -W 5 127.0.0.1",
        "getent ahosts codex-test.invalid",
        "git ls-remote http://127.0.0.1:{port}/x",
        "bash -c 'echo x > /dev/tcp/127.0.0.1/{port}'",
        "bash -c 'echo x > /dev/udp/127.0.0.1/{port}'",
    ],
    ids=lambda line: "_".join(line.split()[:1]) + ("_udp" if "udp" in line else ""),
)
def test_programs_of_the_network_reach_nobody(
    any_stage: Stage, policy: SandboxPolicy, line: str
) -> None:
    if shutil.which(line.split()[0]) is None:
        pytest.skip(f"{line.split()[0]} is not installed")
    listeners = Listeners(any_stage)
    done = any_stage.shell(line.format(port=listeners.port), policy)
    heard = listeners.heard_something()
    listeners.close()
    assert not heard
    assert done.code != 0, done.output


@pytest.mark.parametrize("attempt", SOCKET_KINDS, ids=lambda attempt: attempt.name)
def test_no_socket_is_made(any_stage: Stage, policy: SandboxPolicy, attempt: Attempt) -> None:
    assert BREACH not in any_stage.python(attempt.source, policy).output


def test_a_daemon_ends_with_its_command(stage: Stage) -> None:
    """Its end is seen from outside: the output ends although the daemon never let go of it."""
    daemon = (
        "import signal\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        for n in range(1, 32):\n"
        "            try: signal.signal(n, signal.SIG_IGN)\n"
        "            except OSError: pass\n"
        "        os.write(1, b'ready'); signal.pause()\n"
        "    os._exit(0)\n"
        "os.wait()"
    )
    done = stage.python(daemon)
    assert done.code == 0


def test_a_command_ends_with_its_launcher(stage: Stage) -> None:
    command = stage.prepared(["/bin/sh", "-c", "echo ready; exec tail -f /dev/null"])
    with stage.mount_points(command):
        reading, writing = os.pipe()
        os.fchown(writing, stage.uid, stage.uid)
        nothing = os.open(os.devnull, os.O_RDONLY)
        pid = spawn(command, stage.uid, nothing, writing)
        os.close(writing)
        os.close(nothing)
        assert os.read(reading, 10) == b"ready\n"
        os.kill(pid, signal.SIGKILL)
        assert read_to_end(reading, pid) == ""
        os.close(reading)
        os.waitpid(pid, 0)


@pytest.mark.parametrize("request_number", [0x5412, 0x541C])
def test_no_input_is_pushed_into_a_terminal(
    any_stage: Stage, policy: SandboxPolicy, request_number: int
) -> None:
    """The command's own terminal is the caller's in the worst case, so that is what is tried."""
    push = (
        "import fcntl\n"
        f"try: fcntl.ioctl(0, {request_number}, b'x'); print('BREACH')\n"
        f"except OSError: pass\n"
        f"try: fcntl.ioctl(0, {request_number} + (1 << 32), b'x'); print('BREACH')\n"
        "except (OSError, OverflowError): pass\n"
    )
    ours, theirs = pty.openpty()
    argv = [any_stage.interpreter, "-I", "-S", "-c", push]
    command = any_stage.prepared(argv, policy, tty=True)
    with any_stage.mount_points(command):
        pid = spawn(command, any_stage.uid, theirs, theirs)
        os.close(theirs)
        output = read_to_end(ours, pid)
        os.close(ours)
        os.waitpid(pid, 0)
    assert BREACH not in output
