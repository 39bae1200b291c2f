"""`codex app-server proxy`: bytes between stdin, stdout and the socket file of a running server.

What reaches a server elsewhere over ssh: the program at our stdin speaks websocket to it. Nothing
is interpreted. Ends when the server closes; the end of stdin is passed on.
"""

import os
import socket
import sys
import threading
from pathlib import Path

from app_server.cli.options import Options
from app_server.paths import codex_home

PIECE_BYTES = 64 * 1024


def run_proxy(options: Options) -> int:
    """Copy until the server closes; returns the exit status."""
    path = options.socket
    if path is None:
        from app_server.rpc.listen import CONTROL_SOCKET

        path = str(codex_home() / CONTROL_SOCKET)
    from app_server.rpc.unix_socket import within_reach

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        try:
            with within_reach(Path(path)) as address:
                server.connect(address)
        except OSError as error:
            reason = error.strerror or str(error)
            sys.stderr.write(f"codex: failed to connect to socket at {path}: {reason}\n")
            return 1
        threading.Thread(target=_copy_input, args=(server,), daemon=True).start()
        _copy_output(server)
    return 0


def _copy_input(server: socket.socket) -> None:
    try:
        while piece := os.read(0, PIECE_BYTES):
            server.sendall(piece)
        server.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the server is gone, which the other direction tells


def _copy_output(server: socket.socket) -> None:
    try:
        while piece := server.recv(PIECE_BYTES):
            while piece:
                piece = piece[os.write(1, piece) :]
    except OSError:
        pass  # one of the two ends is gone
