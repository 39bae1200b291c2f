"""The filter's verdict on single calls, read by a small machine of our own: also for a processor
this one is not."""

from __future__ import annotations

import struct

import pytest

from app_server.sandbox.seccomp import UnknownMachine, program

ALLOW, EPERM, ENOSYS, KILL = "allow", "EPERM", "ENOSYS", "kill"
VERDICTS = {0x7FFF0000: ALLOW, 0x50001: EPERM, 0x50026: ENOSYS, 0x80000000: KILL}
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
NUMBERS = {
    "x86_64": {
        "read": 0, "socket": 41, "socketpair": 53, "sendto": 44, "sendmsg": 46, "ioctl": 16,
        "clone": 56, "clone3": 435, "ptrace": 101, "unshare": 272, "chmod": 90, "prlimit64": 302,
        "shmget": 29, "keyctl": 250, "mount": 165, "shutdown": 48, "execve": 59,
    },
    "aarch64": {
        "read": 63, "socket": 198, "socketpair": 199, "sendto": 206, "sendmsg": 211, "ioctl": 29,
        "clone": 220, "clone3": 435, "ptrace": 117, "unshare": 97, "chmod": 53, "prlimit64": 261,
        "shmget": 194, "keyctl": 219, "mount": 40, "shutdown": 210, "execve": 221,
    },
}  # fmt: skip


def verdict(code: bytes, architecture: int, number: int, *arguments: int) -> str:
    """Run the program as the kernel would."""
    data = struct.pack("<IIQ6Q", number, architecture, 0, *arguments, *([0] * (6 - len(arguments))))
    steps = list(struct.iter_unpack("=HBBI", code))
    position, value = 0, 0
    while True:
        operation, if_true, if_false, operand = steps[position]
        position += 1
        if operation == 0x20:
            value = struct.unpack_from("<I", data, operand)[0]
        elif operation == 0x54:
            value &= operand
        elif operation == 0x06:
            return VERDICTS[operand]
        else:
            holds = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}
            position += if_true if holds[operation] else if_false


UNIX, INET, STREAM, DATAGRAM, PACKET = 1, 2, 1, 2, 5

CASES = [
    ("read", (), ALLOW),
    ("execve", (), ALLOW),
    ("sendmsg", (), ALLOW),
    ("shutdown", (), ALLOW),
    ("socket", (UNIX, STREAM), EPERM),
    ("socketpair", (UNIX, STREAM), ALLOW),
    ("socketpair", (UNIX, STREAM | 0o2000000 | 0o4000), ALLOW),
    ("socketpair", (UNIX, PACKET), ALLOW),
    ("socketpair", (UNIX, DATAGRAM), EPERM),
    ("socketpair", (INET, STREAM), EPERM),
    ("sendto", (3, 1, 1, 0, 0, 0), ALLOW),
    ("sendto", (3, 1, 1, 0, 0x7FFF, 16), EPERM),
    ("sendto", (3, 1, 1, 0, 0x7FFF00000000, 16), EPERM),
    ("ioctl", (0, 0x5401), ALLOW),
    ("ioctl", (0, 0x5412), EPERM),
    ("ioctl", (0, 0x100005412), EPERM),
    ("ioctl", (0, 0x541C), EPERM),
    ("clone", (0x1200011,), ALLOW),
    ("clone", (0x10000011,), EPERM),
    ("clone", (0x20000,), EPERM),
    ("clone3", (), ENOSYS),
    ("ptrace", (), EPERM),
    ("unshare", (), EPERM),
    ("keyctl", (), EPERM),
    ("mount", (), EPERM),
    ("chmod", (), ALLOW),
    ("shmget", (), ALLOW),
]


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize(("call", "arguments", "expected"), CASES)
def test_without_network(
    machine: str, call: str, arguments: tuple[int, ...], expected: str
) -> None:
    code = program(network_allowed=False, machine=machine)
    assert verdict(code, ARCHITECTURES[machine], NUMBERS[machine][call], *arguments) == expected


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        ("socket", (INET, STREAM), ALLOW),
        ("sendto", (3, 1, 1, 0, 0x7FFF, 16), ALLOW),
        ("ptrace", (), EPERM),
        ("ioctl", (0, 0x5412), EPERM),
    ],
)
def test_with_network(machine: str, call: str, arguments: tuple[int, ...], expected: str) -> None:
    code = program(network_allowed=True, machine=machine)
    assert verdict(code, ARCHITECTURES[machine], NUMBERS[machine][call], *arguments) == expected


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        ("chmod", (), EPERM),
        ("shmget", (), EPERM),
        ("prlimit64", (0, 7, 0x1000), ALLOW),
        ("prlimit64", (55, 7, 0), ALLOW),
        ("prlimit64", (55, 7, 0x1000), EPERM),
        ("prlimit64", (55, 7, 0x100000000), EPERM),
        ("ioctl", (0, 0x40086602), EPERM),
        ("read", (), ALLOW),
    ],
)
def test_without_namespaces(
    machine: str, call: str, arguments: tuple[int, ...], expected: str
) -> None:
    code = program(network_allowed=False, has_namespaces=False, machine=machine)
    assert verdict(code, ARCHITECTURES[machine], NUMBERS[machine][call], *arguments) == expected


def test_a_foreign_processor_kills_and_an_x32_call_is_refused() -> None:
    code = program(network_allowed=True, machine="x86_64")
    assert verdict(code, 0x40000003, 0) == KILL
    assert verdict(code, ARCHITECTURES["x86_64"], 0x40000000) == EPERM
    assert verdict(program(network_allowed=True, machine="aarch64"), 0xC000003E, 0) == KILL


def test_an_unknown_processor_has_no_filter() -> None:
    with pytest.raises(UnknownMachine):
        program(network_allowed=False, machine="riscv64")
