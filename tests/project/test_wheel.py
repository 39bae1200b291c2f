"""The wheel is whole: installed alone in a clean environment it starts and opens a session."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel in it; what it depends on is lent by this one."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=True)
    site = next((folder / "lib").glob("python*")) / "site-packages"
    (site / "lent.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    subprocess.run(
        [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps",
         "--python", folder / "bin" / "python", wheel],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return folder


def test_the_wheel_holds_styles_and_prompts(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.endswith(".tcss") for name in names)
    assert any(name.startswith("app_server/prompts/") and name.endswith(".md") for name in names)
    assert not any(name.startswith(("tests/", "bench/", "snapshots/")) for name in names)


def test_an_installed_wheel_opens_a_session(
    installed: Path, codex_home: Path, workspace: Path
) -> None:
    environment = {
        "PATH": os.defpath,
        "HOME": str(codex_home.parent),
        "CODEX_HOME": str(codex_home),
        "LANG": "C.UTF-8",
    }
    with Terminal(
        [str(installed / "bin" / "codex"), "--demo"], cwd=workspace, environment=environment
    ) as terminal:
        terminal.wait_for(lambda t: "›" in t.screen() and "demo" in t.screen().lower())
        terminal.press("ctrl+d")
        assert terminal.wait_for_exit() == 0
