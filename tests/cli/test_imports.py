"""What each way into the program loads: a linter cannot see whether a deferred import defers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "textual",
    "rich",
    "httpx",
    "websockets",
    "keyring",
    "tomlkit",
    "pygments",
    "markdown_it",
    "tree_sitter",
    "starlark",
    "sqlite3",
    "ptyprocess",
    "starlette",
    "uvicorn",
)
STANDARD_LIBRARY = {*sys.stdlib_module_names, *sys.builtin_module_names}


def loaded_by(code: str, home: Path, given: str = "") -> set[str]:
    """The modules in memory after `code` ran in a new interpreter."""
    environment = {"PATH": os.defpath, "HOME": str(home.parent), "CODEX_HOME": str(home)}
    report = "\nimport sys, json\nprint(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code + report],
        input=given,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("words", [["--version"], ["-V"]])
def test_version_loads_the_standard_library_alone(words: list[str], codex_home: Path) -> None:
    code = f"from app_server.cli.main import main; main({words!r})"
    before = loaded_by("", codex_home)
    outside = {name.split(".")[0] for name in loaded_by(code, codex_home) - before}
    assert outside - STANDARD_LIBRARY == {"app_server"}


def test_the_server_answers_initialize_without_anything_heavy(codex_home: Path) -> None:
    code = "from app_server.cli.main import main; main(['app-server'])"
    info = {"clientInfo": {"name": "test", "version": "1"}}
    given = json.dumps({"id": 1, "method": "initialize", "params": info}) + "\n"
    loaded = {name.split(".")[0] for name in loaded_by(code, codex_home, given)}
    assert loaded.isdisjoint({*HEAVY, "typing_extensions"} - {"httpx"})


def test_what_threads_and_settings_need_is_loaded_after_the_first_answer(codex_home: Path) -> None:
    code = (
        "import app_server.cli.headless, app_server.rpc.codec\n"
        "import app_server.server.serve_stdio, app_server.server.router\n"
        "import app_server.server.handlers.initialize\n"
        "from app_server.protocol.catalog import client_method\n"
        "client_method('initialize')"
    )
    topics = {name for name in loaded_by(code, codex_home) if name.startswith("app_server.")}
    rooms = {name.split(".")[1] for name in topics}
    assert rooms.isdisjoint({"agent", "auth", "config", "model", "storage", "threads"})
    assert topics.isdisjoint({"app_server.protocol.item", "app_server.protocol.thread_data"})


STARTS_A_THREAD = """
import asyncio, sys
from pathlib import Path
from app_server.client.client import Client
from app_server.protocol.initialize import ClientInfo
from app_server.protocol.thread import THREAD_START, ThreadStartParams
from app_server.rpc.channel import local_pair
from app_server.server.options import ServerOptions
from app_server.server.server import Server
async def main(home):
    ours, theirs = local_pair()
    async with Server(ServerOptions(codex_home=home, cwd=home)) as server:
        serving = asyncio.create_task(server.serve(theirs))
        async with Client(ours) as client:
            await client.initialize(ClientInfo(name="test", version="1"))
            await client.arrival()
            await server._warm_up
            warm = set(sys.modules)
            await client.request(THREAD_START, ThreadStartParams())
            late = {name for name in set(sys.modules) - warm if name.startswith("app_server.")}
        await serving
    return sorted(late)
print(asyncio.run(main(Path(sys.argv[1]))))
"""


def test_after_the_warm_up_a_threads_start_loads_nothing_more(codex_home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARTS_A_THREAD, str(codex_home)],
        env={"PATH": os.defpath, "HOME": str(codex_home.parent), "CODEX_HOME": str(codex_home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


def test_the_first_paint_needs_the_standard_library_alone(codex_home: Path) -> None:
    code = (
        "from app_server.cli import interactive\n"
        "from app_server.cli.options import parse\n"
        "from tui.terminal import first_paint\n"
        "parse([])\n"
        "first_paint.start(first_paint.HeaderFacts('1', '/', '/'))\n"
    )
    before = loaded_by("", codex_home)
    outside = {name.split(".")[0] for name in loaded_by(code, codex_home) - before}
    assert outside - STANDARD_LIBRARY == {"app_server", "tui"}
