"""The programs in README and docs run as they stand there, against the scripted model."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app_server.demo.provider import ScriptedModel
from tests.support.model_server import provider_toml, runs_command, says, streams

ROOT = Path(__file__).resolve().parents[2]
BOUND_SECONDS = 60


def programs(page: str) -> list[str]:
    """The Python programs on a page, in order; rules files are in a relative of Python."""
    blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / page).read_text("utf-8"), re.M | re.S)
    return [block for block in blocks if block.startswith("import ")]


def run(program: str, codex_home: Path, folder: Path) -> str:
    """What the program prints; it must end well and say nothing on stderr."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=folder,
        env={**os.environ, "CODEX_HOME": str(codex_home), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=BOUND_SECONDS,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_readmes_ten_lines(model: ScriptedModel, codex_home: Path, workspace: Path) -> None:
    provider_toml(model, home=codex_home)
    model.script(streams("Two files", " and a folder."))
    (program,) = programs("README.md")
    assert len([line for line in program.splitlines() if line.strip()]) <= 10
    assert run(program, codex_home, workspace) == "Two files and a folder."


@pytest.mark.parametrize(
    ("number", "printed"),
    [
        (
            0,
            ["[UserMessageThreadItem]", "not without me: ", "[CommandExecutionThreadItem]", "done"],
        ),
        (1, ["completed done"]),
    ],
)
def test_the_programs_of_the_library_page(
    number: int, printed: list[str], model: ScriptedModel, codex_home: Path, workspace: Path
) -> None:
    provider_toml(model, home=codex_home)
    model.script(runs_command("touch made"), says("done"))
    program = programs("docs/library.md")[number]
    output = run(program, codex_home, workspace)
    places = [output.find(text) for text in printed]
    assert -1 not in places, output
    assert places == sorted(places)
    assert (workspace / "made").exists() == (number == 1)


def test_every_program_is_tried() -> None:
    assert len(programs("docs/library.md")) == 2
