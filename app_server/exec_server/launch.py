"""A process service as our child, whose life is tied to the handle.

Our own is started without the interpreter's site set-up, told by path where its two packages lie,
so that it is ready in tens of milliseconds and picks nothing up from the environment or the folder
it is started in.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from app_server.exec_server import kill
from app_server.exec_server.client import ExecServerClient, ExecServerError, PipeTransport
from app_server.exec_server.lines import LineReader

log = logging.getLogger(__name__)

INITIALIZE_TIMEOUT_SECONDS = 10.0
CLOSE_TIMEOUT_SECONDS = 3.0
"""For the service to end what it runs and itself, once its input has ended."""
PIPE_BYTES = 1024 * 1024
_CLOSE_CHECK_SECONDS = 0.005

# msgspec finds in the standard library what it asks typing_extensions for, which takes longer to
# load than msgspec itself; see docs/decisions/0003.
_START = (
    "import sys; sys.path[:0] = sys.argv[1:3]; del sys.argv[1:3]; "
    "sys.modules['typing_extensions'] = None; import msgspec; "
    "del sys.modules['typing_extensions']; import runpy; "
    "runpy.run_module('app_server.exec_server', run_name='__main__')"
)


class LaunchedService:
    """A running service with a client connected to it."""

    def __init__(
        self, process: subprocess.Popen[bytes], client: ExecServerClient, complaints: LineReader
    ) -> None:
        self._process = process
        self._complaints = complaints
        self.client = client

    @property
    def pid(self) -> int:
        return self._process.pid

    async def close(self) -> None:
        """End the service and everything it runs. Bounded; by force in the end."""
        await self.client.close()
        await _wait(self._process)
        self._complaints.stop()
        assert self._process.stderr is not None
        self._process.stderr.close()


async def launch(retained_output_bytes: int, client_name: str = "codex-core") -> LaunchedService:
    """Start a service of our own and shake hands with it. Raises `ExecServerError`."""
    return await _connected(
        lambda: _start(retained_output_bytes), client_name, INITIALIZE_TIMEOUT_SECONDS
    )


async def launch_program(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    client_name: str = "codex-core",
    initialize_timeout_seconds: float = INITIALIZE_TIMEOUT_SECONDS,
) -> LaunchedService:
    """Start a program that is a service and shake hands with it. Raises `ExecServerError`.

    `env` comes on top of our own variables.
    """
    return await _connected(
        lambda: subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        ),
        client_name,
        initialize_timeout_seconds,
    )


async def _connected(
    start: Callable[[], subprocess.Popen[bytes]], client_name: str, timeout_seconds: float
) -> LaunchedService:
    try:
        process = start()
    except OSError as error:
        raise ExecServerError(f"failed to spawn exec-server: {error}") from error
    assert process.stdin is not None
    assert process.stdout is not None
    reader, writer = os.dup(process.stdout.fileno()), os.dup(process.stdin.fileno())
    process.stdin.close()
    process.stdout.close()
    client = ExecServerClient(PipeTransport(reader, writer))
    service = LaunchedService(process, client, _heard_complaints(process))
    try:
        await client.initialize(client_name, timeout_seconds)
    except BaseException:
        await asyncio.shield(service.close())
        raise
    return service


def _start(retained_output_bytes: int) -> subprocess.Popen[bytes]:
    packages = Path(__file__).resolve().parents[2]
    libraries = Path(msgspec.__file__).resolve().parents[1]
    places = [str(packages), str(libraries)]
    settings = [str(os.getpid()), str(retained_output_bytes)]
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _START, *places, *settings],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
        start_new_session=True,
    )
    for stream in (process.stdin, process.stdout):
        assert stream is not None
        try:
            fcntl.fcntl(stream, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        except OSError:
            pass  # the user's share of pipe memory is used up; the usual size works as well
    return process


def _heard_complaints(process: subprocess.Popen[bytes]) -> LineReader:
    """Log what the service says on stderr, which may be a terminal that shows our interface."""
    assert process.stderr is not None
    os.set_blocking(process.stderr.fileno(), False)
    return LineReader(
        asyncio.get_running_loop(),
        process.stderr.fileno(),
        lambda line: log.warning("process service: %s", line.decode(errors="replace")),
        lambda problem: None,
    )


async def _wait(process: subprocess.Popen[bytes]) -> None:
    if await _has_ended(process):
        return
    # A command may have stopped the very processes that would end it.
    kill.kill_tree(process.pid)
    process.send_signal(signal.SIGCONT)
    if not await _has_ended(process):
        process.kill()
        process.wait()


async def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    for _ in range(round(CLOSE_TIMEOUT_SECONDS / _CLOSE_CHECK_SECONDS)):
        if process.poll() is not None:
            return True
        await asyncio.sleep(_CLOSE_CHECK_SECONDS)
    return False
