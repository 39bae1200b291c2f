"""Reads one skill: the front matter of SKILL.md, and what agents/openai.yaml adds for display.

A skill whose front matter is not right is an error with a sentence for the person who wrote it.
The display file is optional and never spoils a skill: what does not fit in it is left out.
Imports PyYAML (10 ms) when the first skill is read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app_server.protocol.skills import (
    SkillDependencies,
    SkillInterface,
    SkillMetadata,
    SkillScope,
    SkillToolDependency,
)
from app_server.regular_files import read_regular_file

SKILL_FILE = "SKILL.md"
MAX_NAME = 64
MAX_DESCRIPTION = 1024
MAX_SKILL_BYTES = 1024 * 1024
"""Far more than a model would be given; a larger file is somebody's mistake."""

_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*$", re.DOTALL | re.MULTILINE)
_COLOR = re.compile(r"\A#[0-9A-Fa-f]{6}\Z")


class SkillInvalid(Exception):
    """A SKILL.md that cannot be used; the message says what its author can mend."""


def read_skill(path: Path, scope: SkillScope) -> SkillMetadata:
    """The skill of a SKILL.md. Raises `SkillInvalid`."""
    front = _front_matter(_text(path))
    name = _one_line(front.get("name")) or path.parent.name
    if len(name) > MAX_NAME:
        raise SkillInvalid(f"invalid name: exceeds maximum length of {MAX_NAME} characters")
    description = _one_line(front.get("description"))
    if not description:
        raise SkillInvalid("missing field `description`")
    if len(description) > MAX_DESCRIPTION:
        raise SkillInvalid(
            f"invalid description: exceeds maximum length of {MAX_DESCRIPTION} characters"
        )
    display = _display(path.parent)
    metadata = front.get("metadata")
    short = metadata.get("short-description") if isinstance(metadata, Mapping) else None
    return SkillMetadata(
        name=name,
        path=str(path),
        scope=scope,
        enabled=True,
        description=description,
        short_description=_one_line(short),
        interface=_interface(display.get("interface"), path.parent),
        dependencies=_dependencies(display.get("dependencies")),
    )


def _text(path: Path) -> str:
    try:
        data = read_regular_file(path, MAX_SKILL_BYTES + 1)
    except OSError as error:
        raise SkillInvalid(f"cannot be read: {error.strerror or error}") from error
    if len(data) > MAX_SKILL_BYTES:
        raise SkillInvalid(f"larger than {MAX_SKILL_BYTES} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise SkillInvalid(f"not UTF-8 at byte {error.start}") from error


def _front_matter(text: str) -> Mapping[str, Any]:
    import yaml

    match = _FRONT_MATTER.match(text.removeprefix("\ufeff"))
    if match is None:
        raise SkillInvalid("missing YAML frontmatter delimited by ---")
    try:
        front = _load(match[1])
    except (yaml.YAMLError, RecursionError) as error:
        raise SkillInvalid(f"invalid YAML: {_first_problem(error)}") from error
    if not isinstance(front, Mapping):
        raise SkillInvalid("invalid YAML: the frontmatter is not a table of keys and values")
    for key in ("name", "description"):
        if isinstance(front.get(key), list | Mapping):
            raise SkillInvalid(f"invalid YAML: {key}: expected a string")
    return front


def _load(text: str) -> Any:
    """YAML with every scalar left as the text it was written as, and without aliases: a few lines
    of them can stand for gigabytes.
    """
    import yaml

    for token in yaml.scan(text):
        if isinstance(token, yaml.AliasToken):
            raise yaml.YAMLError("aliases are not allowed")
    return yaml.load(text, Loader=yaml.BaseLoader)


def _first_problem(error: Exception) -> str:
    problem = getattr(error, "problem", None)
    mark = getattr(error, "problem_mark", None)
    if problem is None or mark is None:
        return str(error).split("\n", 1)[0]
    return f"{problem} at line {mark.line + 1} column {mark.column + 1}"


def _one_line(value: Any) -> str | None:
    """The text on one line; None where there is none."""
    return (" ".join(value.split()) or None) if isinstance(value, str) else None


def _display(folder: Path) -> Mapping[str, Any]:
    import yaml

    try:
        display = _load(_text(folder / "agents" / "openai.yaml"))
    except (SkillInvalid, yaml.YAMLError, RecursionError):
        return {}
    return display if isinstance(display, Mapping) else {}


def _interface(written: Any, folder: Path) -> SkillInterface | None:
    if not isinstance(written, Mapping):
        return None
    color = _one_line(written.get("brand_color"))
    return SkillInterface(
        display_name=_one_line(written.get("display_name")),
        short_description=_one_line(written.get("short_description")),
        icon_small=_inside(written.get("icon_small"), folder),
        icon_large=_inside(written.get("icon_large"), folder),
        brand_color=color if color and _COLOR.match(color) else None,
        default_prompt=_one_line(written.get("default_prompt")),
    )


def _inside(written: Any, folder: Path) -> str | None:
    """An icon's absolute path; only what lies in the skill's own folder."""
    if not isinstance(written, str) or not written or os.path.isabs(written):
        return None
    path = os.path.normpath(folder / written)
    return path if path.startswith(f"{folder}{os.sep}") else None


def _dependencies(written: Any) -> SkillDependencies | None:
    tools = written.get("tools") if isinstance(written, Mapping) else None
    if not isinstance(tools, list):
        return None
    read = [tool for entry in tools if (tool := _tool(entry)) is not None]
    return SkillDependencies(tools=read) if read else None


def _tool(entry: Any) -> SkillToolDependency | None:
    if not isinstance(entry, Mapping):
        return None
    kind, value = _one_line(entry.get("type")), _one_line(entry.get("value"))
    if kind is None or value is None:
        return None
    return SkillToolDependency(
        type=kind,
        value=value,
        description=_one_line(entry.get("description")),
        transport=_one_line(entry.get("transport")),
        command=_one_line(entry.get("command")),
        url=_one_line(entry.get("url")),
    )
