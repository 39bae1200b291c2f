"""Handing what happens to one thread to whoever counts it."""

from __future__ import annotations

from typing import Any

import msgspec

from app_server.agent.events import ThreadEvent
from app_server.agent.projection.telemetry import ThreadRecords
from app_server.telemetry.records import Recorder


class Recording:
    def __init__(self, recorder: Recorder, thread_id: str, model: str) -> None:
        self._recorder = recorder
        self._records = ThreadRecords(thread_id, model, with_prompts=recorder.with_prompts)
        recorder.take(self._records.opened())

    def happened(self, event: ThreadEvent) -> None:
        for record in self._records.of(event):
            self._recorder.take(record)

    def decided(self, question: Any, answer: Any) -> None:
        """An approval was answered; other questions are nobody's figures."""
        item_id, decision = getattr(question, "item_id", None), getattr(answer, "decision", None)
        if item_id is None or decision is None:
            return
        if not isinstance(decision, str):
            decision = next(iter(msgspec.to_builtins(decision)), "")
        self._recorder.take(self._records.decided(item_id, decision))
