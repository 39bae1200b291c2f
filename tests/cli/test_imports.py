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
