"""Logging set-up: to stderr for servers, to a file for the interface.

Loaded on first use. Nothing ever logs to stdout, which belongs to the protocol or to the user's
output; with the interface on, stderr is its screen, so lines go to a file (0600). Levels
follow `RUST_LOG`, the form on stderr `LOG_FORMAT`, as `codex` has them. A stderr that nobody reads
costs lines, never the server.
"""

import logging
import os
import re
import select
import sys
from datetime import UTC, datetime
from pathlib import Path

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_OURS = ("app_server", "tui")
_LIBRARIES = logging.WARNING
"""Below this, libraries log what they send and receive; only a filter that names one gets it."""

_LEVELS = {
    "off": logging.CRITICAL + 1,
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": logging.DEBUG,
}
_TARGETS = {
    "codex_app_server": "app_server",
    "codex_core": "app_server.agent",
    "codex_exec_server": "app_server.exec_server",
    "codex_login": "app_server.auth",
    "codex_tui": "tui",
}
"""Targets of filters written for `codex`, and where we do what they stand for."""


def to_stderr() -> None:
    """Log to stderr; errors only unless `RUST_LOG` says otherwise, JSON with `LOG_FORMAT=json`."""
    handler = _StderrLines()
    as_json = os.environ.get("LOG_FORMAT", "").strip().lower() == "json"
    handler.setFormatter(_JsonLines() if as_json else _TextLines(_TEXT))
    _install(handler, os.environ.get("RUST_LOG", ""), logging.ERROR)


def to_file(folder: Path) -> None:
    """Log to `codex.log` in the folder; where that cannot be written, nowhere."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / "codex.log"
        os.close(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
        handler: logging.Handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(_TextLines(_TEXT))
    _install(handler, os.environ.get("RUST_LOG", ""), logging.WARNING)


def read_filter(text: str, default: int) -> dict[str, int]:
    """Logger name → level, as a `RUST_LOG` value asks for; "" stands for all others of ours.

    `warn,app_server::rpc=debug` is a level for everything and one for a part; a target alone means
    all it says. Later parts win. What cannot be read is skipped.
    """
    levels = {"": default}
    for part in text.split(","):
        target, equals, level = part.strip().rpartition("=")
        if level.lower() in _LEVELS:
            levels[_logger_name(target)] = _LEVELS[level.lower()]
        elif level and not equals:
            levels[_logger_name(level)] = logging.DEBUG
    return levels


def _logger_name(target: str) -> str:
    first, *rest = target.partition("[")[0].split("::")
    return ".".join([_TARGETS.get(first, first), *rest])


def _install(handler: logging.Handler, directives: str, default: int) -> None:
    levels = read_filter(directives, default)
    rest = levels.pop("")
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(rest, _LIBRARIES))
    for name, level in {**dict.fromkeys(_OURS, rest), **levels}.items():
        logging.getLogger(name).setLevel(level)


class _TextLines(logging.Formatter):
    """One line a record; control characters, which may come from a client, are shown as text."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = _CONTROL.sub(_as_escape, record.message)
        return super().formatMessage(record)


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _as_escape(found: re.Match[str]) -> str:
    return f"\\x{ord(found.group()):02x}"


class _JsonLines(logging.Formatter):
    """One JSON object a line, in the field names of Rust's tracing subscriber."""

    def format(self, record: logging.LogRecord) -> str:
        import json  # 2 ms, which most servers never need

        fields = {"message": record.getMessage()}
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        at = datetime.fromtimestamp(record.created, UTC)
        line = {
            "timestamp": at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "level": {"WARNING": "WARN", "CRITICAL": "ERROR"}.get(
                record.levelname, record.levelname
            ),
            "fields": fields,
            "target": record.name,
        }
        return json.dumps(line)


class _StderrLines(logging.Handler):
    """Writes to stderr what it takes at once. Lines that would make us wait are counted instead."""

    def __init__(self) -> None:
        super().__init__()
        self._lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record)
        except Exception:
            self.handleError(record)
            return
        if self._lost:
            text = f"({self._lost} lines of this log were lost: nobody read it)\n{text}"
        if _write_at_once(f"{text}\n".encode("utf-8", "backslashreplace")):
            self._lost = 0
        else:
            self._lost += 1


def _write_at_once(line: bytes) -> bool:
    """Whether stderr took all of the line; some of it may be written even if not."""
    poll = select.poll()
    try:
        descriptor = sys.stderr.fileno()
        poll.register(descriptor, select.POLLOUT)
        while line:
            if not poll.poll(0):
                return False
            # A descriptor that polls writable takes this much without blocking.
            line = line[os.write(descriptor, line[: select.PIPE_BUF]) :]
    except (OSError, ValueError, AttributeError):
        return False  # closed, or gone
    return True
