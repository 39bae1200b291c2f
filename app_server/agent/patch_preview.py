"""Patches shown while the model still writes them.

A preview is told at most every quarter of a second, and only where somebody wants it: in threads of
the terminal and with the feature `apply_patch_streaming_events`. It promises nothing: the patch
may turn out not to fit.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from app_server import clock
from app_server.agent.events import Told
from app_server.model.events import ToolInputDelta
from app_server.patch.stream import PatchStream
from app_server.protocol.item import FileUpdateChange
from app_server.protocol.item_deltas import (
    ITEM_FILE_CHANGE_PATCH_UPDATED,
    FileChangePatchUpdatedNotification,
)
from app_server.protocol.response_item import CustomToolCallResponseItem, ResponseItem

if TYPE_CHECKING:
    from pathlib import Path

    from app_server.agent.turn import Turn

FEATURE = "apply_patch_streaming_events"
TOLD_EVERY_SECONDS = 0.25


class PatchPreviews:
    """The patches of one answer that are still being written."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        session = turn.session
        self._wanted = session.keeps_actions or session.config.enabled(FEATURE)
        self._writing: dict[str, _Writing] = {}

    def begun(self, item: ResponseItem, item_id: str) -> None:
        """The service has begun an item."""
        match item:
            case CustomToolCallResponseItem(name="apply_patch") if self._wanted:
                self._writing[item_id] = _Writing(item.call_id)

    def add(self, event: ToolInputDelta) -> None:
        """More text of a call came."""
        writing = self._writing.get(event.item_id)
        changes = None if writing is None else writing.stream.feed(event.delta)
        if writing is None or changes is None:
            return
        now = clock.monotonic()
        if now < writing.next_at:
            return
        writing.next_at = now + TOLD_EVERY_SECONDS
        turn = self._turn
        params = FileChangePatchUpdatedNotification(
            thread_id=turn.thread_id,
            turn_id=turn.id,
            item_id=writing.call_id,
            changes=located(changes, turn.settings.cwd),
        )
        turn.emit(Told(row=ITEM_FILE_CHANGE_PATCH_UPDATED, params=params))


class _Writing:
    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        self.stream = PatchStream()
        self.next_at = 0.0


def attempted_changes(patch_text: str, cwd: Path) -> list[FileUpdateChange]:
    """What a patch wanted, as far as its text tells: for one that does not fit."""
    return located(PatchStream().feed(f"{patch_text}\n") or [], cwd)


def located(changes: list[FileUpdateChange], cwd: Path) -> list[FileUpdateChange]:
    """The changes with absolute paths, as items have them."""
    return [
        msgspec.structs.replace(change, path=os.path.normpath(cwd / change.path))
        for change in changes
    ]
