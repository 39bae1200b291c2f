"""The outermost process of the service: it outlives the service just long enough to sweep.

Forked before anything heavy is loaded. The service is its child and does the work; the guardian
waits, passes on a request to end, and, however the service ended, ends whatever it left behind:
being the subreaper above it, it inherits all of that. The service in turn ends when the guardian
does.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable

from app_server.exec_server import kill, prctl

SWEEP_PASS_SECONDS = 0.01
SLOWEST_SWEEP_PASS_SECONDS = 0.5


def guarded(serve: Callable[[], int], owner_pid: int | None = None) -> int:
    """Run `serve` in a child and return its status once nothing of it is left.

    With `owner_pid` the whole is ended when that process, our parent, ends.
    """
    try:
        os.setsid()
    except PermissionError:
        pass  # we lead a group already, and hear a terminal as any program does
    prctl.adopt_orphans()
    watched = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    if owner_pid is not None:
        prctl.end_with_parent(owner_pid, signal.SIGTERM)
    guardian_pid = os.getpid()
    service_pid = os.fork()
    if service_pid == 0:
        status = 1
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, watched)
            prctl.end_with_parent(guardian_pid, signal.SIGTERM)
            prctl.adopt_orphans()
            status = serve()
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1):
        # The conversation's ends are the service's alone, so that each side sees the other's end.
        os.dup2(nowhere, fd)
    os.close(nowhere)
    status = _watch(service_pid, watched)
    _sweep()
    return status


def _watch(service_pid: int, watched: set[signal.Signals]) -> int:
    while True:
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == service_pid:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
            if pid == 0:
                break
        if signal.sigwaitinfo(watched).si_signo != signal.SIGCHLD:
            os.kill(service_pid, signal.SIGTERM)


def _sweep() -> None:
    """End everything below us, pass by pass."""
    seconds = SWEEP_PASS_SECONDS
    while True:
        kill.kill_tree(os.getpid())
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(seconds)
        seconds = min(seconds * 1.5, SLOWEST_SWEEP_PASS_SECONDS)
