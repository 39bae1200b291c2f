"""The offline demo: chooses the scene for each request, by what was typed and how far things are.

Words the scenes are known by choose one. Anything else plays the tour when it is typed first, and
later shows what there is.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeAlias

from app_server.demo import scenes
from app_server.demo.script import Director, Reply, Request
from app_server.demo.turns import Turn, read_turn

Scene: TypeAlias = Callable[[Turn], Reply]

MAX_CALLS_IN_A_TURN = 12
"""Far more than any scene makes; a scene that loses its thread ends here."""

_BY_WORD: tuple[tuple[tuple[str, ...], Scene], ...] = (
    (("wait", "count", "sleep", "long"), scenes.waiting),
    (("fail", "refus", "quota"), scenes.refusal),
    (("table", "markdown", "code"), scenes.showcase),
    (("error", "retry", "reconnect", "break", "network"), scenes.broken_stream),
    (("fix", "patch", "edit", "change", "write", "plan", "run", "tour"), scenes.tour),
)


class DemoDirector:
    """Answers requests for `ScriptedModel`."""

    def __init__(self) -> None:
        self._broken: set[str] = set()
        """Turns whose connection has been broken already."""

    def __call__(self, request: Request) -> Reply:
        turn = read_turn(request)
        if not turn.has_tools:
            return scenes.summary(turn)
        if turn.calls > MAX_CALLS_IN_A_TURN:
            return scenes.menu(turn)
        scene = _scene_for(turn)
        if scene is scenes.broken_stream:
            name = _turn_name(request, turn)
            if name in self._broken:
                return scenes.after_the_break(turn)
            self._broken.add(name)
        return scene(turn)


def demo_director() -> Director:
    """A director for one session of the demo."""
    return DemoDirector()


def _scene_for(turn: Turn) -> Scene:
    for words, scene in _BY_WORD:
        if turn.said(*words):
            return scene
    return scenes.tour if turn.number == 1 else scenes.menu


def _turn_name(request: Request, turn: Turn) -> str:
    """The turn's id, from the header that carries it; its number where there is none."""
    try:
        return str(json.loads(request.headers.get("x-codex-turn-metadata", ""))["turn_id"])
    except (ValueError, KeyError, TypeError):
        return f"{request.headers.get('session_id')}:{turn.number}"
