"""Giving up: what the command must not have, in an order that leaves each step possible."""

from __future__ import annotations

import ctypes
import os

from app_server.sandbox.confine.kernel import Failed, check, libc, syscall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SYS_LANDLOCK_CREATE = 444
SYS_LANDLOCK_ADD = 445
SYS_LANDLOCK_RESTRICT = 446

PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_SECUREBITS = 28
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
SECUREBITS_ALL_LOCKED = 0xEF  # root means nothing, nothing is raised, and so it stays
CAPABILITY_VERSION = 0x20080522

LANDLOCK_FILE_RIGHTS = 0x1 | 0x2 | 0x4 | 1 << 14 | 1 << 15


def give_up_everything(plan: dict[str, Any]) -> None:
    """Capabilities, the hope for new ones, writing elsewhere, and the calls of the filter."""
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # past the last one, or not privileged to begin with
    libc.prctl(PR_SET_SECUREBITS, SECUREBITS_ALL_LOCKED, 0, 0, 0)
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    nothing = (ctypes.c_uint32 * 6)()
    check("drop capabilities", libc.capset(ctypes.byref(header), ctypes.byref(nothing)))
    check("prctl", libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    if plan["landlock"] is not None:
        _restrict_files(plan["landlock"])
    program = plan["seccomp"]
    instructions = ctypes.create_string_buffer(program, len(program))
    filter_ = _Filter(len(program) // 8, ctypes.addressof(instructions))
    check("seccomp", libc.prctl(PR_SET_SECCOMP, 2, ctypes.byref(filter_), 0, 0))


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("folder_fd", ctypes.c_int32))


def _restrict_files(rules: dict[str, Any]) -> None:
    attributes = (ctypes.c_uint64 * 3)(rules["handled"], 0, rules["scoped"])
    size = 24 if rules["scoped"] else 8
    ruleset = syscall(SYS_LANDLOCK_CREATE, ctypes.byref(attributes), size, 0)
    check("landlock", ruleset)
    for path, rights in rules["allowed"]:
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise Failed(f"landlock {path}", error) from None
        _allow(ruleset, fd, rights if os.path.isdir(path) else rights & LANDLOCK_FILE_RIGHTS)
        os.close(fd)
    for stream in (0, 1, 2):
        # What the caller gave us to write to may be opened again under its name, /dev/stdout.
        try:
            fd = os.open(f"/proc/self/fd/{stream}", os.O_PATH | os.O_CLOEXEC)
            if os.isatty(stream):
                _allow(ruleset, fd, rules["handled"] & LANDLOCK_FILE_RIGHTS)
            os.close(fd)
        except (Failed, OSError):
            continue
    check("landlock", syscall(SYS_LANDLOCK_RESTRICT, ruleset, 0))
    os.close(ruleset)


def _allow(ruleset: int, fd: int, rights: int) -> None:
    rule = _Beneath(rights, fd)
    check("landlock rule", syscall(SYS_LANDLOCK_ADD, ruleset, 1, ctypes.byref(rule), 0))
