"""What a user can send: text, images, skills, mentions."""

from typing import TypeAlias

import msgspec

from app_server.protocol.shared import ImageDetail, Unsigned
from app_server.protocol.wire import Wire


class ByteRange(Wire):
    """A stretch of UTF-8 bytes; `end` is not included."""

    start: Unsigned
    end: Unsigned


class TextElement(Wire):
    """A part of the text that stands for something else, such as a mention or a pasted image."""

    byte_range: ByteRange
    placeholder: str | None = None


class TextUserInput(Wire, tag="text"):
    text: str
    text_elements: list[TextElement] = msgspec.field(name="text_elements", default=[])


class ImageUserInput(Wire, tag="image", omit_defaults=True):
    url: str
    detail: ImageDetail | None = None


class LocalImageUserInput(Wire, tag="localImage", omit_defaults=True):
    path: str
    detail: ImageDetail | None = None


class SkillUserInput(Wire, tag="skill"):
    name: str
    path: str


class MentionUserInput(Wire, tag="mention"):
    name: str
    path: str


UserInput: TypeAlias = (
    TextUserInput | ImageUserInput | LocalImageUserInput | SkillUserInput | MentionUserInput
)
"""One part of what the user sends."""
