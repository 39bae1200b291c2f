"""A place to attack from: a workspace inside, things worth having outside, and a way to run in it.

It lies outside /tmp, which is writable in most policies. Commands are spawned here as the process
service does it: descriptors 0 to 2 and the inherited data, mount points made before and removed
after. Run by the superuser, the same cases also run as an ordinary user.
"""

from __future__ import annotations

import importlib.util
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from app_server.exec_server.mount_points import hold, release
from app_server.protocol.permissions import (
    ReadOnlySandboxPolicy,
    SandboxPolicy,
    WorkspaceWriteSandboxPolicy,
)
from app_server.sandbox import helper
from app_server.sandbox.launch import PreparedCommand, prepare
from app_server.sandbox.probe import Mechanism
from app_server.sandbox.wishes import Permissions

ORDINARY_UID = 12345
LONGEST_RUN_SECONDS = 60.0
BREACH = "BREACH"
"""What an attempt prints when it got what it wanted, where that leaves no trace outside."""

_HIGH_FD = 200


class Result(NamedTuple):
    """How a command ended and what it said."""

    code: int
    output: str


class Stage:
    """One workspace under one mechanism, as one user."""

    def __init__(self, mechanism: Mechanism | None, uid: int) -> None:
        self.mechanism = mechanism
        """None runs without any confinement, to see that an attempt would work."""
        self.uid = uid
        self.base = Path(tempfile.mkdtemp(prefix="codex-sandbox-", dir="/var/tmp"))
        self.workspace = self.base / "workspace"
        self.outside = self.base / "outside"
        self.tmp = self.base / "tmp"
        (self.outside / "folder").mkdir(parents=True)
        (self.outside / "kept").write_text("original")
        (self.workspace / "src").mkdir(parents=True)
        (self.workspace / "mine").write_text("mine")
        self.tmp.mkdir()
        self.own()

    @property
    def interpreter(self) -> str:
        """A Python that the attacking user may run."""
        return interpreter_of(self.uid)

    def own(self) -> None:
        """Everything belongs to the user that attacks."""
        for path in (self.base, *self.base.rglob("*")):
            os.chown(path, self.uid, self.uid, follow_symlinks=False)

    def remove(self) -> None:
        shutil.rmtree(self.base, ignore_errors=True)

    def policy(self, **changes: object) -> SandboxPolicy:
        defaults: dict[str, object] = {"exclude_slash_tmp": True}
        return WorkspaceWriteSandboxPolicy(**{**defaults, **changes})  # type: ignore[arg-type]

    def shell(self, line: str, policy: SandboxPolicy | None = None, **more: str) -> Result:
        return self.run(["/bin/sh", "-c", line], policy, **more)

    def python(self, source: str, policy: SandboxPolicy | None = None, **more: str) -> Result:
        """Run a few lines that know the workspace as W and the outside as O."""
        start = f"import os, sys\nW, O = {str(self.workspace)!r}, {str(self.outside)!r}\n"
        return self.run([self.interpreter, "-I", "-S", "-c", start + source], policy, **more)

    def run(self, argv: Sequence[str], policy: SandboxPolicy | None = None, **more: str) -> Result:
        return self.run_prepared(self.prepared(argv, policy, **more))

    def run_prepared(self, command: PreparedCommand) -> Result:
        with self.mount_points(command):
            reading, writing = os.pipe()
            os.fchown(writing, self.uid, self.uid)
            nothing = os.open(os.devnull, os.O_RDONLY)
            try:
                pid = spawn(command, self.uid, nothing, writing)
            finally:
                os.close(writing)
                os.close(nothing)
            output = read_to_end(reading, pid)
            os.close(reading)
            return Result(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), output)

    def prepared(
        self,
        argv: Sequence[str],
        policy: Permissions | None = None,
        *,
        tty: bool = False,
        **more: str,
    ) -> PreparedCommand:
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "TMPDIR": str(self.tmp), **more}
        if self.mechanism is None:
            return PreparedCommand(argv=tuple(argv), cwd=str(self.workspace), env=env)
        with as_user(self.uid):
            return prepare(
                policy or self.policy(),
                argv,
                self.workspace,
                env,
                tty=tty,
                mechanism=self.mechanism,
            )

    @contextmanager
    def mount_points(self, command: PreparedCommand) -> Iterator[None]:
        held: list[tuple[str, int]] = []
        try:
            with as_user(self.uid):
                for path in command.mount_points:
                    held.append((path, hold(path)))
            yield
        finally:
            for path, fd in held:
                release(path, fd)


def interpreter(uid: int) -> str:
    """A Python that this user may run, of the same minor version as ours."""
    own = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    if uid == os.geteuid():
        return own
    for path in (own, "/usr/bin/python3"):
        if _can_run(path, uid):
            return path
    raise LookupError("no Python of our version that an ordinary user may run")


def _can_run(path: str, uid: int) -> bool:
    magic = f"import importlib.util as u; assert u.MAGIC_NUMBER == {importlib.util.MAGIC_NUMBER!r}"
    try:
        done = subprocess.run([path, "-I", "-c", magic], user=uid, group=uid, capture_output=True)
    except OSError:
        return False
    return done.returncode == 0


@contextmanager
def as_user(uid: int) -> Iterator[None]:
    """The effective user for a while, and the interpreter that user may run."""
    before = os.geteuid()
    if uid == before:
        yield
        return
    find = helper._interpreter
    path = interpreter_of(uid)
    os.setegid(uid)
    os.seteuid(uid)
    helper._interpreter = lambda: path
    try:
        yield
    finally:
        helper._interpreter = find
        os.seteuid(before)
        os.setegid(0)


_interpreters: dict[int, str] = {}


def interpreter_of(uid: int) -> str:
    if uid not in _interpreters:
        _interpreters[uid] = interpreter(uid)
    return _interpreters[uid]


def spawn(
    command: PreparedCommand,
    uid: int,
    stdin: int,
    stdout: int,
    extra: Mapping[int, int] | None = None,
) -> int:
    """Start it in a session of its own, with these descriptors and its inherited data only."""
    opened: list[int] = []
    sources = {0: stdin, 1: stdout, 2: stdout, **(extra or {})}
    try:
        for number, content in command.inherited_data.items():
            opened.append(fd := os.memfd_create("inherited"))
            os.write(fd, content)
            os.lseek(fd, 0, os.SEEK_SET)
            sources[number] = fd
        argv = list(command.argv)
        if uid != os.geteuid():
            who = [f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--inh-caps=-all"]
            argv = ["/usr/bin/setpriv", *who, "--", *argv]
        pid = os.fork()
        if pid == 0:
            try:
                os.setsid()
                os.chdir(command.cwd)
                moved = {number: _move_up(fd) for number, fd in sources.items()}
                for number, fd in moved.items():
                    os.dup2(fd, number, inheritable=True)
                low = 3
                for number in [*sorted(set(moved) - {0, 1, 2}), 65536]:
                    os.closerange(low, number)
                    low = number + 1
                os.execve(argv[0], argv, dict(command.env))
            finally:
                os._exit(99)
        return pid
    finally:
        for fd in opened:
            os.close(fd)


def _move_up(fd: int) -> int:
    import fcntl

    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _HIGH_FD)


def read_to_end(fd: int, pid: int) -> str:
    """Everything until the last writer is gone; kills the command if that takes too long."""
    pieces = []
    poll = select.poll()
    poll.register(fd, select.POLLIN | select.POLLHUP)
    while True:
        if not poll.poll(LONGEST_RUN_SECONDS * 1000):
            os.kill(pid, signal.SIGKILL)
            raise AssertionError(f"still running, having said {b''.join(pieces)!r}")
        try:
            piece = os.read(fd, 65536)
        except OSError:  # EIO: a terminal without users
            piece = b""
        if not piece:
            return b"".join(pieces).decode(errors="replace")
        pieces.append(piece)


def snapshot(*folders: Path) -> dict[str, tuple[object, ...]]:
    """Everything that can be seen of these trees from outside, changes of attributes included."""
    seen: dict[str, tuple[object, ...]] = {}
    for folder in folders:
        for path in (folder, *sorted(folder.rglob("*"))) if folder.is_dir() else (folder,):
            if not os.path.lexists(path):
                continue
            facts = path.lstat()
            if path.is_symlink():
                content: object = os.readlink(path)
            else:
                content = path.read_bytes() if path.is_file() else None
            owner = (facts.st_mode, facts.st_uid, facts.st_gid, facts.st_nlink)
            times = (facts.st_mtime_ns, facts.st_ctime_ns)
            seen[str(path)] = (*owner, *times, content)
    return seen


def open_terminal() -> tuple[int, int]:
    """Our side and the command's side of a new terminal."""
    ours, theirs = pty.openpty()
    return ours, theirs


READ_ONLY = ReadOnlySandboxPolicy()
