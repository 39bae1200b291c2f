"""Commands about the session itself: status, the demo, signing out, leaving."""

from typing import TYPE_CHECKING

from app_server.protocol.account import ACCOUNT_LOGOUT
from app_server.protocol.errors import RpcError
from tui.state.actions import Show
from tui.widgets.panels.status import status_card

if TYPE_CHECKING:
    from tui.screens.chat import ChatScreen


def status(chat: "ChatScreen", arguments: str) -> None:
    chat.act(Show(status_card(chat.state)))


def demo_info(chat: "ChatScreen", arguments: str) -> None:
    if chat.state.demo:
        text = "This is the offline demo. No model is behind it: the answers are a script."
    else:
        text = "This is not the demo. `codex --demo` plays one offline."
    details = (
        "The script is served over HTTP on this machine and drives the real agent: its commands and"
        " patches go through the same sandbox and the same questions as a model's. It plays in a"
        " throwaway folder unless you name one with -C."
    )
    chat.say("info", text, details)


def log_out(chat: "ChatScreen", arguments: str) -> None:
    chat.run_worker(_log_out(chat))


async def _log_out(chat: "ChatScreen") -> None:
    try:
        await chat.request(ACCOUNT_LOGOUT, None)
    except RpcError as error:
        chat.say("error", f"Signing out failed: {error.message}")
        return
    chat.app.quit("Signed out.")


def leave(chat: "ChatScreen", arguments: str) -> None:
    chat.app.quit()
