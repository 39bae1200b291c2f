"""Starting one command: its streams, its keeper, and the descriptors the service keeps.

Forks, so it belongs in a process without other threads.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from app_server.exec_server import mount_points, pipes, pty
from app_server.exec_server.confinement import Confinement
from app_server.exec_server.keeper import Command, keep
from app_server.exec_server.protocol import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    ServiceError,
    Stream,
)


class SpawnSpec(NamedTuple):
    """A resolved request."""

    argv: Sequence[str]
    cwd: str
    env: Mapping[str, str]
    arg0: str | None
    size: tuple[int, int] | None
    """Rows and columns of a terminal; None for pipes."""
    is_stdin_open: bool
    inherited_data: Mapping[int, bytes]
    mount_points: Sequence[str]
    claims_terminal: bool
    confinement: str = "none"
    """What holds it, as `sandbox.launch` names it."""


class Spawned(NamedTuple):
    """A keeper that is starting a command. The descriptors are non-blocking and the caller's."""

    keeper_pid: int
    keeper_pidfd: int
    """Readable once the keeper has ended."""
    report_fd: int
    input_fd: int | None
    outputs: Mapping[int, Stream]


def spawn(spec: SpawnSpec) -> Spawned:
    """Fork a keeper for the command. Whether it could be executed is told through `report_fd`.

    Raises `OSError` or `MountPointBlocked` if it does not come to that.
    """
    opened: list[int] = []
    ours: list[int] = []
    try:
        held = []
        for path in spec.mount_points:
            held.append((path, mount_points.hold(path)))
            opened.append(held[-1][1])
        inherited = {}
        for number, data in spec.inherited_data.items():
            inherited[number] = _memory_file(data)
            opened.append(inherited[number])
        if spec.size is not None:
            streams = pty.open_streams(*spec.size)
        else:
            streams = pipes.open_streams(spec.is_stdin_open)
        opened += {streams.stdin, streams.stdout, streams.stderr}
        ours += {*streams.outputs, *([] if streams.input_fd is None else [streams.input_fd])}
        report_read, report_write = os.pipe()
        opened.append(report_write)
        ours.append(report_read)
        command = Command(
            argv=spec.argv,
            cwd=spec.cwd,
            env=spec.env,
            arg0=spec.arg0,
            stdin=streams.stdin,
            stdout=streams.stdout,
            stderr=streams.stderr,
            owns_terminal=spec.size is not None and not spec.claims_terminal,
            inherited=inherited,
            held=held,
        )
        service_pid = os.getpid()
        keeper_pid = os.fork()
        if keeper_pid == 0:
            keep(command, report_write, service_pid)
    except BaseException:
        opened += ours
        raise
    finally:
        for fd in opened:
            os.close(fd)
    os.set_blocking(report_read, False)
    return Spawned(
        keeper_pid=keeper_pid,
        keeper_pidfd=os.pidfd_open(keeper_pid),
        report_fd=report_read,
        input_fd=streams.input_fd,
        outputs=streams.outputs,
    )


def confined_spec(spec: SpawnSpec, demand: Confinement) -> SpawnSpec:
    """The same command inside the sandbox demanded. Raises `ServiceError`."""
    from app_server.sandbox.errors import SandboxError
    from app_server.sandbox.launch import prepare

    if spec.arg0 is not None:
        raise ServiceError(INVALID_PARAMS, "arg0 cannot be given to a confined command")
    try:
        prepared = prepare(
            demand.policy,
            spec.argv,
            spec.cwd,
            spec.env,
            tty=spec.size is not None,
            policy_cwd=demand.folder,
            also_protected=demand.protected,
        )
    except SandboxError as error:
        raise ServiceError(INTERNAL_ERROR, str(error)) from error
    return spec._replace(
        argv=prepared.argv,
        env=prepared.env,
        inherited_data=prepared.inherited_data,
        mount_points=prepared.mount_points,
        claims_terminal=prepared.claims_terminal,
        confinement=prepared.confinement,
    )


def _memory_file(data: bytes) -> int:
    fd = os.memfd_create("inherited")
    with open(fd, "wb", closefd=False) as file:
        file.write(data)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
