"""Where a thread's file lies: by local date, named by time and id."""

from __future__ import annotations

import time
from pathlib import Path


def rollout_path(codex_home: Path, thread_id: str, created_at: float) -> Path:
    """The file of a new thread; its folders may not exist yet."""
    local = time.localtime(created_at)
    folder = codex_home / "sessions" / time.strftime("%Y/%m/%d", local)
    return folder / f"rollout-{time.strftime('%Y-%m-%dT%H-%M-%S', local)}-{thread_id}.jsonl"
