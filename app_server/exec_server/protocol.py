"""What client and process service say to each other: `exec-server.v0` and what we add to it.

Every addition is an optional field or a further method, so that a client of v0 notices nothing.
Bytes travel as base64. How these values become messages is for `messages`.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

PROTOCOL_VERSION = "exec-server.v0"

INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
NOT_FOUND = -32004
ATTACHED_ELSEWHERE = -32010
"""To clients of release 0.169; earlier ones get `INVALID_REQUEST`."""

Stream: TypeAlias = Literal["stdout", "stderr", "pty"]
MessageId: TypeAlias = int | str
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""No number of anything goes further; one that does not fit is refused."""


class ServiceError(Exception):
    """A refused call: a code and a sentence."""

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


class ProtocolViolation(Exception):
    """The other side broke the rules in a way that ends the connection."""


def decoded(encoded: str) -> bytes:
    """The bytes behind a base64 text; several times faster than `binascii` has it.

    Raises `msgspec.ValidationError`.
    """
    return msgspec.convert(encoded, bytes)


class Body(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The params or the result of a method."""


class InitializeParams(Body, frozen=True, kw_only=True):
    client_name: str
    resume_session_id: str | UnsetType | None = UNSET
    """Addition: there, even as null, it marks a client of release 0.128 or later."""
    asks_for_sandboxes: bool = False
    """Addition: whether to be told that the service applies them."""


class InitializeResult(Body, frozen=True, kw_only=True):
    protocol_version: str | UnsetType = UNSET
    """Services of release 0.128 and later do not name it."""
    session_id: str | UnsetType = UNSET
    """To session clients: what their processes can be taken up again by."""
    environment_info: msgspec.Raw | UnsetType = UNSET
    """Told by services of release 0.169."""
    applies_sandboxes: bool | UnsetType = UNSET
    """To clients that ask: the `sandbox` of a start holds, or the start is refused."""


class MissingChangedNotification(Body, frozen=True, kw_only=True):
    """To clients of 0.169: something is where nothing was when the watch began."""

    watch_id: int


class PtyIo(Body, frozen=True, kw_only=True, tag_field="type", tag="pty"):
    """A terminal of this size; its input is open."""

    rows: int
    cols: int


class PipeIo(Body, frozen=True, kw_only=True, tag_field="type", tag="pipe"):
    """Separate pipes for output and errors."""

    stdin: Literal["open", "closed"] = "closed"


class EnvironmentPolicy(Body, frozen=True, kw_only=True):
    """What the program inherits from the variables of the service."""

    inherit: Literal["all", "core", "none"] = "all"
    ignore_default_excludes: bool = False
    exclude: tuple[str, ...] = ()
    set: dict[str, str] = {}
    include_only: tuple[str, ...] = ()


class StartParams(Body, frozen=True, kw_only=True):
    """Run a program. `env` is its whole environment, unless there is an `env_policy`."""

    process_id: str
    argv: list[str]
    cwd: str
    env: dict[str, str]
    tty: bool
    arg0: str | None = None
    # Additions to v0.
    io: PtyIo | PipeIo | None = None
    """More exact than `tty`, which it overrules."""
    inherited_data: dict[int, bytes] = {}
    """Descriptor number → what the program can read from it."""
    mount_points: list[str] = []
    """Directories that exist while it runs; those made for it are removed afterwards."""
    claims_terminal: bool = False
    """The terminal is handed over without being made the program's own."""
    # What release 0.128 and later send.
    env_policy: EnvironmentPolicy | None = None
    """The variables below `env`; absent: none."""
    pipe_stdin: bool = False
    """A pipe process has an open input."""
    sandbox: msgspec.Raw = msgspec.Raw(b"null")
    """A sandbox to be applied here."""


class DirectStartParams(StartParams, frozen=True, kw_only=True):
    """The form with `io`, which needs no `tty`."""

    tty: bool = False


class PreparedRequest(Body, frozen=True, kw_only=True):
    """A command somebody has resolved, its sandbox included; it is run exactly so."""

    argv: list[str]
    cwd: str
    env: dict[str, str]
    arg0: str | None = None
    inherited_data: dict[int, bytes] = {}
    mount_points: list[str] = []
    claims_terminal: bool = False


class PreparedStartParams(Body, frozen=True, kw_only=True):
    """Addition: the form with `request`."""

    process_id: str
    request: PreparedRequest
    io: PtyIo | PipeIo

    def resolved(self) -> StartParams:
        request = self.request
        return StartParams(
            process_id=self.process_id,
            argv=request.argv,
            cwd=request.cwd,
            env=request.env,
            tty=isinstance(self.io, PtyIo),
            arg0=request.arg0,
            io=self.io,
            inherited_data=request.inherited_data,
            mount_points=request.mount_points,
            claims_terminal=request.claims_terminal,
        )


class StartResult(Body, frozen=True, kw_only=True, omit_defaults=True):
    process_id: str
    pid: int | None = None
    """Addition: its number in this machine's process table."""
    sandbox_type: str | UnsetType = UNSET
    """To clients of release 0.169, and of a confined process: `none`, or what holds it."""


class ReadParams(Body, frozen=True, kw_only=True):
    """Poll retained output after a sequence number."""

    process_id: str
    after_seq: Count | None = None
    max_bytes: Count | None = None
    wait_ms: Count | None = None


class ReadChunk(Body, frozen=True, kw_only=True):
    seq: int
    stream: Stream
    chunk: bytes


class ReadResult(Body, frozen=True, kw_only=True):
    chunks: list[ReadChunk]
    next_seq: int
    exited: bool
    exit_code: int | None
    closed: bool | UnsetType = UNSET
    """To session clients: no more output will come."""
    failure: str | UnsetType | None = UNSET
    sandbox_denied: bool | UnsetType = UNSET


class WriteParams(Body, frozen=True, kw_only=True):
    process_id: str
    chunk: bytes
    write_id: str | None = None
    """To session clients: a write with an id already seen is not done again."""


WriteStatus: TypeAlias = Literal["accepted", "unknownProcess", "stdinClosed", "starting"]


class WriteResult(Body, frozen=True, kw_only=True):
    accepted: bool = True
    status: WriteStatus | UnsetType = UNSET
    """To session clients."""


class GracefulTermination(Body, frozen=True, kw_only=True, tag_field="type", tag="graceful"):
    """A polite signal first, and the hard one after this time."""

    timeout_ms: Count


class ForcedTermination(Body, frozen=True, kw_only=True, tag_field="type", tag="force"): ...


class TerminateParams(Body, frozen=True, kw_only=True):
    process_id: str
    mode: GracefulTermination | ForcedTermination | None = None
    """Addition; absent: a short grace, then force."""


class TerminateResult(Body, frozen=True, kw_only=True):
    running: bool


class CloseStdinParams(Body, frozen=True, kw_only=True):
    """Addition: end the input of a pipe process that has one."""

    process_id: str


class WaitParams(Body, frozen=True, kw_only=True):
    """Addition: answered when the process has ended; other requests do not wait for it."""

    process_id: str


class SnapshotParams(Body, frozen=True, kw_only=True):
    """Addition: what is retained now."""

    process_id: str


class HoldOutputParams(Body, frozen=True, kw_only=True):
    """Addition: read no more output of this process for now, or go on; it waits meanwhile."""

    process_id: str
    hold: bool


class SignalParams(Body, frozen=True, kw_only=True):
    """What release 0.169 asks for what Ctrl-C does in a terminal."""

    process_id: str
    signal: Literal["interrupt"]


class ResizeParams(Body, frozen=True, kw_only=True):
    process_id: str
    rows: int
    cols: int


class WaitResult(Body, frozen=True, kw_only=True):
    exit_code: int
    signal: int | None = None


class SnapshotResult(Body, frozen=True, kw_only=True):
    """The retained output; a pipe process has two streams, a terminal one."""

    stdout: bytes
    stderr: bytes
    terminal: bytes
    truncated: bool
    exit_code: int | None
    running: bool


class EmptyResult(Body, frozen=True, kw_only=True): ...


class OutputNotification(Body, frozen=True, kw_only=True):
    process_id: str
    stream: Stream
    chunk: bytes
    seq: int | None = None


class ReceivedOutput(Body, frozen=True, kw_only=True):
    """The same on the client's side, where the bytes are decoded only if they are looked at."""

    process_id: str
    stream: Stream
    encoded: str = msgspec.field(name="chunk")
    """In base64."""
    seq: int | None = None

    @property
    def chunk(self) -> bytes:
        """Raises `msgspec.ValidationError` if it is not base64."""
        return decoded(self.encoded)


class ExitedNotification(Body, frozen=True, kw_only=True, omit_defaults=True):
    """`exit_code` is -1 for a process that was killed; `signal` is an addition."""

    process_id: str
    exit_code: int
    signal: int | None = None
    seq: int | None = None
    """To session clients: the exit's place among the output."""
    sandbox_denied: bool | None = None
    """To session clients, and of a confined process."""


class ClosedNotification(Body, frozen=True, kw_only=True, omit_defaults=True):
    """Addition, to clients that used one: no more output will come."""

    process_id: str
    seq: int | None = None


class StartedNotification(Body, frozen=True, kw_only=True):
    """Addition, to a start with `io` or `request`: the program runs."""

    process_id: str
    pid: int | None = None


class FailedNotification(Body, frozen=True, kw_only=True):
    """Addition, to a start with `io` or `request`: the program could not be started."""

    process_id: str
    message: str


class Header(Body, frozen=True, kw_only=True):
    name: str
    value: str


class HttpRequestParams(Body, frozen=True, kw_only=True):
    """A request over HTTP made from here, for clients of release 0.128 and later."""

    method: str
    url: str
    request_id: str
    headers: list[Header] = []
    body_base64: bytes | None = None
    timeout_ms: Count | None = None
    stream_response: bool = False


class HttpRequestResult(Body, frozen=True, kw_only=True):
    status: int
    headers: list[Header]
    body_base64: bytes


class BodyDeltaNotification(Body, frozen=True, kw_only=True):
    """A piece of a streamed answer; the last one is done, or says what went wrong."""

    request_id: str
    seq: int
    delta_base64: bytes
    done: bool
    error: str | None = None


_ProcessEvent: TypeAlias = (
    ExitedNotification | ClosedNotification | StartedNotification | FailedNotification
)

Notification: TypeAlias = (
    OutputNotification | _ProcessEvent | BodyDeltaNotification | MissingChangedNotification
)
"""What the service tells."""

Event: TypeAlias = ReceivedOutput | _ProcessEvent
"""What a client hears."""
