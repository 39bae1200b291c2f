"""Who this server says it is: user agent, platform, installation.

The first client of a process names the originator for good; the newest one stands in brackets at
the end of the user agent, as `codex` has it. Standard library only, since this runs before the
first answer.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from app_server.ids import is_uuid, uuid4
from app_server.version import COMPATIBLE_WITH

DEFAULT_ORIGINATOR = "codex_cli_rs"
ORIGINATOR_OVERRIDE = "CODEX_INTERNAL_ORIGINATOR_OVERRIDE"


class Identity:
    """The names that go into headers, answers and stored threads."""

    def __init__(self, originator: str) -> None:
        self._overridden = os.environ.get(ORIGINATOR_OVERRIDE, "")
        self._originator = originator
        self._client: tuple[str, str] | None = None

    @property
    def originator(self) -> str:
        return self._overridden or self._originator

    @property
    def user_agent(self) -> str:
        """`ORIGINATOR/VERSION (OS OSVERSION; ARCH) TERMINAL (CLIENT; CLIENTVERSION)`."""
        text = f"{self.originator}/{COMPATIBLE_WITH} ({operating_system()}; {os.uname().machine})"
        text = f"{text} {terminal()}"
        if self._client is None:
            return text
        name, version = self._client
        return f"{text} ({name}; {version})"

    def introduce(self, name: str, version: str) -> None:
        """A client has said who it is."""
        if self._client is None:
            self._originator = name
        self._client = name, version


def is_header_value(text: str) -> bool:
    """Whether a text may stand in an HTTP header: no control characters but the tab."""
    return all(char == "\t" or (char >= " " and char != "\x7f") for char in text)


def platform_os() -> str:
    return "macos" if sys.platform == "darwin" else sys.platform


def platform_family() -> str:
    return "windows" if sys.platform == "win32" else "unix"


def operating_system() -> str:
    """Name and version in three parts, such as `Debian 12.0.0`."""
    if sys.platform == "darwin":
        import platform

        return f"Mac OS {_three_parts(platform.mac_ver()[0])}"
    facts = _os_release()
    name = facts.get("NAME", "Linux").removesuffix("GNU/Linux").removesuffix("Linux").strip()
    return f"{name or 'Linux'} {_three_parts(facts.get('VERSION_ID', ''))}"


def terminal() -> str:
    """The terminal's own name and version where it tells them, else the kind it says it is."""
    name = os.environ.get("TERM_PROGRAM", "")
    version = os.environ.get("TERM_PROGRAM_VERSION", "")
    told = f"{name}/{version}" if name and version else name or os.environ.get("TERM", "")
    kept = "".join(char for char in told if char.isascii() and (char.isalnum() or char in "-_./"))
    return kept or "unknown"


def host_name() -> str:
    import socket  # 3 ms, after the first answer

    return socket.gethostname()


def installation_id(codex_home: Path) -> str:
    """A UUID made once for this home; a new one each time where the home cannot be written."""
    path = codex_home / "installation_id"
    try:
        stored = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        stored = ""
    if is_uuid(stored):
        return stored
    made = uuid4()
    try:
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(made)
    except FileExistsError:
        return installation_id(codex_home)  # another server was quicker
    except OSError:
        pass
    return made


def _os_release() -> dict[str, str]:
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return {}
    pairs = (line.partition("=") for line in lines)
    return {key: value.strip("\"'") for key, _, value in pairs}


def _three_parts(version: str) -> str:
    parts = [part for part in version.split(".") if part.isdigit()][:3]
    return ".".join([*parts, "0", "0", "0"][:3])
