"""Which environment commands run in, as the user's own environment says.

`CODEX_EXEC_SERVER_URL` names a process service elsewhere by its websocket URL; `none` switches
commands off; unset or blank means this machine.
"""

from __future__ import annotations

from collections.abc import Mapping

from app_server.exec.environment import Environment, RunningProcess, SpawnRequest
from app_server.exec.errors import CommandNotStarted

VARIABLE = "CODEX_EXEC_SERVER_URL"
NO_ENVIRONMENT = "none"


def chosen_environment(environ: Mapping[str, str]) -> Environment:
    """Starts and connects nothing yet; a URL that leads nowhere shows at the first command."""
    url = environ.get(VARIABLE, "").strip()
    if not url:
        from app_server.exec.local import LocalEnvironment

        return LocalEnvironment()
    if url == NO_ENVIRONMENT:
        return NoEnvironment()
    from app_server.exec.remote import RemoteEnvironment

    return RemoteEnvironment(url)


class NoEnvironment:
    """Runs nothing."""

    async def spawn(self, request: SpawnRequest) -> RunningProcess:
        raise CommandNotStarted(f"commands are switched off: {VARIABLE} is `{NO_ENVIRONMENT}`")

    async def prewarm(self) -> None:
        pass

    async def close(self) -> None:
        pass
