"""Landlock's part of a plan: where a command may write, as rules the kernel checks by path.

Beside namespaces it is a second line that also covers what mounts do not: named pipes outside may
not be written, and nobody outside may be signalled or looked into. Alone it can keep a read-only
policy; it cannot carve `.git` out of a writable folder. Pure but for asking the kernel its version.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypedDict

from app_server.sandbox.policy import Access

_CREATE_RULESET = 444
_ASK_VERSION = 1

_WRITE_FILE = 1 << 1
_REMOVE_AND_MAKE = sum(1 << bit for bit in range(4, 13))
_REFER = 1 << 13
_TRUNCATE = 1 << 14
_DEVICE_IOCTL = 1 << 15
_SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS = 0x3

LEAST_VERSION_BESIDE_NAMESPACES = 2
"""Without the right to rename from folder to folder, ordinary work breaks."""
LEAST_VERSION_ALONE = 6
"""Older ones let a command send signals to processes outside."""

_HARMLESS_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "ptmx")


class LandlockRules(TypedDict):
    """As `confine` reads them."""

    handled: int
    scoped: int
    allowed: list[tuple[str, int]]


@lru_cache(maxsize=1)
def version() -> int:
    """The kernel's Landlock version; 0 where there is none or it is switched off."""
    import ctypes  # 3 ms, and needed by nobody else on the way to a command

    libc = ctypes.CDLL(None, use_errno=True)
    zero = ctypes.c_long(0)
    return max(0, int(libc.syscall(ctypes.c_long(_CREATE_RULESET), zero, zero, _ASK_VERSION)))


def beside_namespaces(access: Access) -> LandlockRules | None:
    """Writing in the writable roots and the sandbox's own /dev; None on a kernel too old for it."""
    if version() < LEAST_VERSION_BESIDE_NAMESPACES:
        return None
    writing = _writing(version())
    places = ["/dev", *(root.path for root in access.writable_roots)]
    return LandlockRules(
        handled=writing, scoped=_scoped(version()), allowed=[(path, writing) for path in places]
    )


def alone() -> LandlockRules:
    """Writing nowhere but to harmless devices."""
    writing = _writing(version()) | _DEVICE_IOCTL
    return LandlockRules(
        handled=writing,
        scoped=_scoped(version()),
        allowed=[(f"/dev/{name}", writing) for name in _HARMLESS_DEVICES],
    )


def closes_abstract() -> bool:
    """Whether sockets with abstract names outside are out of reach."""
    return _scoped(version()) != 0


def _writing(version: int) -> int:
    rights = _WRITE_FILE | _REMOVE_AND_MAKE | _REFER
    return rights | _TRUNCATE if version >= 3 else rights


def _scoped(version: int) -> int:
    return _SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS if version >= 6 else 0
