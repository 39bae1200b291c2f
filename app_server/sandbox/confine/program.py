"""The beginning: with namespaces there are three processes, with Landlock alone this one."""

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
    signals,
    stop,
    syscall,
)
from app_server.sandbox.confine.namespaces import run_in_namespaces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

SYS_CLOSE_RANGE = 436


def main(plan: dict[str, Any]) -> NoReturn:
    """Do what the plan says; `helper.py` makes it."""
    step = "unexpectedly"
    try:
        _end_with_parent()
        _keep_only_standard_streams()
        if plan["has_namespaces"]:
            run_in_namespaces(plan)
        give_up_everything(plan)
        become(plan)
    except Failed as failure:
        step, error = failure.step, failure.error
    except OSError as caught:
        error = caught
    stop(step, error)


def _end_with_parent() -> None:
    parent = os.getppid()
    check("prctl", libc.prctl(PR_SET_PDEATHSIG, signals.SIGKILL, 0, 0, 0))
    if os.getppid() != parent:
        os._exit(SET_UP_FAILED)


def _keep_only_standard_streams() -> None:
    if syscall(SYS_CLOSE_RANGE, 3, 0xFFFFFFFF, 0) != 0:
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
