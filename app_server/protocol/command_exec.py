"""Commands without a thread: run, feed, resize, end."""

from typing import Literal, TypeAlias

from app_server.protocol.method import ClientMethod, ServerNotification
from app_server.protocol.permissions import PermissionProfile, SandboxPolicy
from app_server.protocol.shared import Signed, Unsigned, Unsigned16
from app_server.protocol.wire import Wire


class CommandExecTerminalSize(Wire):
    rows: Unsigned16
    cols: Unsigned16


class CommandExecParams(Wire):
    """Run an argument list without a thread; the answer comes when it has ended."""

    command: list[str]
    cwd: str | None = None
    env: dict[str, str | None] | None = None
    process_id: str | None = None
    tty: bool = False
    size: CommandExecTerminalSize | None = None
    stream_stdin: bool = False
    stream_stdout_stderr: bool = False
    timeout_ms: Signed | None = None
    disable_timeout: bool = False
    output_bytes_cap: Unsigned | None = None
    disable_output_cap: bool = False
    sandbox_policy: SandboxPolicy | None = None
    permission_profile: PermissionProfile | None = None


class CommandExecResponse(Wire):
    """Output that was streamed is not repeated here."""

    exit_code: int
    stdout: str
    stderr: str


class CommandExecWriteParams(Wire):
    """Bytes for the command's stdin, or its end, or both."""

    process_id: str
    close_stdin: bool = False
    delta_base64: str | None = None


class CommandExecWriteResponse(Wire): ...


class CommandExecTerminateParams(Wire):
    process_id: str


class CommandExecTerminateResponse(Wire): ...


class CommandExecResizeParams(Wire):
    process_id: str
    size: CommandExecTerminalSize


class CommandExecResizeResponse(Wire): ...


CommandExecOutputStream: TypeAlias = Literal["stdout", "stderr"]


class CommandExecOutputDeltaNotification(Wire):
    """A piece of output; `cap_reached` marks the last piece of a stream that was cut."""

    process_id: str
    stream: CommandExecOutputStream
    delta_base64: str
    cap_reached: bool


def _by_process(
    params: CommandExecParams
    | CommandExecWriteParams
    | CommandExecTerminateParams
    | CommandExecResizeParams,
) -> str | None:
    return f"process:{params.process_id}" if params.process_id else None


COMMAND_EXEC = ClientMethod(
    "command/exec", CommandExecParams, CommandExecResponse, queue=_by_process, queue_is_private=True
)
COMMAND_EXEC_WRITE = ClientMethod(
    "command/exec/write",
    CommandExecWriteParams,
    CommandExecWriteResponse,
    queue=_by_process,
    queue_is_private=True,
)
COMMAND_EXEC_TERMINATE = ClientMethod(
    "command/exec/terminate",
    CommandExecTerminateParams,
    CommandExecTerminateResponse,
    queue=_by_process,
    queue_is_private=True,
)
COMMAND_EXEC_RESIZE = ClientMethod(
    "command/exec/resize",
    CommandExecResizeParams,
    CommandExecResizeResponse,
    queue=_by_process,
    queue_is_private=True,
)
COMMAND_EXEC_OUTPUT_DELTA = ServerNotification(
    "command/exec/outputDelta", CommandExecOutputDeltaNotification
)
