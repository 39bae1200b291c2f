"""How the mechanisms of our own are started: a bare interpreter, the program, and its plan.

The program (`confine/`) is read and compiled once per server and travels in memory, since the
folder it lies in may be one that commands can write. It runs outside the sandbox until it has built
it, hence the empty environment: no variable of the command's can load anything into it.
"""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import CodeType
from typing import TYPE_CHECKING, NamedTuple

from app_server.sandbox import landlock, seccomp
from app_server.sandbox.mounts import mounts
from app_server.sandbox.policy import Access

if TYPE_CHECKING:
    from app_server.sandbox.proxy_door import Door

PROXY_PORT = 3128
"""Where the proxy is found in a command's own network, where nobody else can have the number."""

_PLAN_FD = 3
_PACKAGE = "app_server.sandbox.confine"
_FILES = ("kernel", "giving_up", "command", "view", "network", "namespaces", "program")
"""Each imports only files before it."""
_RUN_PLAN = f"""\
import marshal, sys
files, plan = marshal.load(open({_PLAN_FD}, 'rb'))
for name, code in files:
    file = sys.modules[name] = type(sys)(name)
    exec(code, file.__dict__)
file.main(plan)
"""


class HelperCommand(NamedTuple):
    """What to spawn."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    inherited_data: Mapping[int, bytes]


def in_namespaces(
    access: Access,
    argv: Sequence[str],
    cwd: str,
    env: Mapping[str, str],
    *,
    claims_terminal: bool = False,
    door: Door | None = None,
) -> HelperCommand:
    """The command in namespaces made by our own program, with Landlock where there is any.

    With a door its network is its own, but for what the proxy behind the door lets through.
    """
    return _helper_command(
        has_namespaces=True,
        network_allowed=access.network_allowed,
        all_writable=any(root.path == "/" for root in access.writable_roots),
        mounts=[entry for entry in mounts(access) if entry[0] != "/"],
        landlock=landlock.beside_namespaces(access),
        readable=None if access.readable is None else list(access.readable),
        pivot_root=seccomp.number_of("pivot_root"),
        seccomp=seccomp.program(network_allowed=access.network_allowed, has_door=door is not None),
        door=None if door is None else (door.place, door.token, PROXY_PORT),
        claims_terminal=claims_terminal,
        argv=list(argv),
        cwd=cwd,
        env=dict(env),
    )


def in_landlock(
    access: Access, argv: Sequence[str], cwd: str, env: Mapping[str, str]
) -> HelperCommand:
    """The command under Landlock and the filter alone; only for policies that write nowhere."""
    return _helper_command(
        has_namespaces=False,
        landlock=landlock.alone(),
        seccomp=seccomp.program(network_allowed=access.network_allowed, has_namespaces=False),
        claims_terminal=False,
        argv=list(argv),
        cwd=cwd,
        env=dict(env),
    )


def own_files() -> tuple[str, ...]:
    """The interpreter's files, which no command may change where this program is used."""
    return (os.path.realpath(_interpreter()), os.path.realpath(os.path.dirname(os.__file__)))


def _helper_command(**plan: object) -> HelperCommand:
    return HelperCommand(
        argv=(_interpreter(), "-I", "-S", "-c", _RUN_PLAN),
        env={},
        inherited_data={_PLAN_FD: marshal.dumps((_program(), plan))},
    )


def _interpreter() -> str:
    """The one below a virtual environment, whose link a command could replace."""
    return getattr(sys, "_base_executable", None) or sys.executable


@lru_cache(maxsize=1)
def _program() -> list[tuple[str, CodeType]]:
    folder = os.path.join(os.path.dirname(__file__), "confine")
    return [(f"{_PACKAGE}.{name}", _compiled(f"{folder}/{name}.py")) for name in _FILES]


def _compiled(path: str) -> CodeType:
    with open(path, "rb") as file:
        return compile(file.read(), path, "exec", dont_inherit=True, optimize=2)
