"""The server for any number of clients, on ports, socket files and perhaps stdin and stdout too.

The first SIGTERM, SIGINT or SIGHUP begins to drain: while a turn runs everything goes on as before,
also for new clients; when none does, all are disconnected and the server ends. A second signal ends
it at once. The end of stdin, where that is served too, counts as a signal. Either way the status is
0, history is whole and commands are gone.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

from app_server.bridges.errors import BridgeError
from app_server.rpc.listen import (
    Listen,
    ListenUrlError,
    Off,
    Stdio,
    UnixSocketPath,
    WebSocketAddress,
    parse_listen_urls,
)
from app_server.rpc.unix_socket import SocketUnavailable, bound_socket
from app_server.rpc.websocket import WebSocketListener, bind
from app_server.rpc.ws_auth import WsAuthError, WsAuthFlags, credentials_from
from app_server.rpc.ws_gate import ChecksCredentials
from app_server.server.options import ServerOptions
from app_server.server.plugin_bridges import plugin_bridges
from app_server.server.server import Server

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.05
"""How often a draining server looks whether turns still run."""


async def serve_urls(
    options: ServerOptions, urls: Sequence[str], auth: WsAuthFlags | None = None
) -> int:
    """Serve what the --listen URLs name; the exit status, 2 for URLs that name nothing of ours."""
    try:
        places = parse_listen_urls(urls, codex_home=options.codex_home, cwd=options.cwd)
    except ListenUrlError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    if places == [Stdio()]:
        from app_server.server.serve_stdio import serve_stdio

        return await serve_stdio(options)
    return await serve_places(options, places, auth)


async def serve_places(
    options: ServerOptions, places: Sequence[Listen], auth: WsAuthFlags | None = None
) -> int:
    """Serve until told to end; the exit status, 1 where listening is not possible."""
    async with AsyncExitStack() as stack:
        server = Server(options)
        banner = ""
        try:
            credentials = credentials_from(auth or WsAuthFlags(), options.cwd)
            for place in places:
                if isinstance(place, UnixSocketPath | WebSocketAddress):
                    bound = _open(place, credentials, stack)
                    listener = WebSocketListener(bound, server.serve, credentials)
                    await stack.enter_async_context(listener)
                    banner += _banner(place, bound)
        except (WsAuthError, SocketUnavailable) as error:
            return _refuse(str(error))
        await stack.enter_async_context(server)
        try:
            # entered last, so that they end first: they use the server's sign-in
            bridges = await stack.enter_async_context(plugin_bridges(server))
        except BridgeError as error:
            return _refuse(str(error))
        if places == [Off()] and not bridges:
            return _refuse("no transport configured; use --listen or enable remote control")
        whom = "websocket clients" if banner else "plugins"
        banner = f"codex app-server, for {whom}\n{banner}{_bridge_lines(bridges)}"
        told = _Told()
        if Stdio() in places:
            server.tasks.start(_serve_stdin(server, told))
        _hear_signals(told)  # whoever reads the banner may already end us
        sys.stderr.write(banner)
        sys.stderr.flush()
        await _until_told_to_end(server, told)
    return 0


async def _serve_stdin(server: Server, told: _Told) -> None:
    from app_server.rpc.codec import server_codec
    from app_server.rpc.stdio import StdioChannel, claim_stdio

    try:
        await server.serve(StdioChannel(*claim_stdio(), server_codec()))
    finally:
        told()


class _Told:
    """How often the server was told to end: once is to drain, again is to end at once."""

    def __init__(self) -> None:
        self.to_drain = asyncio.Event()
        self.to_end = asyncio.Event()

    def __call__(self) -> None:
        (self.to_end if self.to_drain.is_set() else self.to_drain).set()


def _hear_signals(told: _Told) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            loop.add_signal_handler(number, told)


async def _until_told_to_end(server: Server, told: _Told) -> None:
    await told.to_drain.wait()
    running = server.running_turns
    log.info("ending: %d connections, %d running turns", len(server.connections), running)
    while server.running_turns and not told.to_end.is_set():
        if server.running_turns != running:
            running = server.running_turns
            log.info("ending: waiting for %d running turns", running)
        await asyncio.sleep(LOOK_SECONDS)
    if told.to_end.is_set():
        log.info("ending at once: %d running turns are interrupted", server.running_turns)


def _open(
    place: UnixSocketPath | WebSocketAddress,
    credentials: ChecksCredentials | None,
    stack: AsyncExitStack,
) -> socket.socket:
    """A bound socket, closed with the stack. Raises `SocketUnavailable` and `WsAuthError`."""
    if isinstance(place, UnixSocketPath):
        return stack.enter_context(bound_socket(place.path))
    if credentials is None and not place.is_loopback:
        raise WsAuthError(
            f"refusing to listen on {place.host} without credentials: anybody who reaches the port "
            "could run commands. Use 127.0.0.1, or `--ws-auth capability-token` or `--ws-auth "
            "signed-bearer-token`."
        )
    try:
        bound = bind(place.host, place.port)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SocketUnavailable(f"cannot listen on {place.at(place.port)}: {reason}") from error
    stack.callback(bound.close)
    return bound


def _refuse(reason: str) -> int:
    sys.stderr.write(f"codex app-server: {reason}\n")
    return 1


def _banner(place: UnixSocketPath | WebSocketAddress, bound: socket.socket) -> str:
    if isinstance(place, UnixSocketPath):
        return f"  listening on: unix://{place.path}\n"
    address = place.at(bound.getsockname()[1])
    note = (
        "only programs on this machine can connect"
        if place.is_loopback
        else "other machines can connect with the credentials you configured"
    )
    return (
        f"  listening on: ws://{address}\n"
        f"  readyz: http://{address}/readyz\n"
        f"  healthz: http://{address}/healthz\n"
        f"  note: {note}\n"
    )


def _bridge_lines(bridges: Mapping[str, str]) -> str:
    return "".join(f"  plugin bridge {name}: {url}\n" for name, url in bridges.items())
