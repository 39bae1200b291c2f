"""What is asked before the first session: how to reach a model, and whether to trust the folder.

Panels in the composer's place, one after another; nothing is asked that is already known. A folder
is trusted as the repository it belongs to.
"""

import asyncio
import os
from typing import TYPE_CHECKING, Any

from app_server.protocol.account import (
    ACCOUNT_LOGIN_START,
    ACCOUNT_READ,
    ApiKeyLoginAccountParams,
    GetAccountParams,
)
from app_server.protocol.config import CONFIG_BATCH_WRITE, ConfigBatchWriteParams, ConfigEdit
from app_server.protocol.errors import RpcError
from tui.local_models import LocalServer, find_local_servers
from tui.widgets.pickers.list_picker import Choice
from tui.widgets.questions.text_input import TextInput

if TYPE_CHECKING:
    from tui.app import CodexApp


class Leave(Exception):
    """The user does not want to go on."""


async def sign_in(app: "CodexApp") -> None:
    """Make sure that a model can be reached, asking how if none can."""
    account = await app.link.request(ACCOUNT_READ, GetAccountParams(refresh_token=False))
    if account.account is not None or not account.requires_openai_auth:
        return
    servers = await find_local_servers()
    problem = ""
    while True:
        choices = [Choice("Paste an OpenAI API key", "key", "kept in auth.json, for you alone")]
        choices += [
            Choice(f"Use {server.title} on this machine", server, server.facts)
            for server in servers
        ]
        if app.options.connect_demo is not None:
            choices.append(
                Choice("See the offline demo", "demo", "scripted, no model, no account needed")
            )
        choices.append(Choice("Leave", "leave"))
        intro = [
            "Codex needs a model to talk to. Set OPENAI_API_KEY, or choose here; you can come back"
            " to this with /logout."
        ]
        if problem:
            intro.append(problem)
        chosen = await choose(app, "Welcome to Codex", choices, intro)
        match chosen:
            case None | "leave":
                raise Leave
            case "key":
                problem = await _use_key(app)
            case "demo":
                await _use_demo(app)
                return
            case LocalServer():
                problem = await _use_local(app, chosen)
        if not problem:
            return


async def trust_folder(app: "CodexApp", config: dict[str, Any]) -> None:
    """Ask once for each repository; the answer is kept in the user's configuration."""
    folder = app.options.cwd
    root = repository_root(folder) or folder
    projects = config.get("projects")
    known = projects if isinstance(projects, dict) else {}
    for path in {root, folder, os.path.realpath(root), os.path.realpath(folder)}:
        entry = known.get(path)
        if isinstance(entry, dict) and entry.get("trust_level"):
            return
    chosen = await choose(
        app,
        "Do you trust this folder?",
        [
            Choice("Yes, work here", True, "its own settings, rules and hooks are used, too"),
            Choice("No, leave", False),
        ],
        [
            root,
            "Files here can tell Codex what to do. Work only with those whose origin you know.",
        ],
    )
    if not chosen:
        raise Leave
    edit = ConfigEdit(  # a path may hold dots, which part the keys of a key path
        key_path="projects", value={root: {"trust_level": "trusted"}}, merge_strategy="upsert"
    )
    try:
        await app.link.request(CONFIG_BATCH_WRITE, ConfigBatchWriteParams(edits=[edit]))
    except RpcError as error:
        app.say("warning", f"The answer could not be kept: {error.message}")


async def choose(app: "CodexApp", title: str, choices: list[Choice], intro: list[str]) -> Any:
    """One of `choices`, or None."""
    answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def settle(value: Any) -> None:
        if not answer.done():
            answer.set_result(value)

    app.chat.pick(
        title,
        choices,
        lambda choice: settle(choice.value),
        intro=intro,
        on_cancelled=lambda: settle(None),
    )
    return await answer


async def _use_key(app: "CodexApp") -> str:
    """Ask for a key and keep it; what is wrong, or nothing."""
    panel = TextInput("API key", "paste it here; it is not shown", secret=True, palette=app.palette)
    key = await panel.ask(app.chat)
    if key is None:
        return "No key was given."
    try:
        await app.link.request(ACCOUNT_LOGIN_START, ApiKeyLoginAccountParams(api_key=key))
    except RpcError as error:
        return f"The key was not accepted: {error.message}"
    return ""


async def _use_demo(app: "CodexApp") -> None:
    connect = app.options.connect_demo
    assert connect is not None
    app.thread_cwd = None
    app.reconnect(connect, demo=True)
    await app.link.ready.wait()


async def _use_local(app: "CodexApp", server: LocalServer) -> str:
    """Make a local server the provider, with one of its models; what is wrong, or nothing."""
    if not server.models:
        return f"{server.title} has no model yet; fetch one there first."
    model = server.models[0]
    if len(server.models) > 1:
        choices = [Choice(name, name) for name in server.models]
        chosen = await choose(app, f"Which model of {server.title}?", choices, [])
        if chosen is None:
            return "No model was chosen."
        model = str(chosen)
    edits = [
        ConfigEdit(key_path="model_provider", value=server.provider, merge_strategy="replace"),
        ConfigEdit(key_path="model", value=model, merge_strategy="replace"),
    ]
    try:
        await app.link.request(CONFIG_BATCH_WRITE, ConfigBatchWriteParams(edits=edits))
    except RpcError as error:
        return f"The choice could not be kept: {error.message}"
    return ""


def repository_root(folder: str) -> str | None:
    """The nearest folder above, or this one, that holds a `.git`."""
    while True:
        if os.path.exists(os.path.join(folder, ".git")):
            return folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
