"""A person at a terminal: the real program, the real server, a scripted model."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from app_server.demo.provider import ScriptedModel
from tests.support.model_server import model, provider_toml
from tests.support.terminal import Terminal

__all__ = ["model"]

Open = Callable[..., Terminal]

PRESS_AGAIN_SECONDS = 0.5
"""Longer than the time a question takes no keys, which each key begins anew."""

CODEX = str(Path(sys.executable).with_name("codex"))


@pytest.fixture
def repository(workspace: Path) -> Path:
    """A git repository with one file, to work in."""
    (workspace / "greet.py").write_text('def greet(name):\n    return "Hello " + name\n')
    subprocess.run(["git", "init", "-q", workspace], check=True)
    return workspace


@pytest.fixture
def open_session(model: ScriptedModel, codex_home: Path, repository: Path) -> Iterator[Open]:
    """Opens `codex WORDS…` in the repository, which the user trusts already."""
    trust = f'[projects."{repository}"]\ntrust_level = "trusted"\n'
    (codex_home / "config.toml").write_text(provider_toml(model) + trust)
    with open_with(environment_of(codex_home), repository) as opened:
        yield opened


def environment_of(codex_home: Path) -> dict[str, str]:
    """What a person's shell hands to the program."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(codex_home.parent),
        "CODEX_HOME": str(codex_home),
        "LANG": "C.UTF-8",
    }


@contextmanager
def open_with(environment: dict[str, str], folder: Path) -> Iterator[Open]:
    """Opens `codex WORDS…` in `folder`, as often as wanted; all are closed at the end."""
    with ExitStack() as closing:

        def opened(*words: str, columns: int = 80, rows: int = 24, **variables: str) -> Terminal:
            return closing.enter_context(
                Terminal(
                    [CODEX, *words],
                    cwd=folder,
                    environment={**environment, **variables},
                    columns=columns,
                    rows=rows,
                )
            )

        yield opened


def press_until(terminal: Terminal, question: str, key: str, wanted: str) -> None:
    """Answer the question on the screen with a key, and wait until `wanted` is there.

    A question takes no key in its first moments, so that nothing typed ahead answers it: the key
    is pressed again for as long as this question stands, never for the one that follows.
    """

    pressed_at = 0.0

    def pressed_and_seen(terminal: Terminal) -> bool:
        nonlocal pressed_at
        if wanted in terminal.everything():
            return True
        screen = terminal.screen()
        is_asked = question in screen and "enter to choose" in screen
        if is_asked and time.monotonic() - pressed_at > PRESS_AGAIN_SECONDS:
            terminal.press(key)
            pressed_at = time.monotonic()
        return False

    terminal.wait_for(pressed_and_seen)


def leave(terminal: Terminal) -> int:
    """Quit as a person does: empty the composer, Ctrl+C, and again. The exit status."""
    terminal.press("ctrl+u", "ctrl+c")
    terminal.wait_for("again to quit")
    terminal.press("ctrl+c")
    return terminal.wait_for_exit()
