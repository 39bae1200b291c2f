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

READING_SECONDS = 0.5
"""Longer than a question that has come up takes no keys."""
PRESS_AGAIN_SECONDS = 5.0
"""Longer than a busy machine needs to show what became of a key: it must not reach what follows."""

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

    A question takes no key in its first moments, so that nothing typed ahead answers it: it is read
    first. Should the key be lost all the same, it is pressed again while this question stands.
    """
    press_at: float | None = None

    def pressed_and_seen(terminal: Terminal) -> bool:
        nonlocal press_at
        if wanted in terminal.everything():
            return True
        screen = terminal.screen()
        if question not in screen or "enter to choose" not in screen:
            return False
        now = time.monotonic()
        if press_at is None:
            press_at = now + READING_SECONDS
        elif now >= press_at:
            terminal.press(key)
            press_at = now + PRESS_AGAIN_SECONDS
        return False

    terminal.wait_for(pressed_and_seen)


def leave(terminal: Terminal) -> int:
    """Quit as a person does: empty the composer, Ctrl+C, and again at once. The exit status."""
    terminal.wait_for(lambda shown: "esc to interrupt" not in shown.screen())
    terminal.press("ctrl+u", "ctrl+c", "ctrl+c")
    return terminal.wait_for_exit()
