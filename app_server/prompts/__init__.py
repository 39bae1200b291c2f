"""The words the model is given: instructions, facts about where it works, project documents.

Longer texts are files beside this module, read when first used and kept.
"""

from functools import cache
from importlib.resources import files


@cache
def text(name: str) -> str:
    """The packaged text `name` (such as `compact.md`), without the final line end."""
    path = files(__name__)
    for part in name.split("/"):
        path = path / part
    return path.read_text(encoding="utf-8").rstrip("\n")


def base_instructions() -> str:
    """What the model is told about its work when nobody gave it other instructions."""
    return text("base_instructions.md")
