"""Commands without a thread: run, feed, resize, end.

The answer to `command/exec` comes when the command has ended; what it wrote before is told first.
A named command can be reached by its connection as soon as it runs, and every command ends with its
connection, also one that is only being started when the client leaves.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING

from app_server.protocol.command_exec import (
    COMMAND_EXEC,
    COMMAND_EXEC_OUTPUT_DELTA,
    COMMAND_EXEC_RESIZE,
    COMMAND_EXEC_TERMINATE,
    COMMAND_EXEC_WRITE,
    CommandExecOutputDeltaNotification,
    CommandExecOutputStream,
    CommandExecParams,
    CommandExecResizeParams,
    CommandExecResizeResponse,
    CommandExecResponse,
    CommandExecTerminalSize,
    CommandExecTerminateParams,
    CommandExecTerminateResponse,
    CommandExecWriteParams,
    CommandExecWriteResponse,
)
from app_server.protocol.errors import InternalError, InvalidParams, InvalidRequest
from app_server.server.base64_text import decode_base64, encode_base64
from app_server.server.connection import Connection
from app_server.server.context import RequestContext
from app_server.server.registry import handles

if TYPE_CHECKING:
    from app_server.exec.environment import (
        Environment,
        OutputChunk,
        RunningProcess,
        SpawnRequest,
    )
    from app_server.exec.shell_env import Variables
    from app_server.sandbox.wishes import Permissions

DEFAULT_TIMEOUT_SECONDS = 10.0
DEFAULT_OUTPUT_BYTES_CAP = 1024 * 1024
END_GRACE_SECONDS = 0.5
WAITING_MESSAGES = 16
WAITING_BYTES = 512 * 1024
"""Messages its client has not taken, and their size, above which a command is held up:
one message may carry a whole read of a pipe.
"""


class Commands:
    """The running commands of one connection."""

    def __init__(self) -> None:
        self.named: dict[str, RunningCommand] = {}
        self.all: set[RunningCommand] = set()
        self.is_closed = False
        """The client has left: what starts now has nobody to run for."""

    def find(self, process_id: str) -> RunningCommand:
        command = self.named.get(process_id)
        if command is None:
            raise InvalidRequest(f"no active command/exec for process id {_quoted(process_id)}")
        return command

    async def close(self) -> None:
        self.is_closed = True
        for command in list(self.all):
            if command.process is not None:
                await command.process.terminate(END_GRACE_SECONDS)


class RunningCommand:
    """One command: how it may be spoken to, and what is kept or told of its output."""

    def __init__(self, connection: Connection, params: CommandExecParams) -> None:
        self.process: RunningProcess | None = None
        self.takes_input = params.stream_stdin or params.tty
        self.input_is_closed = False
        self.is_terminal = params.tty
        self._connection = connection
        self._process_id = params.process_id
        self._streams = params.stream_stdout_stderr or params.tty
        self._cap_bytes = _cap_bytes(params)
        self._taken: dict[CommandExecOutputStream, int] = {"stdout": 0, "stderr": 0}
        self._kept: dict[CommandExecOutputStream, list[bytes]] = {"stdout": [], "stderr": []}

    async def take_output(self, chunk: OutputChunk) -> None:
        """Tell or keep a piece of output, as far as the cap allows; wait for a slow client."""
        stream: CommandExecOutputStream = "stderr" if chunk.stream == "stderr" else "stdout"
        room = None if self._cap_bytes is None else self._cap_bytes - self._taken[stream]
        if room is not None and room <= 0:
            return
        self._taken[stream] += chunk.size_bytes
        if not self._streams:
            self._kept[stream].append(chunk.data[:room])
            return
        assert self._process_id is not None
        is_within = room is None or chunk.size_bytes <= room
        delta = CommandExecOutputDeltaNotification(
            process_id=self._process_id,
            stream=stream,
            delta_base64=chunk.encoded if is_within else encode_base64(chunk.data[:room]),
            cap_reached=room is not None and chunk.size_bytes >= room,
        )
        self._connection.notify(COMMAND_EXEC_OUTPUT_DELTA, delta)
        outbox = self._connection.outbox
        while len(outbox) > WAITING_MESSAGES or outbox.waiting_bytes > WAITING_BYTES:
            await outbox.flushed()  # others that waited, too, may have filled it since

    def kept(self, stream: CommandExecOutputStream) -> str:
        return b"".join(self._kept[stream]).decode("utf-8", "replace")


@handles(COMMAND_EXEC)
async def run(ctx: RequestContext, params: CommandExecParams) -> CommandExecResponse:
    from app_server.exec.errors import CommandNotStarted
    from app_server.exec.one_shot import TIMED_OUT_CODE, run_to_end

    _check(params)
    commands = ctx.connection.belonging(Commands)
    if params.process_id is not None and params.process_id in commands.named:
        raise InvalidRequest(
            f"duplicate active command/exec process id: {_quoted(params.process_id)}"
        )
    environment = await ctx.services.environment()
    request = await _prepared(ctx, params, environment)
    if commands.is_closed:
        raise InvalidRequest("the client of this command has left")
    command = RunningCommand(ctx.connection, params)

    def started(process: RunningProcess) -> None:
        command.process = process
        if commands.is_closed:
            ctx.server.tasks.start(process.terminate(END_GRACE_SECONDS))
            return
        commands.all.add(command)
        if params.process_id is not None:
            commands.named[params.process_id] = command
        ctx.release_queue()

    try:
        result = await run_to_end(
            environment,
            request,
            on_started=started,
            timeout_seconds=_timeout_seconds(params),
            cap_bytes=0,
            on_output=command.take_output,
        )
        assert command.process is not None
        status = await command.process.wait()
    except CommandNotStarted as error:
        raise InternalError(f"failed to spawn command: {error}") from error
    finally:
        commands.all.discard(command)
        if params.process_id is not None and commands.named.get(params.process_id) is command:
            del commands.named[params.process_id]
    code = -1 if status.code is None else status.code
    return CommandExecResponse(
        exit_code=TIMED_OUT_CODE if result.timed_out else code,
        stdout=command.kept("stdout"),
        stderr=command.kept("stderr"),
    )


@handles(COMMAND_EXEC_WRITE)
async def write(ctx: RequestContext, params: CommandExecWriteParams) -> CommandExecWriteResponse:
    from app_server.exec.errors import StdinClosed

    if params.delta_base64 is None and not params.close_stdin:
        raise InvalidParams("command/exec/write requires deltaBase64 or closeStdin")
    try:
        data = decode_base64(params.delta_base64 or "")
    except ValueError as error:
        raise InvalidParams(f"invalid deltaBase64: {error}") from None
    command = ctx.connection.belonging(Commands).find(params.process_id)
    if not command.takes_input:
        raise InvalidRequest("stdin streaming is not enabled for this command/exec")
    if command.input_is_closed:
        raise InvalidRequest("stdin is already closed")
    assert command.process is not None
    try:
        if data:
            await command.process.write(data)
        if params.close_stdin:
            command.input_is_closed = True
            await command.process.close_stdin()
    except StdinClosed:
        raise InvalidRequest("stdin is already closed") from None
    return CommandExecWriteResponse()


@handles(COMMAND_EXEC_RESIZE)
async def resize(ctx: RequestContext, params: CommandExecResizeParams) -> CommandExecResizeResponse:
    _check_size(params.size)
    command = ctx.connection.belonging(Commands).find(params.process_id)
    if not command.is_terminal:
        raise InvalidRequest("failed to resize PTY: process is not attached to a PTY")
    assert command.process is not None
    await command.process.resize(params.size.rows, params.size.cols)
    return CommandExecResizeResponse()


@handles(COMMAND_EXEC_TERMINATE)
async def terminate(
    ctx: RequestContext, params: CommandExecTerminateParams
) -> CommandExecTerminateResponse:
    command = ctx.connection.belonging(Commands).find(params.process_id)
    assert command.process is not None
    await command.process.terminate(END_GRACE_SECONDS)
    return CommandExecTerminateResponse()


def _check(params: CommandExecParams) -> None:
    if not params.command:
        raise InvalidRequest("command must not be empty")
    texts = [*params.command, params.cwd or "", *_texts(params.env or {})]
    if any("\0" in text for text in texts):
        raise InvalidParams("command/exec command, cwd and env must not contain NUL characters")
    if params.size is not None:
        if not params.tty:
            raise InvalidParams("command/exec size requires tty: true")
        _check_size(params.size)
    is_streamed = params.tty or params.stream_stdin or params.stream_stdout_stderr
    if is_streamed and not params.process_id:
        raise InvalidRequest("command/exec tty or streaming requires a client-supplied processId")
    if params.disable_output_cap and params.output_bytes_cap is not None:
        raise InvalidParams("command/exec cannot set both outputBytesCap and disableOutputCap")
    if params.disable_timeout and params.timeout_ms is not None:
        raise InvalidParams("command/exec cannot set both timeoutMs and disableTimeout")
    if params.timeout_ms is not None and params.timeout_ms < 0:
        raise InvalidParams(f"command/exec timeoutMs must be non-negative, got {params.timeout_ms}")
    if params.permission_profile is not None and params.sandbox_policy is not None:
        raise InvalidRequest("`permissionProfile` cannot be combined with `sandboxPolicy`")


def _texts(env: dict[str, str | None]) -> list[str]:
    return [*env.keys(), *(value for value in env.values() if value is not None)]


def _quoted(process_id: str) -> str:
    """The id as JSON has it, so that nothing in it can be taken for the message's own text."""
    return json.dumps(process_id, ensure_ascii=False)


def _check_size(size: CommandExecTerminalSize) -> None:
    if size.rows == 0 or size.cols == 0:
        raise InvalidParams("command/exec size rows and cols must be greater than 0")


def _timeout_seconds(params: CommandExecParams) -> float | None:
    if params.disable_timeout:
        return None
    return DEFAULT_TIMEOUT_SECONDS if params.timeout_ms is None else params.timeout_ms / 1000


def _cap_bytes(params: CommandExecParams) -> int | None:
    if params.disable_output_cap:
        return None
    given = params.output_bytes_cap
    return DEFAULT_OUTPUT_BYTES_CAP if given is None else given


async def _prepared(
    ctx: RequestContext, params: CommandExecParams, environment: Environment
) -> SpawnRequest:
    from app_server.exec.confining import confined_request
    from app_server.exec.environment import TtySize
    from app_server.sandbox.errors import SandboxError

    permissions, variables = await asyncio.to_thread(_settled, ctx, params)
    size = params.size
    tty = None
    if params.tty:
        tty = TtySize() if size is None else TtySize(rows=size.rows, cols=size.cols)
    try:
        request, _ = await confined_request(
            environment,
            permissions,
            params.command,
            ctx.services.cwd / (params.cwd or ""),
            variables.over(os.environ),
            variables=variables,
            tty=tty,
            stdin="open" if params.stream_stdin else "closed",
            codex_home=ctx.services.codex_home,
        )
    except SandboxError as error:
        raise InternalError(f"failed to spawn command: {error}") from error
    return request


def _settled(ctx: RequestContext, params: CommandExecParams) -> tuple[Permissions, Variables]:
    """What holds for the command, and its variables; reads files."""
    from app_server.agent.settings import check_folders, sandbox_mode
    from app_server.config.permission_profiles import nearest_policy
    from app_server.config.requirements import check_choice
    from app_server.exec.shell_env import Variables

    config = ctx.services.load_config(ctx.services.cwd, {}).checked()
    policy = params.sandbox_policy
    check_folders(policy)
    if params.permission_profile is not None:
        policy = nearest_policy(params.permission_profile)
    if policy is not None:
        check_choice(config.requirements, "sandbox_mode", sandbox_mode(policy))
    given = params.env or {}
    variables = Variables(
        config.shell_environment_policy,
        {name: value for name, value in given.items() if value is not None},
        tuple(name for name, value in given.items() if value is None),
    )
    return params.sandbox_policy or params.permission_profile or config.confinement, variables
