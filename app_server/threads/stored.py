"""Threads on disk, as this room needs them: found by id, read whole.

Reads files; call it off the event loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from app_server.protocol.thread import DynamicToolSpec
from app_server.protocol.thread_data import (
    GitInfo,
    NotLoadedThreadStatus,
    SessionSource,
    Thread,
    ThreadStatus,
)
from app_server.regular_files import os_reason
from app_server.storage import rollout
from app_server.storage.errors import RolloutUnusable
from app_server.storage.files import find
from app_server.storage.git_corrections import corrected_git
from app_server.storage.listing import ListedThread
from app_server.storage.names import name_of
from app_server.storage.rollout_read import read_rollout
from app_server.storage.shapes import wire_source
from app_server.threads.errors import Refused
from app_server.threads.restored import Restored
from app_server.threads.thread_ids import check_id


class StoredThread(msgspec.Struct, frozen=True, kw_only=True):
    """One thread as its file tells it."""

    meta: rollout.SessionMeta
    path: Path
    lines: list[rollout.RolloutLine]
    updated_at: int
    name: str | None = None
    corrected_git: GitInfo | None = None
    """What a client said of the repository later; it counts instead of the first line."""
    skipped_lines: int = 0
    """Lines that could not be read."""

    @property
    def created_at(self) -> int:
        try:
            return int(datetime.fromisoformat(self.meta.timestamp).timestamp())
        except ValueError:
            return self.updated_at

    @property
    def source(self) -> SessionSource:
        return wire_source(self.meta.source)

    @property
    def git_info(self) -> GitInfo | None:
        return self.corrected_git or git_info(self.meta)

    @property
    def dynamic_tools(self) -> list[DynamicToolSpec]:
        """The tools its client offered; ones that make no sense are left out."""
        tools: list[DynamicToolSpec] = []
        for raw in self.meta.dynamic_tools or []:
            try:
                tools.append(msgspec.convert(raw, DynamicToolSpec))
            except msgspec.ValidationError:
                continue
        return tools

    def restored(self) -> Restored:
        return Restored(line.item for line in self.lines)

    def described(self, *, include_turns: bool) -> Thread:
        """The thread as clients see it while it is not loaded."""
        restored = self.restored()
        context = restored.last_context
        return Thread(
            id=self.meta.id,
            forked_from_id=self.meta.forked_from_id,
            preview=restored.timeline.preview,
            ephemeral=False,
            model_provider=self.meta.model_provider or "openai",
            created_at=self.created_at,
            updated_at=self.updated_at,
            status=NotLoadedThreadStatus(),
            path=str(self.path),
            cwd=context.cwd if context is not None else self.meta.cwd,
            cli_version=self.meta.cli_version,
            source=self.source,
            git_info=self.git_info,
            name=self.name,
            turns=restored.timeline.turns() if include_turns else [],
        )


def find_stored(codex_home: Path, thread_id: str) -> Path | None:
    """The file of a thread, archived or not; None if there is none. Raises `InvalidThreadId`."""
    return find(codex_home, check_id(thread_id))


def named_file(path: Path) -> Path:
    """The file a client names by its path. Raises `Refused` if there is none."""
    try:
        path.stat()
    except OSError as error:
        raise Refused(f"failed to resolve rollout path `{path}`: {os_reason(error)}") from error
    return path


def read_stored(codex_home: Path, path: Path) -> StoredThread:
    """Read a thread's whole file. Raises `RolloutUnusable` when it is none."""
    stored = read_rollout(path)
    try:
        updated_at = int(path.stat().st_mtime)
    except OSError as error:
        raise RolloutUnusable(path, error.strerror or str(error)) from error
    return StoredThread(
        meta=stored.meta,
        path=path,
        lines=stored.lines,
        updated_at=updated_at,
        name=name_of(codex_home, stored.meta.id) or _name_in(stored.lines),
        corrected_git=corrected_git(codex_home).get(stored.meta.id),
        skipped_lines=len(stored.skipped),
    )


def _name_in(lines: Sequence[rollout.RolloutLine]) -> str | None:
    """The name a thread's own file gives it; the original keeps names of running threads there."""
    for line in reversed(lines):
        if isinstance(line.item, rollout.ThreadNameUpdated):
            return line.item.thread_name
    return None


def listed(entry: ListedThread, status: ThreadStatus) -> Thread:
    """A thread as lists show it: from the beginning of its file, and what was told of it since."""
    head = entry.head
    return Thread(
        id=head.meta.id,
        forked_from_id=head.meta.forked_from_id,
        preview=entry.preview,
        ephemeral=False,
        model_provider=head.meta.model_provider or "openai",
        created_at=entry.created_ms // 1000,
        updated_at=entry.updated_ms // 1000,
        status=status,
        path=str(head.path),
        cwd=head.meta.cwd,
        cli_version=head.meta.cli_version,
        source=wire_source(head.meta.source),
        git_info=entry.corrected_git or git_info(head.meta),
        name=entry.name,
        turns=[],
    )


def git_info(meta: rollout.SessionMeta) -> GitInfo | None:
    if meta.git is None:
        return None
    return GitInfo(
        sha=meta.git.commit_hash, branch=meta.git.branch, origin_url=meta.git.repository_url
    )
