"""Look at a picture from the file system."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from app_server import clock, paths
from app_server.agent.events import ItemCompleted, ItemStarted
from app_server.agent.tools.spec import ToolCall, ToolError, decode_arguments, function, string
from app_server.agent.tools.turn_files import TurnFiles, turn_files
from app_server.images import (
    MAX_IMAGE_BYTES,
    UnreadableImage,
    UnsupportedImage,
    data_url,
    data_url_of,
)
from app_server.protocol.item import ImageViewThreadItem
from app_server.protocol.response_item import (
    FunctionCallOutputBody,
    InputImageFunctionCallOutputContentItem,
)
from app_server.protocol.shared import ImageDetail
from app_server.protocol.wire import JsonObject
from app_server.regular_files import os_reason

if TYPE_CHECKING:
    from pathlib import Path

    from app_server.agent.turn import Turn

DESCRIPTION = """Look at a picture on this machine. Use it only with a path you were given or \
found; pictures the person attached are already in the conversation."""


class Arguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    path: str
    detail: str | None = None


class ViewImage:
    """Reads the file and hands the picture to the model."""

    name = "view_image"
    runs_in_parallel = True

    def definition(self) -> JsonObject:
        return function(
            self.name,
            DESCRIPTION,
            {
                "detail": string("`original` keeps full resolution where the model allows it."),
                "path": string("The picture's path, absolute or relative to the working folder."),
            },
            ["path"],
        )

    async def run(self, call: ToolCall, turn: Turn) -> FunctionCallOutputBody:
        arguments = decode_arguments(call, Arguments)
        if not turn.settings.sees_images:
            raise ToolError("view_image is not allowed because you do not support image inputs")
        path = paths.absolute(arguments.path, turn.settings.command_cwd)
        at = await turn_files(turn)
        if not await at.look(lambda: at.may_read(path)):
            raise ToolError(f"`{path}` may not be read under this thread's permissions")
        try:
            url = await at.look(lambda: _read(path, at))
        except UnreadableImage as error:
            raise ToolError(f"unable to locate image at `{path}`: {error}") from error
        except UnsupportedImage as error:
            raise ToolError(f"unable to process image at `{path}`: {error}") from error
        item = ImageViewThreadItem(id=call.call_id, path=str(path))
        turn.emit(ItemStarted(turn_id=turn.id, item=item, at_ms=clock.now_ms()))
        turn.emit(ItemCompleted(turn_id=turn.id, item=item, at_ms=clock.now_ms()))
        detail: ImageDetail = "original" if arguments.detail == "original" else "high"
        return [InputImageFunctionCallOutputContentItem(image_url=url, detail=detail)]


def _read(path: Path, at: TurnFiles) -> str:
    if at.remote is None:
        return data_url(path)
    try:
        content = at.remote.read_some(path, MAX_IMAGE_BYTES)
    except OSError as error:
        raise UnreadableImage(os_reason(error)) from error
    return data_url_of(content, path)
