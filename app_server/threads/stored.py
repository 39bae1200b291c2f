"""Threads on disk, as this room needs them: found by id, read whole.

Reads files; call it off the event loop.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

from app_server import ids
from app_server.protocol.thread_data import GitInfo, NotLoadedThreadStatus, SessionSource, Thread
from app_server.storage import rollout
from app_server.storage.errors import RolloutUnusable
from app_server.storage.shapes import wire_source
from app_server.threads.errors import InvalidThreadId
from app_server.threads.restored import Restored


class StoredThread(msgspec.Struct, frozen=True, kw_only=True):
    """One thread as its file tells it."""

    meta: rollout.SessionMeta
    path: Path
    lines: list[rollout.RolloutLine]
    updated_at: int
    name: str | None = None
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
        git = self.meta.git
        if git is None:
            return None
        return GitInfo(sha=git.commit_hash, branch=git.branch, origin_url=git.repository_url)

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
    """The file of a thread, archived or not; None if there is none."""
    return find_active(codex_home, thread_id) or find_archived(codex_home, thread_id)


def find_active(codex_home: Path, thread_id: str) -> Path | None:
    if not ids.is_uuid(thread_id):
        raise InvalidThreadId(thread_id)
    found = (codex_home / "sessions").glob(f"*/*/*/rollout-*-{thread_id}.jsonl")
    return next(found, None)


def find_archived(codex_home: Path, thread_id: str) -> Path | None:
    if not ids.is_uuid(thread_id):
        raise InvalidThreadId(thread_id)
    found = (codex_home / "archived_sessions").glob(f"rollout-*-{thread_id}.jsonl")
    return next(found, None)


def read_stored(codex_home: Path, path: Path) -> StoredThread:
    """Read a thread's whole file. Raises `StorageError` when it is none."""
    try:
        content = path.read_bytes()
        updated_at = int(path.stat().st_mtime)
    except OSError as error:
        raise RolloutUnusable(path, error.strerror or str(error)) from error
    raw = [line for line in content.split(b"\n") if line.strip()]
    lines = [line for text in raw if (line := rollout.decode_line(text)) is not None]
    meta = lines[0].item if lines else None
    if not isinstance(meta, rollout.SessionMeta):
        raise RolloutUnusable(path, "its first line does not say which thread it holds")
    return StoredThread(
        meta=meta,
        path=path,
        lines=lines,
        updated_at=updated_at,
        skipped_lines=len(raw) - len(lines),
    )
