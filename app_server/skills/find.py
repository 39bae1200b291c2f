"""Where skills live, and all of them in order.

Roots are searched a few levels deep, hidden folders left out, links followed but never in a circle;
a file reached twice counts once, for the nearer root. One skill that cannot be read is reported
beside the others. Reads many small files: call it off the event loop.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from app_server.protocol.skills import SkillErrorInfo, SkillMetadata, SkillScope
from app_server.skills.parse import SKILL_FILE, SkillInvalid, read_skill
from app_server.skills.switches import Switches

MAX_DEPTH = 6
MAX_FOLDERS = 2000
"""Folders looked into below one root: a root that is somebody's whole disk must not hold up all."""

ADMIN_ROOT = Path("/etc/codex/skills")
_ORDER: tuple[SkillScope, ...] = ("repo", "user", "system", "admin")


class Root(msgspec.Struct, frozen=True):
    path: Path
    scope: SkillScope


class Found(msgspec.Struct, frozen=True):
    """Skills by scope and name, and what could not be read."""

    skills: list[SkillMetadata]
    errors: list[SkillErrorInfo]


def skill_roots(
    codex_home: Path, cwd: Path, project_root: Path, extra_user_roots: Sequence[Path] = ()
) -> list[Root]:
    """The folders searched for somebody who works in `cwd`."""
    roots = [Root(folder / ".agents" / "skills", "repo") for folder in _upwards(cwd, project_root)]
    roots.insert(0, Root(project_root / ".codex" / "skills", "repo"))
    roots += [
        Root(codex_home / "skills", "user"),
        Root(Path.home() / ".agents" / "skills", "user"),
        *(Root(root, "user") for root in extra_user_roots),
        Root(codex_home / "skills" / ".system", "system"),
        Root(ADMIN_ROOT, "admin"),
    ]
    return roots


def find_skills(roots: Iterable[Root], switches: Switches) -> Found:
    """Every skill below the roots."""
    skills: list[SkillMetadata] = []
    errors: list[SkillErrorInfo] = []
    seen: set[str] = set()
    for root in roots:
        for path in _skill_files(root.path):
            real = os.path.realpath(path)
            if real in seen:
                continue
            seen.add(real)
            try:
                skill = read_skill(Path(real), root.scope)
            except SkillInvalid as error:
                errors.append(SkillErrorInfo(path=str(path), message=str(error)))
            else:
                enabled = switches.is_enabled(skill.name, skill.path)
                skills.append(msgspec.structs.replace(skill, enabled=enabled))
    skills.sort(key=lambda skill: (_ORDER.index(skill.scope), skill.name, skill.path))
    return Found(skills, errors)


def _upwards(cwd: Path, project_root: Path) -> Iterator[Path]:
    """`cwd` and its parents up to the project's root."""
    for folder in (cwd, *cwd.parents):
        yield folder
        if folder == project_root:
            return


def _skill_files(root: Path) -> Iterator[Path]:
    """SKILL.md files, shallow ones first; a folder that cannot be read has none."""
    waiting = [(root, 0)]
    entered: set[str] = set()
    for folder, depth in waiting:
        real = os.path.realpath(folder)
        if real in entered or len(entered) >= MAX_FOLDERS:
            continue
        entered.add(real)
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if entry.name == SKILL_FILE and entry.is_file():
                yield folder / SKILL_FILE
            elif depth < MAX_DEPTH and not entry.name.startswith(".") and entry.is_dir():
                waiting.append((folder / entry.name, depth + 1))
