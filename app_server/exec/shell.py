"""Which shell runs a line, and how it is asked to."""

from __future__ import annotations

import os
import pwd
from functools import lru_cache
from pathlib import PurePosixPath

import msgspec

_KINDS = ("bash", "zsh", "sh", "pwsh")
_PLACES = ("/bin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")


class Shell(msgspec.Struct, frozen=True):
    """A shell that exists on this machine."""

    name: str
    """bash, zsh, sh or pwsh."""
    path: str

    def argv(self, line: str, login: bool = True) -> tuple[str, ...]:
        """The argument list that runs `line`."""
        if self.name == "pwsh":
            return (self.path, *(() if login else ("-NoProfile",)), "-Command", line)
        return (self.path, "-lc" if login else "-c", line)


@lru_cache(maxsize=1)
def user_shell() -> Shell:
    """The user's own shell if it is one we can drive, else bash, zsh or sh."""
    try:
        configured = pwd.getpwuid(os.getuid()).pw_shell
    except KeyError:
        configured = ""
    return shell_at(configured) or _first_found(("bash", "zsh", "sh")) or Shell("sh", "/bin/sh")


def named_shell(wanted: str) -> Shell:
    """The shell a caller asks for by path or name.

    A path that does not exist stands for any shell of its kind; an unknown kind for the user's own.
    """
    return shell_at(wanted) or _first_found((_kind(wanted),)) or user_shell()


def shell_at(path: str) -> Shell | None:
    """The shell at this path, or None if it is not there or not one we can drive."""
    kind = _kind(path)
    if kind in _KINDS and os.path.isabs(path) and os.access(path, os.X_OK):
        return Shell(kind, path)
    return None


def _kind(path: str) -> str:
    return PurePosixPath(path).name.removesuffix(".exe")


def _first_found(kinds: tuple[str, ...]) -> Shell | None:
    for kind in kinds:
        if kind not in _KINDS:
            continue
        for place in _PLACES:
            path = f"{place}/{kind}"
            if os.access(path, os.X_OK):
                return Shell(kind, path)
    return None
