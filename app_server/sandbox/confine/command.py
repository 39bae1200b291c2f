"""Becoming the command: its terminal, its signals, its environment."""

from __future__ import annotations

import os

from app_server.sandbox.confine.kernel import Failed, check, libc, say, signals, stop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

CANNOT_EXECUTE = 126
NOT_FOUND = 127
TIOCSCTTY = 0x540E


def become(plan: dict[str, Any]) -> NoReturn:
    code = CANNOT_EXECUTE
    argv = plan["argv"]
    try:
        if plan["claims_terminal"]:
            os.setsid()
            check("claim the terminal", libc.ioctl(0, TIOCSCTTY, 0))
        for number in range(1, 65):
            try:
                signals.signal(number, signals.SIG_DFL)
            except (OSError, ValueError):
                continue
        signals.pthread_sigmask(signals.SIG_SETMASK, ())
        if not plan["has_namespaces"]:
            os.chdir(plan["cwd"])
        os.execvpe(argv[0], argv, plan["env"])
    except Failed as failure:
        stop(failure.step, failure.error)
    except (FileNotFoundError, NotADirectoryError) as error:
        code = NOT_FOUND
        say(f"codex: {argv[0]}: {error.strerror}")
    except OSError as error:
        say(f"codex: {argv[0]}: {error.strerror}")
    finally:
        os._exit(code)
