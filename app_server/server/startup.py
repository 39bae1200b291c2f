"""What happens around the first handshake: configuration notices, and getting ready for a thread.

The notices are collected once and told to every client. Warming up loads, after the first answer
has left, what the first thread and its first turn will need.
"""

from __future__ import annotations

import asyncio
import logging
import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app_server.protocol.method import ServerNotification
from app_server.protocol.notices import CONFIG_WARNING, ConfigWarningNotification

if TYPE_CHECKING:
    from app_server.config.resolve import Config
    from app_server.server.server import Server
    from app_server.server.services import Services

log = logging.getLogger(__name__)

Notice = tuple[ServerNotification[Any], ConfigWarningNotification]

NEEDED_BY_THE_FIRST_TURN = (
    "app_server.server.handlers.threads",
    "app_server.server.handlers.turns",
    "app_server.threads.manager",
    "app_server.threads.start",
    "app_server.git.facts",
    "app_server.server.questions",
    "app_server.model.client",
)


NEEDED_BY_THE_FIRST_COMMAND = (
    "app_server.exec.sessions",
    "app_server.execpolicy.command_actions",
    "app_server.execpolicy.amend",
    "app_server.patch.shell_call",
    "app_server.sandbox.launch",
    "tree_sitter",
    "tree_sitter_bash",
)

REMOVAL_SECONDS = 0.3
"""For a forbidden sign-in to be removed before a client is welcomed; a file takes no time."""

PREWARM_DELAY_SECONDS = 0.1
"""After a turn has begun: its request to the model goes first."""


async def config_warnings(server: Server) -> list[Notice]:
    """What is wrong with the configuration, in the order found; never fails."""
    services = server.services
    try:
        await services.cloud_demands.soon()
        loaded = await asyncio.to_thread(services.load_config, services.cwd, {})
    except Exception as error:
        log.exception("the configuration could not be looked at")
        unusable = ConfigWarningNotification(
            summary="The configuration could not be read.", details=str(error)
        )
        return [(CONFIG_WARNING, unusable)]
    from app_server.threads.rules import rules_in_force

    rules = await asyncio.to_thread(rules_in_force, loaded)
    broken = loaded.warnings[:1] if loaded.error is not None else ()
    told = (*broken, *rules.warnings, *loaded.warnings[len(broken) :])
    for warning in told:
        if warning not in services.told_warnings:  # once, not for every client
            log.error("%s %s", warning.summary, warning.details or "")
    services.told_warnings.update(told)
    warnings = [(CONFIG_WARNING, warning) for warning in told]
    warnings += _unwritable_home(services.codex_home)
    return warnings + await _forbidden_sign_in(server, loaded.config)


def _unwritable_home(codex_home: Path) -> list[Notice]:
    if os.access(codex_home, os.W_OK):
        return []
    warning = ConfigWarningNotification(
        summary="Nothing of this session can be stored: the home folder cannot be written.",
        details=f"{codex_home}: threads, settings and sign-in last until the server ends.",
    )
    return [(CONFIG_WARNING, warning)]


async def _forbidden_sign_in(server: Server, config: Config) -> list[Notice]:
    """In a terminal session, a stored sign-in that the settings forbid is removed, and told.

    A keyring that waits to be unlocked keeps no client waiting: what is found there is told later,
    and not used meanwhile.
    """
    services = server.services
    is_forced = config.forced_login_method or config.forced_chatgpt_workspace_id
    if services.session_source != "cli" or not is_forced:
        return []
    from app_server.auth.rules import violation

    services.auth.forbids = lambda found: violation(found, config)
    told: list[Notice] = []
    too_late = False

    async def remove() -> None:
        told.extend(await _removed_sign_in(services))
        if too_late:
            for row, warning in told:
                server.broadcast(row, warning)

    removing = server.tasks.start(remove())
    await asyncio.wait({removing}, timeout=REMOVAL_SECONDS)
    too_late = not removing.done()
    return list(told)


async def _removed_sign_in(services: Services) -> list[Notice]:
    from app_server.auth.errors import AuthError

    auth = services.auth
    found = await auth.ready()
    if found is not None and found.source == "store" and auth.forbids(found) is not None:
        await asyncio.to_thread(auth.reload)  # it was looked up before anybody forbade it
    text = auth.forbidden
    if text is None:
        return []
    try:
        await asyncio.to_thread(auth.logout)
    except AuthError as problem:
        text = f"{text} {problem}"
    return [(CONFIG_WARNING, ConfigWarningNotification(summary=text))]


async def warm_up(server: Server) -> None:
    """Load the rooms of the first turn and open the HTTP client."""
    for name in NEEDED_BY_THE_FIRST_TURN:
        await asyncio.to_thread(import_module, name)
    try:
        provider = await asyncio.to_thread(server.services.default_provider)
    except Exception as error:
        log.info("no model provider to get ready for: %s", error)
        return
    await server.services.http.warm(provider.url("responses"))


def prewarm_commands(server: Server) -> None:
    """Start the process service and try the sandbox while the model thinks, if not yet done."""

    async def prewarm() -> None:
        await asyncio.sleep(PREWARM_DELAY_SECONDS)
        await (await server.services.environment()).prewarm()
        for name in NEEDED_BY_THE_FIRST_COMMAND:
            await asyncio.to_thread(import_module, name)
        from app_server.sandbox.probe import facts

        await asyncio.to_thread(facts)

    server.tasks.start(prewarm())
