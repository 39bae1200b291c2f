"""The user's own commands on a thread, its background commands, and its paused time limits."""

from app_server.protocol.method import ClientMethod, by_thread
from app_server.protocol.shared import AbsolutePathBuf, Unsigned, Unsigned32
from app_server.protocol.wire import Wire


class ThreadShellCommandParams(Wire):
    """Run a line the user typed, outside the sandbox."""

    thread_id: str
    command: str


class ThreadShellCommandResponse(Wire): ...


class ThreadBackgroundTerminalsCleanParams(Wire):
    """End the commands that outlived their turns."""

    thread_id: str


class ThreadBackgroundTerminalsCleanResponse(Wire): ...


class ThreadBackgroundTerminalsListParams(Wire):
    """Ask for the commands that run on although their turns have gone on; for newer clients."""

    thread_id: str
    cursor: str | None = None
    limit: Unsigned32 | None = None


class ThreadBackgroundTerminal(Wire):
    item_id: str
    process_id: str
    command: str
    cwd: AbsolutePathBuf
    os_pid: Unsigned32 | None = None
    cpu_percent: float | None = None
    rss_kb: Unsigned | None = None


class ThreadBackgroundTerminalsListResponse(Wire):
    data: list[ThreadBackgroundTerminal]
    next_cursor: str | None = None


class ThreadBackgroundTerminalsTerminateParams(Wire):
    """End one of them."""

    thread_id: str
    process_id: str


class ThreadBackgroundTerminalsTerminateResponse(Wire):
    terminated: bool
    """False where none of this id runs."""


class ThreadIncrementElicitationParams(Wire):
    """The client began to ask the user something: hold the time limits."""

    thread_id: str


class ThreadIncrementElicitationResponse(Wire):
    count: Unsigned
    paused: bool


class ThreadDecrementElicitationParams(Wire):
    """One such question is done."""

    thread_id: str


class ThreadDecrementElicitationResponse(Wire):
    count: Unsigned
    paused: bool


THREAD_INCREMENT_ELICITATION = ClientMethod(
    "thread/increment_elicitation",
    ThreadIncrementElicitationParams,
    ThreadIncrementElicitationResponse,
    queue=by_thread,
    experimental=True,
)
THREAD_DECREMENT_ELICITATION = ClientMethod(
    "thread/decrement_elicitation",
    ThreadDecrementElicitationParams,
    ThreadDecrementElicitationResponse,
    queue=by_thread,
    experimental=True,
)
THREAD_SHELL_COMMAND = ClientMethod(
    "thread/shellCommand", ThreadShellCommandParams, ThreadShellCommandResponse, queue=by_thread
)
THREAD_BACKGROUND_TERMINALS_CLEAN = ClientMethod(
    "thread/backgroundTerminals/clean",
    ThreadBackgroundTerminalsCleanParams,
    ThreadBackgroundTerminalsCleanResponse,
    queue=by_thread,
    experimental=True,
)
THREAD_BACKGROUND_TERMINALS_LIST = ClientMethod(
    "thread/backgroundTerminals/list",
    ThreadBackgroundTerminalsListParams,
    ThreadBackgroundTerminalsListResponse,
    queue=by_thread,
    experimental=True,
)
THREAD_BACKGROUND_TERMINALS_TERMINATE = ClientMethod(
    "thread/backgroundTerminals/terminate",
    ThreadBackgroundTerminalsTerminateParams,
    ThreadBackgroundTerminalsTerminateResponse,
    queue=by_thread,
    experimental=True,
)
