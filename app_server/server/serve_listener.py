"""The server for any number of clients, on a port or a socket file.

The first SIGTERM or SIGINT begins to drain: while a turn runs everything goes on as before, also
for new clients; when none does, all are disconnected and the server ends. A second signal ends it
at once. Either way the status is 0, history is whole and commands are gone.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

from app_server.rpc.listen import (
    ListenUrlError,
    Off,
    Stdio,
    UnixSocketPath,
    WebSocketAddress,
    parse_listen_url,
)
from app_server.rpc.unix_socket import SocketUnavailable, bound_socket
from app_server.rpc.websocket import WebSocketListener, bind
from app_server.rpc.ws_auth import WsAuthError, WsAuthFlags, credentials_from
from app_server.server.options import ServerOptions
from app_server.server.server import Server

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.05
"""How often a draining server looks whether turns still run."""


async def serve_url(options: ServerOptions, url: str, auth: WsAuthFlags | None = None) -> int:
    """Serve what a --listen URL names; the exit status, 2 for a URL that names nothing."""
    try:
        listen = parse_listen_url(url, codex_home=options.codex_home, cwd=options.cwd)
    except ListenUrlError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    match listen:
        case Stdio():
            from app_server.server.serve_stdio import serve_stdio

            return await serve_stdio(options)
        case Off():
            return _refuse("no transport configured; use --listen or enable remote control")
        case _:
            return await serve_listener(options, listen, auth)


async def serve_listener(
    options: ServerOptions,
    listen: WebSocketAddress | UnixSocketPath,
    auth: WsAuthFlags | None = None,
) -> int:
    """Serve until told to end; the exit status, 1 where listening is not possible."""
    with ExitStack() as stack:
        try:
            credentials = credentials_from(auth or WsAuthFlags(), options.cwd)
            if isinstance(listen, UnixSocketPath):
                bound = stack.enter_context(bound_socket(listen.path))
                banner = _unix_banner(listen.path)
            else:
                if credentials is None and not listen.is_loopback:
                    raise WsAuthError(
                        f"refusing to listen on {listen.host} without credentials: anybody who "
                        "reaches the port could run commands. Use 127.0.0.1, or `--ws-auth "
                        "capability-token` or `--ws-auth signed-bearer-token`."
                    )
                bound = bind(listen.host, listen.port)
                stack.callback(bound.close)
                banner = _port_banner(listen, bound.getsockname()[1])
        except (WsAuthError, SocketUnavailable) as error:
            return _refuse(str(error))
        except OSError as error:
            reason = error.strerror or str(error)
            return _refuse(f"cannot listen on {_address(listen)}: {reason}")
        server = Server(options)
        async with WebSocketListener(bound, server.serve, credentials), server:
            sys.stderr.write(banner)
            sys.stderr.flush()
            await _until_told_to_end(server)
    return 0


async def _until_told_to_end(server: Server) -> None:
    loop = asyncio.get_running_loop()
    drain, now = asyncio.Event(), asyncio.Event()

    def told() -> None:
        (now if drain.is_set() else drain).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told)
    await drain.wait()
    running = server.running_turns
    log.info("ending: %d connections, %d running turns", len(server.connections), running)
    while server.running_turns and not now.is_set():
        if server.running_turns != running:
            running = server.running_turns
            log.info("ending: waiting for %d running turns", running)
        await asyncio.sleep(LOOK_SECONDS)
    if now.is_set():
        log.info("ending at once: %d running turns are interrupted", server.running_turns)


def _refuse(reason: str) -> int:
    sys.stderr.write(f"codex app-server: {reason}\n")
    return 1


def _address(listen: WebSocketAddress | UnixSocketPath, port: int | None = None) -> str:
    if isinstance(listen, UnixSocketPath):
        return str(listen.path)
    host = f"[{listen.host}]" if ":" in listen.host else listen.host
    return f"{host}:{listen.port if port is None else port}"


def _port_banner(listen: WebSocketAddress, port: int) -> str:
    address = _address(listen, port)
    note = (
        "only programs on this machine can connect"
        if listen.is_loopback
        else "other machines can connect with the credentials you configured"
    )
    return (
        "codex app-server, for websocket clients\n"
        f"  listening on: ws://{address}\n"
        f"  readyz: http://{address}/readyz\n"
        f"  healthz: http://{address}/healthz\n"
        f"  note: {note}\n"
    )


def _unix_banner(path: Path) -> str:
    return f"codex app-server, for websocket clients\n  listening on: unix://{path}\n"
