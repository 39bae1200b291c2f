"""How a session begins: sign-in where one is needed, trust for a new folder, then the thread.

Runs once the first frame is out and waits for the link. Each step asks only when it has to; what
the user types meanwhile stays in the composer, and what they send is sent once a thread is open.
"""

import contextlib
import logging
from typing import TYPE_CHECKING, Any

from app_server.protocol.config import CONFIG_READ, ConfigReadParams
from app_server.protocol.errors import RpcError
from tui.keymap import Keymap, overrides_from
from tui.preferences import read_preferences
from tui.screens.onboarding import Leave, make_ready, trust_folder
from tui.state.actions import OpenNewThread, OpenStoredThread, SetDisplay, UserSubmitted
from tui.text.highlight import is_theme

if TYPE_CHECKING:
    from tui.app import CodexApp

log = logging.getLogger(__name__)


async def begin(app: "CodexApp") -> None:
    """From the first frame to the open thread."""
    await app.link.ready.wait()
    try:
        config = await _read_config(app)
        if not app.options.demo:
            await make_ready(app, config or {})
        if config is not None and not app.store.state.demo:
            if not app.options.remote:
                await trust_folder(app, config)
            _use_settings(app, config)
    except Leave as left:
        app.quit(str(left))
        return
    except RpcError as error:
        log.warning("start-up question failed: %s", error)
        if app.store.state.connection.status != "lost":
            app.say("warning", f"Part of the start-up failed: {error.message}")
    with contextlib.suppress(RpcError):  # a lost connection has been told
        await _open(app)


def open_new(app: "CodexApp") -> None:
    app.act(OpenNewThread(params=app.start_params()))


async def _open(app: "CodexApp") -> None:
    from tui.commands.thread import pick_stored, stored_threads

    options = app.options
    if options.prompt or options.images:
        app.act(UserSubmitted(text=options.prompt or "", images=options.images))
    if options.resume_id:
        thread_id = await _find_thread(app, options.resume_id)
        app.act(OpenStoredThread(params=app.resume_params(thread_id)))
    elif options.resume_last:
        threads = await stored_threads(app.chat, any_folder=options.resume_any_folder)
        if threads:
            app.act(OpenStoredThread(params=app.resume_params(threads[0].id)))
        else:
            app.say("info", "There is no earlier conversation here; this is a new one.")
            open_new(app)
    elif options.resume_pick:
        await pick_stored(app.chat, any_folder=options.resume_any_folder)
    else:
        open_new(app)


async def _find_thread(app: "CodexApp", wanted: str) -> str:
    """An id as it is; a name becomes the id of the latest conversation that has it."""
    from tui.commands.thread import stored_threads

    threads = await stored_threads(app.chat, any_folder=True)
    named = next((thread.id for thread in threads if thread.name == wanted), None)
    return named or wanted


async def _read_config(app: "CodexApp") -> dict[str, Any] | None:
    """The effective settings; None where the server cannot say."""
    try:
        async with app.clock.timeout(CONFIG_SECONDS):
            answer = await app.link.request(
                CONFIG_READ, ConfigReadParams(cwd=app.thread_cwd, include_layers=False)
            )
    except (RpcError, TimeoutError) as error:
        log.warning("config/read failed: %s", error)
        return None
    config = answer.config
    return config if isinstance(config, dict) else {}


CONFIG_SECONDS = 10.0
"""A configuration that is not read by then is not waited for: defaults do."""


def _use_settings(app: "CodexApp", config: dict[str, Any]) -> None:
    """What the settings say about this interface."""
    app.prompts.configure(config.get("history"))
    app.run_worker(app.recall_messages(), group="history")
    app.preferences = wanted = read_preferences(config)
    changed, complaints = overrides_from(wanted.keymap)
    app.keymap = Keymap(changed)
    for complaint in complaints:
        app.say("warning", complaint)
    theme = app.options.code_theme
    if theme is not None and not is_theme(theme):
        app.say("warning", f"`tui.theme`: there are no colours of code called `{theme}`.")
    app.act(
        SetDisplay(
            hide_reasoning=wanted.hide_reasoning,
            show_raw_reasoning=wanted.show_raw_reasoning,
            status_items=wanted.status_items,
            title_items=wanted.title_items,
        )
    )
