"""Where the agent works, told to the model: folder, shell, date, time zone."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec


class WorkEnvironment(msgspec.Struct, frozen=True, kw_only=True):
    """The facts in the environment block; two equal ones need not be told twice."""

    cwd: str
    shell: str
    current_date: str
    timezone: str

    def block(self) -> str:
        """The block as the model reads it."""
        lines = [
            "<environment_context>",
            f"  <cwd>{self.cwd}</cwd>",
            f"  <shell>{self.shell}</shell>",
            f"  <current_date>{self.current_date}</current_date>",
            f"  <timezone>{self.timezone}</timezone>",
            "</environment_context>",
        ]
        return "\n".join(lines)


def current_date(now: float) -> str:
    """The local calendar day of a Unix time."""
    return time.strftime("%Y-%m-%d", time.localtime(now))


def local_timezone() -> str:
    """The IANA name of the local time zone, as far as this machine tells."""
    named = os.environ.get("TZ", "").removeprefix(":")
    if named and not named.startswith("/"):
        return named
    try:
        target = os.path.realpath("/etc/localtime")
    except OSError:
        target = ""
    _, found, zone = target.partition("/zoneinfo/")
    if found:
        return zone
    try:
        return Path("/etc/timezone").read_text(encoding="utf-8").strip() or "Etc/UTC"
    except OSError:
        return "Etc/UTC"
