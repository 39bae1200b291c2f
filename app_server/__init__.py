"""The app-server and everything it stands on; the terminal interface lives in `tui`.

`connect` is the way in for programs in Python; what it takes is loaded when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app_server.client.codex import Codex
    from app_server.client.errors import CannotConnect, ThreadBusy, TurnFailed
    from app_server.client.live_thread import LiveThread
    from app_server.client.live_turn import LiveTurn
    from app_server.client.open_question import OpenQuestion
    from app_server.library import connect
    from app_server.protocol.errors import RpcError
    from app_server.rpc.peer import ConnectionLost

__all__ = [
    "CannotConnect",
    "Codex",
    "ConnectionLost",
    "LiveThread",
    "LiveTurn",
    "OpenQuestion",
    "RpcError",
    "ThreadBusy",
    "TurnFailed",
    "connect",
]

_ROOMS = {
    "CannotConnect": "client.errors",
    "Codex": "client.codex",
    "ConnectionLost": "rpc.peer",
    "LiveThread": "client.live_thread",
    "LiveTurn": "client.live_turn",
    "OpenQuestion": "client.open_question",
    "RpcError": "protocol.errors",
    "ThreadBusy": "client.errors",
    "TurnFailed": "client.errors",
    "connect": "library",
}


def __getattr__(name: str) -> Any:
    room = _ROOMS.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{room}"), name)
