"""/ps and /stop: commands that run in the background, looked at and ended.

The server's own list is asked for first, where it has one: a thread that was resumed may have
commands nobody here has seen begin.
"""

from typing import TYPE_CHECKING

from app_server.protocol.errors import RpcError
from app_server.protocol.thread_shell import (
    THREAD_BACKGROUND_TERMINALS_LIST,
    THREAD_BACKGROUND_TERMINALS_TERMINATE,
    ThreadBackgroundTerminalsListParams,
    ThreadBackgroundTerminalsTerminateParams,
)
from tui.state.actions import StopTerminals, TerminalsListed
from tui.state.cells import CommandCell
from tui.state.select import running_terminals
from tui.widgets.panels.terminals import Terminals

if TYPE_CHECKING:
    from tui.screens.chat import ChatScreen


def show_terminals(chat: "ChatScreen", arguments: str) -> None:
    chat.run_worker(_show(chat), group="terminals", exclusive=True)


def stop_terminals(chat: "ChatScreen", arguments: str) -> None:
    chat.act(StopTerminals())


def stop_one(chat: "ChatScreen", command: CommandCell) -> None:
    chat.run_worker(_stop(chat, command))


async def _show(chat: "ChatScreen") -> None:
    thread = chat.state.thread
    if thread is None:
        return
    await _ask_server(chat, thread.id)
    thread = chat.state.threads.get(thread.id, thread)
    running = running_terminals(thread)
    if not running:
        chat.say("info", "No command runs in the background.")
        return
    if not chat.has_panel:
        chat.show_panel(Terminals(running, chat.app.clock.now(), palette=chat.app.palette))


async def _ask_server(chat: "ChatScreen", thread_id: str) -> None:
    params = ThreadBackgroundTerminalsListParams(thread_id=thread_id)
    try:
        listed = await chat.request(THREAD_BACKGROUND_TERMINALS_LIST, params)
    except RpcError:  # an older server: what was heard of here has to do
        return
    chat.act(TerminalsListed(thread_id=thread_id, running=tuple(listed.data)))


async def _stop(chat: "ChatScreen", command: CommandCell) -> None:
    thread = chat.state.thread
    if thread is None:
        return
    if command.process_id is None:
        await _ask_server(chat, thread.id)
        thread = chat.state.threads.get(thread.id, thread)
        running = running_terminals(thread)
        command = next((one for one in running if one.id == command.id), command)
    if command.process_id is None:
        chat.say("warning", "The server cannot end this one alone; /stop ends them all.")
        return
    params = ThreadBackgroundTerminalsTerminateParams(
        thread_id=thread.id, process_id=command.process_id
    )
    try:
        await chat.request(THREAD_BACKGROUND_TERMINALS_TERMINATE, params)
    except RpcError as error:
        chat.say("error", f"It could not be stopped: {error.message}")
