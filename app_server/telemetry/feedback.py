"""Keeps a report about trouble as a folder on this machine.

There is nowhere to send reports to yet, so one is written where its author can read it and attach
it to an issue: `feedback/<time>-<id>/` under the home folder, 0700, files 0600. Logs and the
conversation go in only when the person said so. Reads and writes files; call it off the loop.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from app_server import clock
from app_server.paths import make_private_folder
from app_server.regular_files import read_regular_file

MAX_FILE_BYTES = 8 * 1024 * 1024
"""The end of a longer file is kept: what went wrong stands there."""

MAX_EXTRA_FILES = 20


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to say."""

    tracking_id: str
    classification: str
    reason: str | None = None
    thread_id: str | None = None
    tags: dict[str, str] = {}
    version: str
    created_at: str = msgspec.field(default_factory=clock.utc_timestamp)


class NotIncluded(msgspec.Struct, frozen=True):
    path: str
    reason: str


class _Written(msgspec.Struct, frozen=True, kw_only=True):
    report: Report
    files: list[str]
    not_included: list[NotIncluded]


def save_report(codex_home: Path, report: Report, attachments: Sequence[Path] = ()) -> Path:
    """Write the report and copies of the attachments; returns the folder. Raises OSError.

    An attachment that cannot be read is named in the report and spoils nothing.
    """
    stamp = report.created_at.replace(":", "-")
    folder = codex_home / "feedback" / f"{stamp}-{report.tracking_id[-12:]}"
    make_private_folder(folder.parent)
    folder.mkdir(mode=0o700)
    files: list[str] = []
    missing: list[NotIncluded] = []
    for number, path in enumerate(attachments[:MAX_EXTRA_FILES], start=1):
        try:
            content = _end_of(path)
        except OSError as error:
            missing.append(NotIncluded(str(path), error.strerror or str(error)))
            continue
        name = f"{number:02}-{path.name}"
        _write(folder / name, content)
        files.append(name)
    missing += [
        NotIncluded(str(path), f"more than {MAX_EXTRA_FILES} files")
        for path in attachments[MAX_EXTRA_FILES:]
    ]
    written = _Written(report=report, files=files, not_included=missing)
    _write(folder / "report.json", msgspec.json.format(msgspec.json.encode(written), indent=2))
    return folder


def _end_of(path: Path) -> bytes:
    size = path.stat().st_size
    if size <= MAX_FILE_BYTES:
        return read_regular_file(path, MAX_FILE_BYTES)
    with path.open("rb") as file:
        file.seek(size - MAX_FILE_BYTES)
        return file.read(MAX_FILE_BYTES)


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)
