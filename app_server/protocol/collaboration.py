"""Collaboration modes and their presets."""

from typing import Literal, TypeAlias

from app_server.protocol.method import ClientMethod
from app_server.protocol.shared import ReasoningEffort
from app_server.protocol.wire import UNSET, Maybe, SnakeWire, Wire

ModeKind: TypeAlias = Literal["plan", "default"]


class Settings(SnakeWire):
    model: str
    reasoning_effort: ReasoningEffort | None = None
    developer_instructions: str | None = None


class CollaborationMode(Wire):
    """A way of working together, with the settings it brings."""

    mode: ModeKind
    settings: Settings


class CollaborationModeMask(SnakeWire):
    """A preset: what it leaves absent is not touched."""

    name: str
    mode: ModeKind | None = None
    model: str | None = None
    reasoning_effort: Maybe[ReasoningEffort] = UNSET


class CollaborationModeListParams(Wire): ...


class CollaborationModeListResponse(Wire):
    data: list[CollaborationModeMask]


COLLABORATION_MODE_LIST = ClientMethod(
    "collaborationMode/list",
    CollaborationModeListParams,
    CollaborationModeListResponse,
    experimental=True,
)
