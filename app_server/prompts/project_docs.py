"""AGENTS.md: found from the project's root down to the working folder, and joined.

One file per folder, the override before the shared one. Blank files do not count; what cannot be
read is skipped. The project's part is bounded; the person's own file in the home folder is not.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import msgspec

log = logging.getLogger(__name__)

OVERRIDE_NAME = "AGENTS.override.md"
SHARED_NAME = "AGENTS.md"
SEPARATOR = "\n\n--- project-doc ---\n\n"


class ProjectDocs(msgspec.Struct, frozen=True, kw_only=True):
    """The joined text, None when there is none, and the files it came from."""

    text: str | None = None
    sources: tuple[str, ...] = ()

    def block(self, cwd: str) -> str | None:
        """The text as the model reads it."""
        if self.text is None:
            return None
        return f"# AGENTS.md instructions for {cwd}\n\n<INSTRUCTIONS>\n{self.text}\n</INSTRUCTIONS>"


def load_project_docs(
    codex_home: Path,
    cwd: Path,
    *,
    max_bytes: int,
    root_markers: Sequence[str],
    fallback_names: Sequence[str] = (),
) -> ProjectDocs:
    """Read and join what applies to `cwd`; `max_bytes` bounds the project's part, 0 drops it."""
    own = _first_with_text(codex_home, (OVERRIDE_NAME, SHARED_NAME))
    parts: list[tuple[Path, str]] = []
    budget = max_bytes
    for folder in folders_to_search(cwd, root_markers):
        if budget <= 0:
            break
        found = _first_with_text(folder, (OVERRIDE_NAME, SHARED_NAME, *fallback_names))
        if found is None:
            continue
        path, text = found
        cut = text.encode()[:budget]
        budget -= len(cut)
        parts.append((path, cut.decode("utf-8", "ignore")))
    project = "\n\n".join(text for _, text in parts)
    texts = [own[1]] if own else []
    if project.strip():
        texts.append(project)
    sources = ([own[0]] if own else []) + [path for path, _ in parts]
    return ProjectDocs(
        text=SEPARATOR.join(texts) or None, sources=tuple(str(path) for path in sources)
    )


def folders_to_search(cwd: Path, root_markers: Sequence[str]) -> list[Path]:
    """From the project's root down to `cwd`; `cwd` alone when no marker is found above it."""
    upwards = [cwd, *cwd.parents]
    for index, folder in enumerate(upwards):
        if any((folder / marker).exists() for marker in root_markers):
            return upwards[index::-1]
    return [cwd]


def _first_with_text(folder: Path, names: Sequence[str]) -> tuple[Path, str] | None:
    for name in names:
        path = folder / name
        try:
            if not path.is_file():
                continue
            text = path.read_bytes().decode("utf-8", "replace")
        except OSError as error:
            log.warning("cannot read %s: %s", path, error)
            continue
        if text.strip():
            return path, text
    return None
