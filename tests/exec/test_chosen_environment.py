"""Where commands run, by the user's environment."""

import pytest

from app_server.exec.chosen import chosen_environment
from app_server.exec.environment import SpawnRequest
from app_server.exec.errors import CommandNotStarted
from app_server.exec.local import LocalEnvironment
from app_server.exec.remote import RemoteEnvironment


@pytest.mark.parametrize("environ", [{}, {"CODEX_EXEC_SERVER_URL": " "}])
def test_commands_run_on_this_machine_unless_told_otherwise(environ: dict[str, str]) -> None:
    assert isinstance(chosen_environment(environ), LocalEnvironment)


def test_a_url_leads_to_the_service_behind_it() -> None:
    environment = chosen_environment({"CODEX_EXEC_SERVER_URL": " ws://127.0.0.1:5 "})
    assert isinstance(environment, RemoteEnvironment)
    assert environment.url == "ws://127.0.0.1:5"


async def test_none_switches_commands_off() -> None:
    environment = chosen_environment({"CODEX_EXEC_SERVER_URL": "none"})
    with pytest.raises(CommandNotStarted, match="CODEX_EXEC_SERVER_URL is `none`"):
        await environment.spawn(SpawnRequest(argv=("true",), cwd="/", env={}))
    await environment.prewarm()
    await environment.close()
