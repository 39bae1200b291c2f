"""Confinement by bubblewrap: its command line, and where the program is looked for.

Launched directly, with no program of ours in between. It makes the namespaces and mounts, drops
every capability and loads our seccomp program from a descriptor; all of it ends with its parent.
What it cannot do is hold a symbolic link in its place.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping, Sequence
from functools import cache

from app_server.sandbox.mounts import EMPTY_FOLDERS, mounts
from app_server.sandbox.policy import Access

SECCOMP_FD = 3

LOCK_NAMESPACES = "--disable-userns"
"""Known to 0.8 and later; without it the seccomp program alone refuses new namespaces."""

_TRUSTED_FOLDERS = (
    "/usr/bin",
    "/bin",
    "/usr/local/bin",
    "/run/current-system/sw/bin",
    "/run/wrappers/bin",
)
_LOADER_VARIABLES = ("GLIBC_TUNABLES", "GCONV_PATH", "LOCPATH", "MALLOC_TRACE", "NLSPATH")
_MODES = {"cover": "0755", "hide": "0000", "veil": "0111"}
_CLAIM_TERMINAL = (
    "import fcntl, os, sys, termios\n"
    "os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    "os.execvp(sys.argv[1], sys.argv[1:])"
)


@cache
def find_program(name: str = "bwrap") -> str | None:
    """A program in a folder of the system, or in a PATH folder nobody but root can change."""
    for folder in (*_TRUSTED_FOLDERS, *os.environ.get("PATH", "").split(":")):
        path = os.path.join(folder, name)
        if os.path.isabs(path) and os.access(path, os.X_OK) and _is_only_roots(folder):
            return path
    return None


def arguments(
    program: str,
    access: Access,
    command: Sequence[str],
    cwd: str,
    env: Mapping[str, str],
    *,
    locks_namespaces: bool = True,
    claims_terminal: bool = False,
) -> tuple[str, ...]:
    """The whole argument list. The seccomp program is expected on `SECCOMP_FD`.

    `env` must be given to the program as `environment(env)`: what would load code into bubblewrap
    itself, which is still unconfined, is set by it for the command only.
    """
    opened = mounts(access)
    words = [program, "--die-with-parent", "--new-session", "--unshare-user", "--unshare-pid"]
    words += ["--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    if not access.network_allowed:
        words.append("--unshare-net")
    if locks_namespaces:
        words.append(LOCK_NAMESPACES)
    words += ["--cap-drop", "ALL"]
    for name in env:
        if _loads_code(name):
            words += ["--setenv", name, env[name]]
    if opened and opened[0] == ("/", "write"):
        del opened[0]
        words += ["--bind", "/", "/", "--ro-bind", "/sys", "/sys"]
    elif access.readable is None:
        words += ["--ro-bind", "/", "/"]
    else:
        words += ["--tmpfs", "/"]
        for path in access.readable:
            words += ["--ro-bind", path, path]
    words += ["--dev", "/dev", "--proc", "/proc", "--remount-ro", "/proc"]
    for path, kind in opened:
        if kind in EMPTY_FOLDERS:
            words += ["--perms", _MODES[kind], "--tmpfs", path]
            continue
        source = "/dev/null" if kind == "close" else path
        words += ["--bind" if kind == "write" else "--ro-bind", source, path]
    for path, kind in opened:
        if kind in EMPTY_FOLDERS:
            words += ["--remount-ro", path]
    if access.readable is not None:
        words += ["--remount-ro", "/"]
    words += ["--seccomp", str(SECCOMP_FD), "--chdir", cwd, "--"]
    if claims_terminal:
        words += _terminal_claimer()
    return (*words, *command)


def _terminal_claimer() -> list[str]:
    """Starts the command in a session of its own, which owns the terminal; runs inside.

    Bubblewrap's own processes stay out of that session: a key that interrupts would end them.
    """
    setsid = find_program("setsid")
    if setsid is not None:
        return [setsid, "-c"]
    return [sys.executable, "-I", "-S", "-c", _CLAIM_TERMINAL]


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """The command's environment without what would load code into bubblewrap."""
    return {name: value for name, value in env.items() if not _loads_code(name)}


def _loads_code(name: str) -> bool:
    return name.startswith("LD_") or name in _LOADER_VARIABLES


def _is_only_roots(folder: str) -> bool:
    try:
        status = os.stat(folder)
    except OSError:
        return False
    return status.st_uid == 0 and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
