"""Pictures of this machine for a server elsewhere: sent whole, as their paths mean nothing there.

Reads files; call it off the event loop.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias, TypeGuard

import msgspec

from app_server.images import UnreadableImage, UnsupportedImage, data_url
from app_server.protocol.errors import InvalidRequest
from app_server.protocol.turn import TurnStartParams, TurnSteerParams
from app_server.protocol.user_input import ImageUserInput, LocalImageUserInput, UserInput

Said: TypeAlias = TurnStartParams | TurnSteerParams


def names_own_images(params: object) -> TypeGuard[Said]:
    """Whether a request speaks of pictures by their paths on this machine."""
    return isinstance(params, Said) and any(
        isinstance(part, LocalImageUserInput) for part in params.input
    )


def with_own_images(params: Said) -> Said:
    """The request with the pictures themselves. Raises `InvalidRequest` for one that is none."""
    return msgspec.structs.replace(params, input=[_embedded(part) for part in params.input])


def _embedded(part: UserInput) -> UserInput:
    if not isinstance(part, LocalImageUserInput):
        return part
    try:
        return ImageUserInput(url=data_url(Path(part.path)), detail=part.detail)
    except (UnreadableImage, UnsupportedImage) as problem:
        raise InvalidRequest(f"{part.path} cannot be attached: {problem}") from problem
