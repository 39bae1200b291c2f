"""Look at a picture from the file system."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from app_server import clock, paths
from app_server.agent.events import ItemCompleted, ItemStarted
from app_server.agent.tools.shared_files import require_files
from app_server.agent.tools.spec import ToolCall, ToolError, decode_arguments, function, string
from app_server.images import UnreadableImage, UnsupportedImage, data_url
from app_server.protocol.item import ImageViewThreadItem
from app_server.protocol.response_item import (
    FunctionCallOutputBody,
    InputImageFunctionCallOutputContentItem,
)
from app_server.protocol.shared import ImageDetail
from app_server.protocol.wire import JsonObject

if TYPE_CHECKING:
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
        if not turn.session.may_read(turn.settings, path):
            raise ToolError(f"`{path}` may not be read under this thread's permissions")
        await require_files(turn, path.parent)
        try:
            url = await asyncio.to_thread(data_url, path)
        except UnreadableImage as error:
            raise ToolError(f"unable to locate image at `{path}`: {error}") from error
        except UnsupportedImage as error:
            raise ToolError(f"unable to process image at `{path}`: {error}") from error
        item = ImageViewThreadItem(id=call.call_id, path=str(path))
        turn.emit(ItemStarted(turn_id=turn.id, item=item, at_ms=clock.now_ms()))
        turn.emit(ItemCompleted(turn_id=turn.id, item=item, at_ms=clock.now_ms()))
        detail: ImageDetail = "original" if arguments.detail == "original" else "high"
        return [InputImageFunctionCallOutputContentItem(image_url=url, detail=detail)]
