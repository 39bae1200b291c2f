"""Who hears which thread.

A subscriber is one client connection. Notifications of a thread go to its subscribers in the order
the thread produced them. Subscribing happens in the same step as taking a snapshot of the thread,
with no await between the two, so that nothing is missed and nothing comes twice.
"""

from __future__ import annotations

from typing import Any, Protocol

from app_server.protocol.method import ServerMethod, ServerNotification


class Subscriber(Protocol):
    """One client connection, as threads see it. Nothing here blocks."""

    @property
    def connection_id(self) -> int: ...

    @property
    def initialized(self) -> bool: ...

    def notify(self, row: ServerNotification[Any], params: Any) -> None:
        """Queue a notification behind everything queued before."""
        ...

    def ask(self, request_id: int, row: ServerMethod[Any, Any], params: Any) -> None:
        """Queue a question; its answer comes back through `Questions.settle`."""
        ...


class Subscriptions:
    """The subscribers of one thread, in the order they came."""

    def __init__(self) -> None:
        self._by_connection: dict[int, Subscriber] = {}

    def __len__(self) -> int:
        return len(self._by_connection)

    def __contains__(self, subscriber: Subscriber) -> bool:
        return subscriber.connection_id in self._by_connection

    def add(self, subscriber: Subscriber) -> None:
        self._by_connection[subscriber.connection_id] = subscriber

    def remove(self, subscriber: Subscriber) -> bool:
        """Whether it was subscribed."""
        return self._by_connection.pop(subscriber.connection_id, None) is not None

    def listening(self) -> list[Subscriber]:
        return list(self._by_connection.values())

    def notify(self, row: ServerNotification[Any], params: Any) -> None:
        for subscriber in self.listening():
            subscriber.notify(row, params)
