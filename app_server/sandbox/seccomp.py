"""The system calls a confined command may not make, as a program for the kernel.

Namespaces take away what a command can see; the filter takes away what it could still call. It is
assembled here as classic BPF, once per process and kind. Refused calls fail with EPERM, `clone3`
with ENOSYS so that the C library falls back to `clone`, whose flags can be looked at. A program for
another processor than this one kills its process. Everything not named is allowed.

Without network no socket can be made at all, since a filter cannot see an address that `sendmsg`
is given. Socket pairs stay, but only the connected kinds: half a pair of datagram sockets may name
any other receiver. `shutdown` and `getpeername` stay as well, since on such pairs they reach nobody
else (node ends the input of its children with the former).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

_EPERM = 1
_ENOSYS = 38

_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_ERRNO = 0x00050000

_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_AND = 0x54  # BPF_ALU | BPF_AND | BPF_K
_JUMP_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_JUMP_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_JUMP_ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K

# struct seccomp_data: number, architecture, instruction pointer, six arguments of eight bytes.
_AT_NUMBER = 0
_AT_ARCHITECTURE = 4
_AT_ARGUMENTS = 16

_X32_BIT = 0x40000000
_NEW_NAMESPACES = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET."""
_TERMINAL_INJECTION: tuple[int, ...] = (0x5412, 0x541C)
"""TIOCSTI, TIOCLINUX."""
_ATTRIBUTE_CHANGES = (0x40086602, 0x401C5820)
"""FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR."""
_AF_UNIX = 1
_AF_INET = 2
_AF_INET6 = 10
_SOCK_STREAM = 1
_SOCK_SEQPACKET = 5
_SOCKET_TYPE = 0xF
"""Without the flags that come with it."""


class _Machine(NamedTuple):
    audit_architecture: int
    column: int
    has_x32: bool


_MACHINES = {
    "x86_64": _Machine(0xC000003E, 0, True),
    "aarch64": _Machine(0xC00000B7, 1, False),
}

_ALWAYS_REFUSED: Mapping[str, tuple[int | None, int | None]] = {
    # Other processes.
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    # A way around every other rule here.
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    # Namespaces and mounts, old interface and new.
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467),
    "open_by_handle_at": (304, 265),
    # Keys.
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # The kernel itself.
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "fanotify_init": (300, 262),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "syslog": (103, 116),
    "iopl": (172, None),
    "ioperm": (173, None),
    "vhangup": (153, 58),
    # The machine's clock and name.
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
}

_NETWORK: Mapping[str, tuple[int, int]] = {
    "socket": (41, 198),
    "connect": (42, 203),
    "accept": (43, 202),
    "accept4": (288, 242),
    "bind": (49, 200),
    "listen": (50, 201),
    "sendmmsg": (307, 269),
    "recvmmsg": (299, 243),
}

_OF_TCP = frozenset(("socket", "connect", "accept", "accept4", "bind", "listen"))

_WITHOUT_NAMESPACES: Mapping[str, tuple[int | None, int | None]] = {
    # System V objects and message queues are everybody's.
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "semget": (64, 190),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "semctl": (66, 191),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    # File attributes, which Landlock does not cover.
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "lchown": (94, None),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "removexattrat": (466, 466),
    "file_setattr": (469, 469),
}

_CLONE = (56, 220)
_CLONE3 = (435, 435)
_IOCTL = (16, 29)
_SOCKETPAIR = (53, 199)
_SENDTO = (44, 206)
_PRLIMIT = (302, 261)


class UnknownMachine(Exception):
    """No program can be made for this processor."""


@cache
def program(
    *,
    network_allowed: bool,
    has_namespaces: bool = True,
    has_door: bool = False,
    machine: str | None = None,
) -> bytes:
    """The filter as the kernel reads it: `sock_filter` records, eight bytes each.

    A command without namespaces of its own is refused more; one with a door to a proxy may make TCP
    sockets in the network of its own. Raises `UnknownMachine`.
    """
    name = machine or os.uname().machine
    target = _MACHINES.get(name)
    if target is None:
        raise UnknownMachine(name)
    column = target.column
    refused = [numbers[column] for numbers in _ALWAYS_REFUSED.values()]
    if not network_allowed:
        kept = _OF_TCP if has_door else frozenset()
        refused += [numbers[column] for call, numbers in _NETWORK.items() if call not in kept]
    unwanted_ioctls = _TERMINAL_INJECTION
    if not has_namespaces:
        refused += [numbers[column] for numbers in _WITHOUT_NAMESPACES.values()]
        unwanted_ioctls += _ATTRIBUTE_CHANGES

    code = [
        _op(_LOAD, _AT_ARCHITECTURE),
        _op(_JUMP_EQUAL, target.audit_architecture, 1, 0),
        _op(_RETURN, _KILL),
        _op(_LOAD, _AT_NUMBER),
    ]
    if target.has_x32:
        code += [_op(_JUMP_AT_LEAST, _X32_BIT, 0, 1), _refuse(_EPERM)]
    for number in refused:
        if number is not None:
            code += [_op(_JUMP_EQUAL, number, 0, 1), _refuse(_EPERM)]
    code += [_op(_JUMP_EQUAL, _CLONE3[column], 0, 1), _refuse(_ENOSYS)]
    code += _when(
        _CLONE[column],
        [*_load_argument(0), _op(_JUMP_ANY_BIT, _NEW_NAMESPACES, 0, 1), _refuse(_EPERM)],
    )
    # The kernel looks at the lower half of a request only, so that is what is compared.
    ioctls = [[_op(_JUMP_EQUAL, request, 0, 1), _refuse(_EPERM)] for request in unwanted_ioctls]
    code += _when(_IOCTL[column], [*_load_argument(1), *(op for pair in ioctls for op in pair)])
    if not has_namespaces:
        # Only a process's own limits may be set.
        code += _when(
            _PRLIMIT[column],
            [
                *_load_argument(0),
                _op(_JUMP_EQUAL, 0, 5, 0),
                *_load_argument(2),
                _op(_JUMP_EQUAL, 0, 0, 2),
                *_load_argument(2, upper_half=True),
                _op(_JUMP_EQUAL, 0, 1, 0),
                _refuse(_EPERM),
            ],
        )
    if has_door:
        code += _when(_NETWORK["socket"][column], _only_tcp())
    if not network_allowed:
        code += _when(
            _SOCKETPAIR[column],
            [
                *_load_argument(0),
                _op(_JUMP_EQUAL, _AF_UNIX, 1, 0),
                _refuse(_EPERM),
                *_load_argument(1),
                _op(_AND, _SOCKET_TYPE),
                _op(_JUMP_EQUAL, _SOCK_STREAM, 2, 0),
                _op(_JUMP_EQUAL, _SOCK_SEQPACKET, 1, 0),
                _refuse(_EPERM),
            ],
        )
        # Without an address it only goes where a socket pair leads, as programs that wake
        # themselves do it.
        code += _when(
            _SENDTO[column],
            [
                *_load_argument(4),
                _op(_JUMP_EQUAL, 0, 1, 0),
                _refuse(_EPERM),
                *_load_argument(4, upper_half=True),
                _op(_JUMP_EQUAL, 0, 1, 0),
                _refuse(_EPERM),
            ],
        )
    code.append(_op(_RETURN, _ALLOW))
    return b"".join(code)


def _only_tcp() -> list[bytes]:
    """Whatever has an address elsewhere than in the network of the command's own is refused."""
    return [
        *_load_argument(0),
        _op(_JUMP_EQUAL, _AF_INET, 2, 0),
        _op(_JUMP_EQUAL, _AF_INET6, 1, 0),
        _refuse(_EPERM),
        *_load_argument(1),
        _op(_AND, _SOCKET_TYPE),
        _op(_JUMP_EQUAL, _SOCK_STREAM, 1, 0),
        _refuse(_EPERM),
    ]


def number_of(call: str) -> int:
    """This machine's number of one of the calls refused. Raises `UnknownMachine`."""
    target = _MACHINES.get(os.uname().machine)
    number = None if target is None else _ALWAYS_REFUSED[call][target.column]
    if number is None:
        raise UnknownMachine(os.uname().machine)
    return number


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _refuse(errno: int) -> bytes:
    return _op(_RETURN, _ERRNO | errno)


def _load_argument(index: int, upper_half: bool = False) -> list[bytes]:
    """Both machines are little-endian: the lower half of an argument comes first."""
    return [_op(_LOAD, _AT_ARGUMENTS + 8 * index + (4 if upper_half else 0))]


def _when(number: int, checks: list[bytes]) -> list[bytes]:
    """Run the checks for this call alone; whatever they let through is allowed."""
    checks = [*checks, _op(_RETURN, _ALLOW)]
    return [_op(_JUMP_EQUAL, number, 0, len(checks)), *checks]
