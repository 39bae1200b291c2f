"""What the user sent, as the model reads it: text, pictures, and words where a picture fails."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app_server import paths
from app_server.images import UnreadableImage, UnsupportedImage, data_url
from app_server.protocol.response_item import (
    ContentItem,
    InputImageContentItem,
    InputTextContentItem,
    MessageResponseItem,
)
from app_server.protocol.user_input import (
    ImageUserInput,
    LocalImageUserInput,
    TextUserInput,
    UserInput,
)

MAX_INPUT_CHARS = 1_048_576
"""The longest message a client may send, all text parts together."""


def input_chars(parts: Sequence[UserInput]) -> int:
    return sum(len(part.text) for part in parts if isinstance(part, TextUserInput))


def plain_text(parts: Sequence[UserInput]) -> str:
    """The words of a message, as previews and stored events show them."""
    return "".join(part.text for part in parts if isinstance(part, TextUserInput))


def reads_files(parts: Sequence[UserInput]) -> bool:
    """Whether the message names pictures that have to be read from disk."""
    return any(isinstance(part, LocalImageUserInput) for part in parts)


def recorded_input(parts: Sequence[UserInput], cwd: Path) -> MessageResponseItem:
    """The message as it enters the history. Reads local pictures, so call it off the loop."""
    content: list[ContentItem] = []
    pictures = 0
    for part in parts:
        match part:
            case TextUserInput():
                content.append(InputTextContentItem(text=part.text))
            case ImageUserInput():
                content += [
                    InputTextContentItem(text="<image>"),
                    InputImageContentItem(image_url=part.url, detail=part.detail or "high"),
                    InputTextContentItem(text="</image>"),
                ]
            case LocalImageUserInput():
                pictures += 1
                content += _local_image(part, pictures, cwd)
            case _:
                pass  # skills and mentions are resolved before, not sent
    return MessageResponseItem(role="user", content=content)


def _local_image(part: LocalImageUserInput, number: int, cwd: Path) -> list[ContentItem]:
    path = paths.absolute(part.path, cwd)
    try:
        url = data_url(path)
    except UnreadableImage as error:
        return [
            InputTextContentItem(text=f"Codex could not read the local image at `{path}`: {error}")
        ]
    except UnsupportedImage as error:
        return [InputTextContentItem(text=f"Codex cannot attach image at `{path}`: {error}.")]
    return [
        InputTextContentItem(text=f"<image name=[Image #{number}]>"),
        InputImageContentItem(image_url=url, detail=part.detail or "high"),
        InputTextContentItem(text="</image>"),
    ]
