"""What is remembered across threads."""

from typing import Literal, TypeAlias

from app_server.protocol.method import ClientMethod, by_thread, in_queue
from app_server.protocol.wire import Wire

ThreadMemoryMode: TypeAlias = Literal["enabled", "disabled"]


class ThreadMemoryModeSetParams(Wire):
    thread_id: str
    mode: ThreadMemoryMode


class ThreadMemoryModeSetResponse(Wire): ...


class MemoryResetResponse(Wire): ...


THREAD_MEMORY_MODE_SET = ClientMethod(
    "thread/memoryMode/set",
    ThreadMemoryModeSetParams,
    ThreadMemoryModeSetResponse,
    queue=by_thread,
    experimental=True,
)
MEMORY_RESET: ClientMethod[None, MemoryResetResponse] = ClientMethod(
    "memory/reset", None, MemoryResetResponse, queue=in_queue("memory"), experimental=True
)
