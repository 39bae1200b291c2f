"""The sandbox's processes: one outside that waits, the first one inside, and the command.

The outer one answers for the result. The inner one is process 1 of the sandbox: it builds it, gives
up everything and reaps, and its child becomes the command.
"""

from __future__ import annotations

import os

from app_server.sandbox.confine.command import become
from app_server.sandbox.confine.giving_up import give_up_everything
from app_server.sandbox.confine.kernel import (
    PR_SET_PDEATHSIG,
    SET_UP_FAILED,
    Failed,
    check,
    libc,
    shell_code,
    signals,
    stop,
)
from app_server.sandbox.confine.network import open_door
from app_server.sandbox.confine.view import build_view

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000


def run_in_namespaces(plan: dict[str, Any]) -> NoReturn:
    _enter_namespaces(plan["network_allowed"])
    watched = {signals.SIGTERM, signals.SIGCHLD}
    signals.pthread_sigmask(signals.SIG_BLOCK, watched)
    for number in (signals.SIGINT, signals.SIGHUP, signals.SIGQUIT):
        signals.signal(number, signals.SIG_IGN)
    alive_reading, alive_writing = os.pipe()
    inner = os.fork()
    if inner == 0:
        try:
            os.close(alive_writing)
            _end_with_outer(alive_reading)
            _be_first_process(plan)
        except Failed as failure:
            stop(failure.step, failure.error)
        except OSError as error:
            stop("unexpectedly", error)
        finally:
            os._exit(SET_UP_FAILED)
    while True:
        if signals.sigwait(watched) == signals.SIGTERM:
            os.kill(inner, signals.SIGTERM)
            continue
        pid, status = os.waitpid(inner, os.WNOHANG)
        if pid == inner:
            os._exit(shell_code(status))


def _enter_namespaces(network_allowed: bool) -> None:
    uid, gid = os.geteuid(), os.getegid()
    others = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP
    if not network_allowed:
        others |= CLONE_NEWNET
    try:
        check("unshare", libc.unshare(CLONE_NEWUSER | others))
    except Failed:
        # The superuser of a machine whose user namespaces are used up or switched off.
        if uid != 0:
            raise
        check("unshare", libc.unshare(others))
        return
    try:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{uid} {uid} 1"),
            ("gid_map", f"{gid} {gid} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    except OSError as error:
        raise Failed("users cannot be mapped", error) from None


# The first process of the sandbox


def _end_with_outer(alive: int) -> None:
    """From here on the kernel sees to it; whether it came too late, the pipe's end tells."""
    check("prctl", libc.prctl(PR_SET_PDEATHSIG, signals.SIGKILL, 0, 0, 0))
    os.set_blocking(alive, False)
    try:
        os.read(alive, 1)
    except BlockingIOError:
        os.close(alive)
    else:
        os._exit(SET_UP_FAILED)


def _be_first_process(plan: dict[str, Any]) -> NoReturn:
    if plan["door"] is not None:
        open_door(*plan["door"])
    build_view(plan)
    give_up_everything(plan)
    command = os.fork()
    if command == 0:
        become(plan)
    watched = {signals.SIGTERM, signals.SIGCHLD}
    while True:
        if signals.sigwait(watched) == signals.SIGTERM:
            os.kill(-1, signals.SIGTERM)
            continue
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == command:
                os._exit(shell_code(status))
            if pid == 0:
                break
