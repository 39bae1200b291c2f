"""Rows: everything a method or notification is, in one value.

A row ties a wire name to the types of what is sent and answered, so that router, client, schema
and tests read the same line. Rows are generic, hence a handler or a call with the wrong type does
not pass the type checker. A queue is a name; calls naming the same queue run in arrival order.
"""

from collections.abc import Callable
from types import UnionType
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

P = TypeVar("P")
R = TypeVar("R")

WireType: TypeAlias = UnionType | type[Any]


class ClientMethod(Generic[P, R]):
    """A request a client makes.

    `params` is None where the method takes none. `queue` gives the queue a call waits in, None for
    no waiting; `queue_is_private` means that each connection has its own queue of that name.
    Neighbouring `shared` calls of one queue may run together.
    """

    __slots__ = ("experimental", "name", "params", "queue", "queue_is_private", "result", "shared")

    def __init__(
        self,
        name: str,
        params: type[P] | UnionType | None,
        result: type[R] | UnionType,
        *,
        queue: Callable[[P], str | None] | None = None,
        queue_is_private: bool = False,
        shared: bool = False,
        experimental: bool = False,
    ) -> None:
        self.name = name
        self.params = params
        self.result = result
        self.queue: Callable[[P], str | None] = queue or no_queue
        self.queue_is_private = queue_is_private
        self.shared = shared
        self.experimental = experimental

    def __repr__(self) -> str:
        return f"ClientMethod({self.name!r})"


class ServerMethod(Generic[P, R]):
    """A question the server puts to a client."""

    __slots__ = ("experimental", "name", "params", "result")

    def __init__(
        self,
        name: str,
        params: type[P] | UnionType,
        result: type[R] | UnionType,
        *,
        experimental: bool = False,
    ) -> None:
        self.name = name
        self.params = params
        self.result = result
        self.experimental = experimental

    def __repr__(self) -> str:
        return f"ServerMethod({self.name!r})"


class ServerNotification(Generic[P]):
    """Something the server tells its clients."""

    __slots__ = ("experimental", "name", "params")

    def __init__(
        self, name: str, params: type[P] | UnionType, *, experimental: bool = False
    ) -> None:
        self.name = name
        self.params = params
        self.experimental = experimental

    def __repr__(self) -> str:
        return f"ServerNotification({self.name!r})"


class ClientNotification(Generic[P]):
    """Something a client tells the server."""

    __slots__ = ("experimental", "name", "params")

    def __init__(
        self, name: str, params: type[P] | UnionType | None, *, experimental: bool = False
    ) -> None:
        self.name = name
        self.params = params
        self.experimental = experimental

    def __repr__(self) -> str:
        return f"ClientNotification({self.name!r})"


Row: TypeAlias = (
    ClientMethod[Any, Any]
    | ServerMethod[Any, Any]
    | ServerNotification[Any]
    | ClientNotification[Any]
)


class _NamesThread(Protocol):
    @property
    def thread_id(self) -> str: ...


def no_queue(_params: object) -> None:
    """Runs at once, beside everything else."""


def by_thread(params: _NamesThread) -> str:
    """Waits for earlier calls on the same thread."""
    return f"thread:{params.thread_id}"


def in_queue(name: str) -> Callable[[object], str]:
    """Waits for earlier calls in the queue of that name."""
    return lambda _params: name
