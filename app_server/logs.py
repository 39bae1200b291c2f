"""Logging set-up: to stderr for servers, to a file under the home folder for the interface.

Loaded on first use. Nothing ever logs to stdout, which belongs to the protocol or to the user's
output; with the interface on, stderr is its screen, so lines go to `log/codex.log` (0600).
"""

import json
import logging
import os
import sys
from pathlib import Path

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def to_stderr() -> None:
    """Log to stderr; `RUST_LOG` sets the level (default: errors), `LOG_FORMAT=json` the form."""
    handler = logging.StreamHandler(sys.stderr)
    as_json = os.environ.get("LOG_FORMAT", "").strip().lower() == "json"
    handler.setFormatter(_JsonLines() if as_json else logging.Formatter(_TEXT))
    _install(handler, _level(os.environ.get("RUST_LOG", ""), logging.ERROR))


def to_file(codex_home: Path) -> None:
    """Log to `log/codex.log` under the home folder; without a writable home, nowhere."""
    folder = codex_home / "log"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / "codex.log"
        os.close(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
        handler: logging.Handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter(_TEXT))
    _install(handler, _level(os.environ.get("RUST_LOG", ""), logging.WARNING))


def _install(handler: logging.Handler, level: int) -> None:
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


def _level(directive: str, default: int) -> int:
    """The level a `RUST_LOG` value asks for; its per-module parts are skipped."""
    names = {
        "trace": logging.DEBUG,
        "debug": logging.DEBUG,
        "info": logging.INFO,
        "warn": logging.WARNING,
        "error": logging.ERROR,
        "off": logging.CRITICAL + 1,
    }
    for part in directive.lower().split(","):
        if part.strip() in names:
            return names[part.strip()]
    return default


class _JsonLines(logging.Formatter):
    """One JSON object a line, in the field names of Rust's tracing subscriber."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "timestamp": self.formatTime(record),
            "level": record.levelname,
            "fields": {"message": record.getMessage()},
            "target": record.name,
        }
        if record.exc_info:
            line["fields"] = {"message": record.getMessage(), "error": self._exception(record)}
        return json.dumps(line)

    def _exception(self, record: logging.LogRecord) -> str:
        assert record.exc_info is not None
        return self.formatException(record.exc_info)
