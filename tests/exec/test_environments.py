"""Where commands run: by the user's variables and by `environments.toml`."""

import json
import sys
from pathlib import Path

import pytest

from app_server.exec.environments import Environments
from app_server.exec.errors import CommandNotStarted, EnvironmentLost
from app_server.exec.local import LocalEnvironment
from app_server.exec.remote import RemoteEnvironment
from tests.exec.commands import everything, shell

ROOT = Path(__file__).resolve().parents[2]
URL = "CODEX_EXEC_SERVER_URL"
SERVE = "import sys; from app_server.exec_server.server import serve; sys.exit(serve('stdio://'))"


def made(home: Path, text: str | None = None, **environ: str) -> Environments:
    if text is not None:
        (home / "environments.toml").write_text(text)
    return Environments(home, environ)


async def refusal(environments: Environments, name: str | None = None) -> str:
    with pytest.raises(CommandNotStarted) as refused:
        await environments.get(name).spawn(shell("true"))
    await environments.get(name).prewarm()
    await environments.close()
    return str(refused.value)


@pytest.mark.parametrize("environ", [{}, {URL: " "}])
def test_commands_run_on_this_machine_unless_told_otherwise(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    environments = made(tmp_path, **environ)
    assert environments.default_name == "local"
    assert isinstance(environments.get(), LocalEnvironment)
    assert environments.get() is environments.get("local")


def test_a_url_leads_to_the_service_behind_it(tmp_path: Path) -> None:
    environments = made(tmp_path, **{URL: " ws://127.0.0.1:5 "})
    environment = environments.get()
    assert isinstance(environment, RemoteEnvironment)
    assert environment.url == "ws://127.0.0.1:5"
    assert environments.knows("remote")
    assert isinstance(environments.get("local"), LocalEnvironment)


async def test_none_switches_commands_off(tmp_path: Path) -> None:
    environments = made(tmp_path, **{URL: "none"})
    assert environments.default_name == "none"
    assert f"{URL} is `none`" in await refusal(environments)


def test_the_file_names_further_places_and_another_default(tmp_path: Path) -> None:
    text = """
    default = "box"
    include_local = false
    [[environments]]
    id = "box"
    url = "ws://10.0.0.7:4000"
    connect_timeout_sec = 2
    """
    environments = made(tmp_path, text)
    environment = environments.get()
    assert isinstance(environment, RemoteEnvironment)
    assert environment.url == "ws://10.0.0.7:4000"
    assert environments.knows("box")
    assert not environments.knows("local")
    # The variable wins.
    assert made(tmp_path, **{URL: "ws://127.0.0.1:5"}).default_name == "remote"


async def test_a_program_can_lead_to_a_service(tmp_path: Path) -> None:
    arguments = json.dumps(["-c", SERVE])
    text = f"""
    default = "there"
    [[environments]]
    id = "there"
    program = {json.dumps(sys.executable)}
    args = {arguments}
    cwd = {json.dumps(str(ROOT))}
    [[environments]]
    id = "nowhere"
    program = "/no/such/program"
    """
    environments = made(tmp_path, text)
    process = await environments.get().spawn(shell("echo out"))
    assert await everything(process) == b"out\n"
    assert await environments.get().confiner() == "service"
    assert await environments.get("local").confiner() == "caller"
    with pytest.raises(EnvironmentLost, match="failed to spawn exec-server"):
        await environments.get("nowhere").spawn(shell("true"))
    await environments.close()


BOX = 'id = "box"\nurl = "ws://10.0.0.7:4000"'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("default = [", "Invalid value"),
        ("defualt = 'box'", "unknown field `defualt`"),
        ("default = 'box'", "the default `box` is none of the environments"),
        ("[[environments]]\nid = 'a b'\nurl = 'ws://x'", "the id `a b` must consist of"),
        ("[[environments]]\nid = 'local'\nurl = 'ws://x'", "the id `local` is reserved"),
        ("[[environments]]\nid = 'box'", "`box` needs either a `url` or a `program`"),
        ("[[environments]]\nid = 'box'\nurl = 'http://x'", "must begin with ws:// or wss://"),
        (f"[[environments]]\n{BOX}\n[[environments]]\n{BOX}", "two environments have the id"),
    ],
)
async def test_a_file_that_cannot_be_followed_stops_every_command_and_says_why(
    tmp_path: Path, text: str, problem: str
) -> None:
    said = await refusal(made(tmp_path, text))
    assert said.startswith(str(tmp_path / "environments.toml"))
    assert problem in said


async def test_an_unknown_name_is_said_so(tmp_path: Path) -> None:
    assert await refusal(made(tmp_path), "box") == "there is no environment `box`"
