"""What is asked before the first session: how to reach a model, and whether to trust the folder.

Panels in the composer's place, one after another; nothing is asked that is already known. A folder
is trusted as the repository it belongs to.
"""

import asyncio
import os
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from app_server.protocol.account import ACCOUNT_READ, GetAccountParams, GetAccountResponse
from app_server.protocol.config import CONFIG_BATCH_WRITE, ConfigBatchWriteParams, ConfigEdit
from app_server.protocol.errors import RpcError
from tui.local_models import LocalServer, find_local_servers
from tui.state.actions import LookingForSignIn
from tui.widgets.pickers.list_picker import Choice

if TYPE_CHECKING:
    from tui.app import CodexApp


FILE_SECONDS = 10.0
"""A file is read in milliseconds, and waited for on a busy machine, too: all ways are offered."""
LOOKING_SECONDS = 0.5
"""A keyring may be locked, a server elsewhere be far away: the session begins without them."""


WHO = GetAccountParams(refresh_token=False)
DEMO = Choice("See the offline demo", "demo", "scripted, no model, no account needed")
NOT_SIGNED_IN = "Nobody is signed in. codex login does that; codex --demo needs no account."
NOBODY_SIGNED_IN_THERE = (
    "Nobody is signed in at that server. codex login on its machine does that, and so does the "
    "screen you left."
)
NOT_TRUSTED = "Nothing was done in this folder, and nothing kept: you are asked again next time."


class Leave(Exception):
    """The user does not want to go on; the message is what they read below the last screen."""


async def make_ready(app: "CodexApp", config: dict[str, Any]) -> None:
    """Make sure that a model can be reached, asking how if none can.

    A sign-in that is long in coming, as from a locked keyring, holds nothing up: the session goes
    on, and what is to be asked is asked when the answer is there.
    """
    reading = asyncio.ensure_future(app.link.request(ACCOUNT_READ, WHO))
    in_keyring = config.get("cli_auth_credentials_store") in ("keyring", "auto")
    seconds = LOOKING_SECONDS if in_keyring or app.options.remote else FILE_SECONDS
    try:
        async with app.clock.timeout(seconds):
            account = await asyncio.shield(reading)
    except TimeoutError:
        here = "that server" if app.options.remote else "this machine"
        place = "the keyring" if in_keyring else here
        app.act(LookingForSignIn(place=place))
        app.run_worker(_make_ready_later(app, config, reading), group="sign-in")
    else:
        await _offer_ways(app, config, account)


async def _make_ready_later(
    app: "CodexApp", config: dict[str, Any], reading: "asyncio.Future[GetAccountResponse]"
) -> None:
    try:
        try:
            account = await reading
        finally:
            app.act(LookingForSignIn(place=""))
        await _offer_ways(app, config, account, late=True)
    except RpcError as error:
        app.say("warning", f"It is not known who is signed in: {error.message}")
    except Leave as left:
        app.quit(str(left))


async def _offer_ways(
    app: "CodexApp", config: dict[str, Any], account: GetAccountResponse, *, late: bool = False
) -> None:
    """Until there is a model to talk to; nothing where there is one.

    `late` says that the session goes on meanwhile: a thread may be open, which the demo would need
    to begin without, and somebody may sign in before this has its turn.
    """
    if not _needs_account(account):
        return
    from tui.screens.sign_in import ways, who, whose  # only where nobody is signed in

    remote = app.options.remote
    servers = [] if remote else await find_local_servers()
    choices = [
        *ways(config.get("forced_login_method"), remote=remote),
        *(Choice(f"Use {one.title} on this machine", one, one.facts) for one in servers),
        *([DEMO] if app.options.connect_demo is not None and not late else []),
        Choice("Leave", "leave"),
    ]
    intro = ["Codex needs a model to talk to. /login brings you back here at any time."]
    intro += whose(app, "in")
    problem = ""
    async with app.chat.turn():
        if late and not _needs_account(await app.link.request(ACCOUNT_READ, WHO)):
            return
        while True:
            asking = app.chat.choose(
                "Welcome to Codex",
                choices,
                [*intro, problem] if problem else intro,
                leaving="leave",
                uncalled=not problem,
            )
            is_needless, chosen = await _unless_signed_in(app, asking)
            if is_needless:
                app.say("info", await who(app))
                return
            problem = await _go(app, chosen)
            if not problem:
                return


async def _unless_signed_in(app: "CodexApp", asking: Coroutine[Any, Any, Any]) -> tuple[bool, Any]:
    """The answer, unless somebody signs in elsewhere meanwhile: then there is nothing to ask."""
    answering = asyncio.ensure_future(asking)
    elsewhere = asyncio.ensure_future(app.somebody_signed_in())
    try:
        await asyncio.wait({answering, elsewhere}, return_when=asyncio.FIRST_COMPLETED)
        return (False, answering.result()) if answering.done() else (True, None)
    finally:
        answering.cancel()
        elsewhere.cancel()


async def _go(app: "CodexApp", chosen: Any) -> str:
    """Do what was chosen; what is wrong, or nothing. Raises `Leave`."""
    from tui.screens.sign_in import sign_in_by

    match chosen:
        case None | "leave":
            raise Leave(NOBODY_SIGNED_IN_THERE if app.options.remote else NOT_SIGNED_IN)
        case "demo":
            await _use_demo(app)
            return ""
        case LocalServer():
            return await _use_local(app, chosen)
        case way:
            return await sign_in_by(app, way)


def _needs_account(account: GetAccountResponse) -> bool:
    return account.account is None and account.requires_openai_auth


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
    choices = [
        Choice("Yes, work here", True, "its own settings, rules and hooks are used, too"),
        Choice("No, leave", False),
    ]
    intro = [
        root,
        "Files here can tell Codex what to do. Work only with those whose origin you know.",
    ]
    async with app.chat.turn():
        chosen = await app.chat.choose(
            "Do you trust this folder?", choices, intro, leaving="leave", uncalled=True
        )
    if not chosen:
        raise Leave(NOT_TRUSTED)
    edit = ConfigEdit(  # a path may hold dots, which part the keys of a key path
        key_path="projects", value={root: {"trust_level": "trusted"}}, merge_strategy="upsert"
    )
    try:
        await app.link.request(CONFIG_BATCH_WRITE, ConfigBatchWriteParams(edits=[edit]))
    except RpcError as error:
        app.say("warning", f"The answer could not be kept: {error.message}")


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
        chosen = await app.chat.choose(f"Which model of {server.title}?", choices, [])
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
