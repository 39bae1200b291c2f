"""Changes to files under a sandbox: done by a small command that is confined like any other.

So the same mechanism decides about them as about commands, and no check of paths can be raced.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeAlias

from app_server.exec_server import file_methods
from app_server.exec_server.confinement import Confinement
from app_server.exec_server.locations import local_path
from app_server.exec_server.loop import Loop, Timer
from app_server.exec_server.output import Chunk
from app_server.exec_server.processes import ManagedProcess
from app_server.exec_server.protocol import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    Body,
    EmptyResult,
    ServiceError,
)
from app_server.exec_server.spawn import SpawnSpec, confined_spec

Reply: TypeAlias = Callable[[Body | ServiceError], None]

LONGEST_WORK_SECONDS = 30.0
"""For instance when a pipe is opened that nobody reads."""
COMPLAINT_BYTES = 4096


class ConfinedChange:
    """One change, from its start to its answer."""

    def __init__(self, loop: Loop, params: file_methods.FileParams, demand: Confinement) -> None:
        """Raises `ServiceError` for params that name no change."""
        self._loop = loop
        self._argv, self._input = _command(params)
        self._demand = demand
        self._reply: Reply = lambda result: None
        self._timer: Timer | None = None
        self.process = ManagedProcess("change of a file", loop, COMPLAINT_BYTES, self)

    def run(self, reply: Reply) -> None:
        """Start it; the answer comes once it is done. Raises `ServiceError` or `OSError`."""
        env = {"PATH": os.environ.get("PATH", os.defpath)}
        if "TMPDIR" in os.environ:
            env["TMPDIR"] = os.environ["TMPDIR"]
        spec = SpawnSpec(
            argv=self._argv,
            cwd="/",
            env=env,
            arg0=None,
            size=None,
            is_stdin_open=True,
            inherited_data={},
            mount_points=(),
            claims_terminal=False,
        )
        spec = confined_spec(spec, self._demand)
        self._reply = reply
        self.process.start(spec, self._started)

    def _started(self, problem: str | None) -> None:
        if problem is not None:
            self._answer(ServiceError(INTERNAL_ERROR, problem))
            return
        self._timer = self._loop.call_later(LONGEST_WORK_SECONDS, lambda: self.process.terminate(0))
        try:
            self.process.write(self._input, lambda: None)
            self.process.close_stdin()
        except ServiceError:
            pass  # it has ended already, and says itself why

    def process_wrote(self, process: ManagedProcess, chunk: Chunk) -> None:
        pass

    def process_exited(self, process: ManagedProcess) -> None:
        if process.exit_code == 0:
            self._answer(EmptyResult())
            return
        complaint = process.retained.joined("stderr").decode(errors="replace").strip()
        self._answer(ServiceError(INTERNAL_ERROR, complaint or "the change could not be made"))

    def process_closed(self, process: ManagedProcess) -> None:
        pass

    def _answer(self, result: Body | ServiceError) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._reply(result)


def _command(params: file_methods.FileParams) -> tuple[list[str], bytes]:
    """The program that makes the change, and its input."""
    match params:
        case file_methods.WriteFileParams():
            argv = ["/bin/sh", "-c", 'exec cat > "$1"', "sh", _path(params.path)]
            return argv, params.data_base64
        case file_methods.CreateDirectoryParams():
            flags = [] if params.recursive is False else ["-p"]
            return ["mkdir", *flags, "--", _path(params.path)], b""
        case file_methods.RemoveParams():
            flags = [] if params.recursive is False else ["-r"]
            flags += [] if params.force is False else ["-f"]
            program = "rm" if params.recursive is not False else _remover(params.path)
            return [program, *(flags if program == "rm" else []), "--", _path(params.path)], b""
        case file_methods.CopyParams():
            flags = ["-R"] if params.recursive else []
            places = [_path(params.source_path), _path(params.destination_path)]
            return ["cp", "-P", "-T", *flags, "--", *places], b""
    raise ServiceError(INVALID_PARAMS, "not a change of a file")


def _remover(path: str) -> str:
    place = _path(path)
    return "rmdir" if os.path.isdir(place) and not os.path.islink(place) else "rm"


def _path(text: str) -> str:
    path = local_path(text)
    if path is None or "\0" in path:
        raise ServiceError(INVALID_PARAMS, f"path must be absolute: {text}")
    return path
