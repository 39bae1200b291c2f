"""The process between the service and one command: it starts the command and ends what it leaves.

A keeper is a fork of the service that never executes anything else. It is the subreaper of its
command, so that every process the command starts, whatever session it moves to and however often
it forks, is the keeper's to end. It tells the service three things through a pipe: the command's
pid or why there is none, and how it ended. It listens to three signals: TERM (end politely), USR1
(end by force) and USR2 (interrupt). If the service is killed the keeper is, too, and the guardian
ends the rest.
"""

from __future__ import annotations

import fcntl
import os
import signal
import termios
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple, NoReturn

from app_server.exec_server import kill, mount_points, prctl

LEFTOVER_GRACE_SECONDS = 0.5
"""For what a command leaves behind when it ends by itself."""
SANDBOX_ENDING_SECONDS = 1.0
"""At most, for the processes of a sandbox that ends by itself, so that its mount points are gone
once its end is told.
"""
KILL_PASS_SECONDS = 0.01
SLOWEST_KILL_PASS_SECONDS = 0.5
DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"

_WATCHED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2}
_HIGH_FD = 512
"""Descriptors are moved above this before they get their final numbers."""


class Command(NamedTuple):
    """What to execute, with its descriptors."""

    argv: Sequence[str]
    cwd: str
    env: Mapping[str, str]
    arg0: str | None
    stdin: int
    stdout: int
    stderr: int
    owns_terminal: bool
    """Stdin is a terminal and becomes the controlling one."""
    inherited: Mapping[int, int]
    """Number the command sees → our descriptor."""
    held: Sequence[tuple[str, int]]
    """Mount points and the descriptors that hold them."""


def keep(command: Command, report_fd: int, service_pid: int) -> NoReturn:
    """Become the keeper of `command`. Called right after the fork, in the child."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP):
            signal.signal(number, signal.SIG_IGN)
        for number in _WATCHED:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, _WATCHED)
        prctl.end_with_parent(service_pid)
        prctl.adopt_orphans()
        _close_all_but(
            {report_fd, command.stdin, command.stdout, command.stderr}
            | set(command.inherited.values())
            | {fd for _, fd in command.held}
        )
        status = _Keeper(command, report_fd).run()
    except BaseException as error:
        _report(report_fd, f"E {type(error).__name__}: {error}")
    finally:
        os._exit(status)


class _Keeper:
    def __init__(self, command: Command, report_fd: int) -> None:
        self._command = command
        self._report_fd = report_fd
        self._deadline: float | None = None
        self._pass_seconds = KILL_PASS_SECONDS

    def run(self) -> int:
        main_pid, problem = _start(self._command)
        _close_all_but({self._report_fd} | {fd for _, fd in self._command.held})
        if problem is not None:
            self._release()
            _report(self._report_fd, f"E {problem}")
            return 0
        _report(self._report_fd, f"P {main_pid}")
        self._watch(main_pid)
        self._release()
        return 0

    def _watch(self, main_pid: int) -> None:
        """Until nothing is left: reap, pass signals on, end what outlives the command."""
        is_by_force = False
        while True:
            main_status, is_anything_left = _reap(main_pid)
            if main_status is not None:
                if is_anything_left and self._command.held:
                    is_anything_left = self._wait_for_sandbox()
                if not is_anything_left:
                    self._release()
                _report(self._report_fd, f"X {main_status}")
                if is_anything_left and not is_by_force:
                    kill.ask_tree_to_end(os.getpid())
                    self._deadline = time.monotonic() + LEFTOVER_GRACE_SECONDS
            if not is_anything_left:
                return
            if self._deadline is not None and time.monotonic() >= self._deadline:
                is_by_force = True
            if is_by_force:
                kill.kill_tree(os.getpid())
            heard = signal.sigtimedwait(_WATCHED, self._patience(is_by_force))
            if heard is not None and heard.si_signo == signal.SIGTERM:
                kill.ask_tree_to_end(os.getpid())
            elif heard is not None and heard.si_signo == signal.SIGUSR1:
                is_by_force = True
            elif heard is not None and heard.si_signo == signal.SIGUSR2:
                kill.interrupt_tree(os.getpid())

    def _wait_for_sandbox(self) -> bool:
        """Give the rest of a sandbox its moment; whether something is left after that."""
        deadline = time.monotonic() + SANDBOX_ENDING_SECONDS
        is_anything_left = True
        while is_anything_left and (left := deadline - time.monotonic()) > 0:
            signal.sigtimedwait({signal.SIGCHLD}, left)
            _, is_anything_left = _reap(main_pid=0)
        return is_anything_left

    def _patience(self, is_by_force: bool) -> float:
        if is_by_force:
            self._pass_seconds = min(self._pass_seconds * 1.5, SLOWEST_KILL_PASS_SECONDS)
            return self._pass_seconds
        if self._deadline is not None:
            return max(0.0, self._deadline - time.monotonic())
        return 3600.0

    def _release(self) -> None:
        for path, fd in self._command.held:
            mount_points.release(path, fd)
        self._command = self._command._replace(held=())


def _reap(main_pid: int) -> tuple[int | None, bool]:
    """Collect the dead. Returns the command's wait status if it was among them, and if any live."""
    main_status: int | None = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return main_status, False
        if pid == 0:
            return main_status, True
        if pid == main_pid:
            main_status = status


def _start(command: Command) -> tuple[int, str | None]:
    """Fork and execute the command; its pid, or why it could not be executed."""
    answer_read, answer_write = os.pipe()
    keeper_pid = os.getpid()
    pid = os.fork()
    if pid == 0:
        answer_write = fcntl.fcntl(answer_write, fcntl.F_DUPFD_CLOEXEC, _HIGH_FD)
        try:
            _become(command, answer_write, keeper_pid)
        except OSError as error:
            os.write(
                answer_write, f"{os.strerror(error.errno or 0)} (os error {error.errno})".encode()
            )
        except BaseException as error:
            os.write(answer_write, str(error).encode())
        finally:
            os._exit(127)
    os.close(answer_write)
    problem = b""
    while piece := os.read(answer_read, 4096):
        problem += piece
    os.close(answer_read)
    if problem:
        os.waitpid(pid, 0)
        return pid, problem.decode(errors="replace")
    return pid, None


def _become(command: Command, answer_fd: int, keeper_pid: int) -> NoReturn:
    """Turn this fresh child into the command."""
    prctl.end_with_parent(keeper_pid)
    os.setsid()
    if command.owns_terminal:
        fcntl.ioctl(command.stdin, termios.TIOCSCTTY, 0)
    targets = {0: command.stdin, 1: command.stdout, 2: command.stderr, **command.inherited}
    # First out of the way, so that no target number overwrites a source still needed.
    moved = {
        number: fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _HIGH_FD) for number, fd in targets.items()
    }
    _close_all_but(set(moved.values()) | {answer_fd})
    for number, fd in moved.items():
        os.dup2(fd, number, inheritable=True)
    os.chdir(command.cwd)
    for signal_number in signal.valid_signals():
        if signal_number not in (signal.SIGKILL, signal.SIGSTOP):
            try:
                signal.signal(signal_number, signal.SIG_DFL)
            except (OSError, ValueError):
                pass  # the C library keeps two for itself
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    argv = [command.arg0 if command.arg0 is not None else command.argv[0], *command.argv[1:]]
    _execute(command.argv[0], argv, dict(command.env))


def _execute(program: str, argv: list[str], env: dict[str, str]) -> NoReturn:
    """Execute by path, or by name along the command's own PATH."""
    if "/" in program:
        os.execve(program, argv, env)
    denied: OSError | None = None
    for place in env.get("PATH", DEFAULT_PATH).split(":"):
        try:
            os.execve(os.path.join(place or ".", program), argv, env)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except PermissionError as error:
            denied = error
    raise denied or FileNotFoundError(2, "No such file or directory")


def _close_all_but(kept: set[int]) -> None:
    low = 0
    for fd in sorted(kept):
        os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, os.sysconf("SC_OPEN_MAX"))


def _report(fd: int, text: str) -> None:
    try:
        os.write(fd, text.replace("\n", " ").encode(errors="replace") + b"\n")
    except OSError:
        pass  # the service is gone, and so will we be
