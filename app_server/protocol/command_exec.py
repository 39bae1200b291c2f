"""Commands without a thread: run, feed, resize, end."""

from typing import Literal, TypeAlias

from app_server.protocol.method import ClientMethod, ServerNotification
from app_server.protocol.permissions import PermissionProfile, SandboxPolicy
from app_server.protocol.shared import Unsigned
from app_server.protocol.wire import Wire


class CommandExecTerminalSize(Wire):
    cols: Unsigned
    rows: Unsigned


class CommandExecParams(Wire):
    """Run an argument list without a thread; the answer comes when it has ended."""

    command: list[str]
    cwd: str | None = None
    disable_output_cap: bool = False
    disable_timeout: bool = False
    env: dict[str, str | None] | None = None
    output_bytes_cap: Unsigned | None = None
    permission_profile: PermissionProfile | None = None
    process_id: str | None = None
    sandbox_policy: SandboxPolicy | None = None
    size: CommandExecTerminalSize | None = None
    stream_stdin: bool = False
    stream_stdout_stderr: bool = False
    timeout_ms: int | None = None
    tty: bool = False


class CommandExecResponse(Wire):
    """Output that was streamed is not repeated here."""

    exit_code: int
    stderr: str
    stdout: str


class CommandExecWriteParams(Wire):
    """Bytes for the command's stdin, or its end, or both."""

    process_id: str
    close_stdin: bool = False
    delta_base64: str | None = None


class CommandExecWriteResponse(Wire):
    """Nothing to say beyond success."""


class CommandExecTerminateParams(Wire):
    process_id: str


class CommandExecTerminateResponse(Wire):
    """Nothing to say beyond success."""


class CommandExecResizeParams(Wire):
    process_id: str
    size: CommandExecTerminalSize


class CommandExecResizeResponse(Wire):
    """Nothing to say beyond success."""


CommandExecOutputStream: TypeAlias = Literal["stdout", "stderr"]


class CommandExecOutputDeltaNotification(Wire):
    """A piece of output; `cap_reached` marks the last piece of a stream that was cut."""

    cap_reached: bool
    delta_base64: str
    process_id: str
    stream: CommandExecOutputStream


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
