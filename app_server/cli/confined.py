"""A prepared command in this process's place, or as its child that is waited for.

It gets descriptors 0 to 2, its own data and nothing else of what we were given, keeps our terminal,
and its exit status is ours. Knows no policy.
"""

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from app_server.sandbox.launch import PreparedCommand

COULD_NOT_RUN = 126
NOT_FOUND = 127
_OUT_OF_THE_WAY = 64
"""Descriptors from here on are in nobody's way while those of the command take their numbers."""


def run(prepared: "PreparedCommand", name: str) -> int:
    """Run the command as a child and remove the mount points it needed; returns its status.

    `name` is what complaints begin with.
    """
    from app_server.exec_server.mount_points import MountPointBlocked, hold, release

    held: list[tuple[str, int]] = []
    try:
        for path in prepared.mount_points:
            held.append((path, hold(path)))
        pid = os.fork()
        if pid == 0:
            become(prepared, name)
        return _status_of(pid)
    except (OSError, MountPointBlocked) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return COULD_NOT_RUN
    finally:
        for path, descriptor in held:
            release(path, descriptor)


def become(prepared: "PreparedCommand", name: str) -> NoReturn:
    """Turn this process into the command."""
    code = COULD_NOT_RUN
    try:
        _arrange_descriptors(prepared)
        os.chdir(prepared.cwd)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and it is inherited
        words = [prepared.arg0 or prepared.argv[0], *prepared.argv[1:]]
        os.execvpe(prepared.argv[0], words, dict(prepared.env))
    except FileNotFoundError:
        code = NOT_FOUND
        print(f"{name}: {prepared.argv[0]}: command not found", file=sys.stderr, flush=True)
    except OSError as error:
        print(f"{name}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(code)


def _arrange_descriptors(prepared: "PreparedCommand") -> None:
    import fcntl

    waiting = {}
    for number, data in prepared.inherited_data.items():
        file = os.memfd_create("inherited")
        os.write(file, data)
        os.lseek(file, 0, os.SEEK_SET)
        waiting[number] = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, _OUT_OF_THE_WAY)
        os.close(file)
    for number, file in waiting.items():
        os.dup2(file, number)
    lowest = 3
    for number in [*sorted(waiting), os.sysconf("SC_OPEN_MAX")]:
        os.closerange(lowest, number)
        lowest = number + 1


def _status_of(pid: int) -> int:
    """Wait for the command, which gets the terminal's signals itself."""
    kept = {name: signal.signal(name, signal.SIG_IGN) for name in (signal.SIGINT, signal.SIGQUIT)}
    ending = signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
    try:
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    finally:
        signal.signal(signal.SIGTERM, ending)
        for name, handler in kept.items():
            signal.signal(name, handler)
    return code if code >= 0 else 128 - code
