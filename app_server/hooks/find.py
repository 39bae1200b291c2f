"""Which hooks are configured, layer by layer, in the order they would run.

A layer keeps its hooks in `hooks.json` in its folder, under `[hooks]` in its settings, or in both.
What cannot be used is left out with a warning and spoils nothing beside it. Knows configuration
only as the layers it is handed; reads small files, so call it off the event loop.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec

from app_server.protocol.hooks import HookEventName, HookMetadata, HookSource
from app_server.regular_files import read_regular_file

HOOKS_FILE = "hooks.json"
DEFAULT_TIMEOUT_SECONDS = 600
MAX_FILE_BYTES = 1024 * 1024

EVENTS: tuple[HookEventName, ...] = get_args(HookEventName)
WITHOUT_MATCHER = frozenset({"userPromptSubmit", "stop"})
"""Events that name nothing a pattern could be held against."""


class HookLayer(msgspec.Struct, frozen=True, kw_only=True):
    """One layer of settings that counts."""

    source: HookSource
    folder: Path | None = None
    """Where `hooks.json` may lie; None: nowhere."""
    file: Path
    """The file `table` comes from; it names hooks in keys and warnings."""
    table: Mapping[str, Any] = {}
    """The layer's `[hooks]`."""
    is_managed: bool = False


class FoundHooks(msgspec.Struct, frozen=True):
    hooks: list[HookMetadata]
    warnings: list[str]


def find_hooks(layers: Iterable[HookLayer]) -> FoundHooks:
    """All hooks of the layers, weakest layer first."""
    search = _Search()
    for layer in layers:
        search.look_into(layer)
    return FoundHooks(search.hooks, search.warnings)


class _Search:
    def __init__(self) -> None:
        self.hooks: list[HookMetadata] = []
        self.warnings: list[str] = []

    def look_into(self, layer: HookLayer) -> None:
        file = layer.folder / HOOKS_FILE if layer.folder is not None else None
        written = self._file(file) if file is not None else None
        if file is not None and written:
            self._table(layer, file, written)
        if layer.table:
            if file is not None and written:
                self.warnings.append(
                    f"loading hooks from both {file} and {layer.file}; "
                    "prefer a single representation for this layer"
                )
            self._table(layer, layer.file, layer.table)

    def _file(self, path: Path) -> Mapping[str, Any] | None:
        try:
            return _hooks_in(path)
        except (OSError, ValueError, RecursionError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            self.warnings.append(f"failed to parse hooks config {path}: {reason}")
            return None

    def _table(self, layer: HookLayer, path: Path, table: Mapping[str, Any]) -> None:
        for event in EVENTS:
            groups = table.get(event[0].upper() + event[1:], [])
            if not isinstance(groups, list):
                self.warnings.append(f"ignoring {event} hooks in {path}: expected a list")
                continue
            for number, group in enumerate(groups):
                self._group(layer, path, event, number, group)

    def _group(
        self, layer: HookLayer, path: Path, event: HookEventName, number: int, group: Any
    ) -> None:
        handlers = group.get("hooks", []) if isinstance(group, Mapping) else None
        matcher = group.get("matcher") if isinstance(group, Mapping) else None
        if not isinstance(handlers, list) or not isinstance(matcher, str | None):
            self.warnings.append(
                f"ignoring {event} hooks in {path}: expected tables with `matcher` and `hooks`"
            )
            return
        if event in WITHOUT_MATCHER:
            matcher = None
        problem = _problem_of(matcher)
        if problem is not None:
            self.warnings.append(f'invalid matcher "{matcher}" in {path}: {problem}')
            return
        for position, handler in self._commands(path, handlers):
            self.hooks.append(
                HookMetadata(
                    key=f"{path}:{_snake(event)}:{number}:{position}",
                    event_name=event,
                    handler_type="command",
                    matcher=matcher,
                    command=handler["command"],
                    timeout_sec=_timeout(handler.get("timeout")),
                    status_message=handler.get("statusMessage"),
                    source_path=str(path),
                    source=layer.source,
                    display_order=len(self.hooks),
                    enabled=True,
                    is_managed=layer.is_managed,
                    trust_status="managed" if layer.is_managed else "trusted",
                )
            )

    def _commands(self, path: Path, handlers: list[Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
        for position, handler in enumerate(handlers):
            problem = _unusable(handler, path)
            if problem is None:
                yield position, handler
            else:
                self.warnings.append(problem)


def _hooks_in(path: Path) -> Mapping[str, Any] | None:
    """What `hooks.json` holds; None without one. Raises OSError and ValueError."""
    try:
        content = read_regular_file(path, MAX_FILE_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(f"larger than {MAX_FILE_BYTES} bytes")
    written = json.loads(content)
    hooks = written.get("hooks", {}) if isinstance(written, Mapping) else None
    if not isinstance(hooks, Mapping):
        raise ValueError('expected an object such as {"hooks": {…}}')
    return hooks


def _unusable(handler: Any, path: Path) -> str | None:
    """Why a handler is left out; None: it can be used."""
    if not isinstance(handler, Mapping):
        return f"skipping a hook in {path}: expected a table"
    kind = handler.get("type")
    if kind in ("prompt", "agent"):
        return f"skipping {kind} hook in {path}: {kind} hooks are not supported yet"
    if kind != "command":
        return f"skipping a hook in {path}: its type must be `command`, not {kind!r}"
    if not isinstance(handler.get("command"), str):
        return f"skipping a hook in {path}: missing field `command`"
    if not handler["command"].strip():
        return f"skipping empty hook command in {path}"
    if handler.get("async"):
        return f"skipping async hook in {path}: async hooks are not supported yet"
    if not isinstance(handler.get("statusMessage"), str | None):
        return f"skipping a hook in {path}: `statusMessage` must be a string"
    timeout = handler.get("timeout")
    if timeout is not None and (not isinstance(timeout, int) or isinstance(timeout, bool)):
        return f"skipping a hook in {path}: `timeout` must be a number of seconds"
    return None


def _problem_of(matcher: str | None) -> str | None:
    if matcher is None or matcher in ("", "*"):
        return None
    try:
        re.compile(matcher)
    except (re.error, RecursionError, OverflowError) as error:
        return str(error)
    return None


def _timeout(seconds: int | None) -> int:
    return DEFAULT_TIMEOUT_SECONDS if seconds is None else max(1, seconds)


def _snake(event: str) -> str:
    return re.sub("([A-Z])", lambda match: f"_{match[1].lower()}", event)
