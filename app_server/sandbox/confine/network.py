"""The network of a command that has one door: loopback, and a listener handed to the proxy outside.

Done while the place of the proxy can still be seen. The connection it was handed over by stays open
in the first process for as long as that lives; its end is how the proxy learns of the command's.
"""

from __future__ import annotations

import _socket as sockets
import ctypes

from app_server.sandbox.confine.kernel import Failed, check, libc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SIOCSIFFLAGS = 0x8914
IFF_UP_AND_RUNNING = 0x41
MOST_BYTES_OF_A_NAME = 16
_open: list[Any] = []
"""Keeps what must not be closed."""


def open_door(place: str, token: str, port: int) -> None:
    """Hand a listener on this port of our own loopback to whoever listens at `place`."""
    try:
        listener = sockets.socket(sockets.AF_INET, sockets.SOCK_STREAM | sockets.SOCK_CLOEXEC)
        request = ctypes.create_string_buffer(
            b"lo".ljust(MOST_BYTES_OF_A_NAME, b"\0") + bytes((IFF_UP_AND_RUNNING, 0)), 40
        )
        check("loopback", libc.ioctl(listener.fileno(), SIOCSIFFLAGS, request))
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
        line = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM | sockets.SOCK_CLOEXEC)
        line.connect(place)
        rights = int.to_bytes(listener.fileno(), 4, "little")
        line.sendmsg([token.encode()], [(sockets.SOL_SOCKET, sockets.SCM_RIGHTS, rights)])
        if line.recv(1) != b"1":
            raise OSError(0, "the proxy did not take the listener")
    except OSError as error:
        raise Failed("network proxy", error) from None
    listener.close()
    _open.append(line)
