"""A start as it was asked for, checked and with its defaults, ready to be spawned."""

from __future__ import annotations

import os

from app_server.exec_server import protocol
from app_server.exec_server.confinement import demanded
from app_server.exec_server.limits import Limits
from app_server.exec_server.locations import local_path
from app_server.exec_server.protocol import INVALID_PARAMS, ServiceError
from app_server.exec_server.spawn import SpawnSpec, confined_spec

DEFAULT_ROWS, DEFAULT_COLS = 24, 80


def resolved_spec(params: protocol.StartParams, limits: Limits) -> SpawnSpec:
    """The request with its defaults, checked. Raises `ServiceError`."""
    strings = [*params.argv, params.cwd, params.arg0 or "", *params.mount_points]
    strings += [*params.env.keys(), *params.env.values()]
    if any("\0" in string for string in strings):
        raise ServiceError(INVALID_PARAMS, "a string must not contain a NUL character")
    if any(not name or "=" in name for name in params.env):
        raise ServiceError(INVALID_PARAMS, "a variable's name must not be empty or contain `=`")
    cwd = local_path(params.cwd)
    if cwd is None:
        raise ServiceError(INVALID_PARAMS, f"cwd must be absolute: {params.cwd}")
    if any(number < 3 or number > 255 for number in params.inherited_data):
        raise ServiceError(INVALID_PARAMS, "inherited descriptors must be between 3 and 255")
    if sum(map(len, params.inherited_data.values())) > limits.max_inherited_bytes:
        raise ServiceError(INVALID_PARAMS, "inherited data is too large")
    io = params.io
    if io is None:
        io = (
            protocol.PtyIo(rows=DEFAULT_ROWS, cols=DEFAULT_COLS)
            if params.tty
            else protocol.PipeIo(stdin="open" if params.pipe_stdin else "closed")
        )
    spec = SpawnSpec(
        argv=params.argv,
        cwd=cwd,
        env=_environment(params),
        arg0=params.arg0,
        size=_size(io.rows, io.cols) if isinstance(io, protocol.PtyIo) else None,
        is_stdin_open=isinstance(io, protocol.PtyIo) or io.stdin == "open",
        inherited_data=params.inherited_data,
        mount_points=params.mount_points,
        claims_terminal=params.claims_terminal,
    )
    demand = demanded(params.sandbox, cwd)
    return spec if demand is None else confined_spec(spec, demand)


def _environment(params: protocol.StartParams) -> dict[str, str]:
    if params.env_policy is None:
        return params.env
    from app_server.exec.shell_env import command_environment

    return command_environment(params.env_policy, os.environ) | params.env


def _size(rows: int, cols: int) -> tuple[int, int]:
    if not (0 < rows < 65536 and 0 < cols < 65536):
        raise ServiceError(INVALID_PARAMS, "rows and cols must be between 1 and 65535")
    return rows, cols
