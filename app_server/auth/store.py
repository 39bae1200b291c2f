"""Where a sign-in is kept: `auth.json` in the home folder, readable by its owner alone.

The file is written beside itself and moved into place, so a crash leaves the old one whole. A file
we cannot read counts as signed out and is left alone; signing in sets it aside under another name.
Knows the file's shape and nothing of what its tokens mean.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec

from app_server.auth.errors import StoreFailed

log = logging.getLogger(__name__)

FILE_NAME = "auth.json"
SET_ASIDE_SUFFIX = ".unreadable"


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What a ChatGPT sign-in consists of; `id_token` is the raw JWT."""

    id_token: str
    access_token: str
    refresh_token: str = ""
    account_id: str | None = None

    def __repr__(self) -> str:
        return f"Tokens(account_id={self.account_id!r}, …)"


class StoredAuth(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The content of `auth.json`."""

    auth_mode: str | None = None
    """None in files of old releases."""
    api_key: str | None = msgspec.field(name="OPENAI_API_KEY", default_factory=lambda: None)
    tokens: Tokens | None = None
    last_refresh: str | None = None
    """RFC 3339, UTC."""
    agent_identity: Any = None
    plan: str | None = None
    """What a host application said of the plan; only ever in memory."""

    def __repr__(self) -> str:
        return f"StoredAuth(auth_mode={self.auth_mode!r}, …)"


class Store(Protocol):
    """A place for one sign-in."""

    def load(self) -> StoredAuth | None:
        """What is kept there; None if nothing, or nothing readable."""
        ...

    def save(self, auth: StoredAuth) -> None:
        """Raises `StoreFailed`."""
        ...

    def delete(self) -> bool:
        """Forget the sign-in; whether there was one. Raises `StoreFailed`."""
        ...


class FileStore:
    """`auth.json` in the home folder."""

    def __init__(self, codex_home: Path) -> None:
        self.path = codex_home / FILE_NAME

    def load(self) -> StoredAuth | None:
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as failure:
            log.warning("%s cannot be read (%s): signed out", self.path, failure.strerror)
            return None
        try:
            return msgspec.json.decode(content, type=StoredAuth)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            # the decoder's message may quote the content
            log.warning("%s is not in the form we know: signed out", self.path)
            return None

    def save(self, auth: StoredAuth) -> None:
        target = Path(os.path.realpath(self.path))
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._set_aside_what_we_cannot_read()
            _replace_content(target, as_text(auth))
        except OSError as failure:
            reason = failure.strerror or str(failure)
            raise StoreFailed("write", self.path, reason) from failure

    def delete(self) -> bool:
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        except OSError as failure:
            reason = failure.strerror or str(failure)
            raise StoreFailed("remove", self.path, reason) from failure
        return True

    def _set_aside_what_we_cannot_read(self) -> None:
        if self.path.exists() and self.load() is None:
            aside = self.path.with_name(FILE_NAME + SET_ASIDE_SUFFIX)
            os.replace(self.path, aside)
            log.warning("the old %s could not be read and is kept as %s", self.path, aside)


class MemoryStore:
    """For this process only."""

    def __init__(self) -> None:
        self.kept: StoredAuth | None = None

    def load(self) -> StoredAuth | None:
        return self.kept

    def save(self, auth: StoredAuth) -> None:
        self.kept = auth

    def delete(self) -> bool:
        there_was_one = self.kept is not None
        self.kept = None
        return there_was_one


class ChosenStore:
    """A store that is chosen when first used: looking the choice up reads the settings."""

    def __init__(self, choose: Callable[[], Store]) -> None:
        self._choose = choose
        self._chosen: Store | None = None

    def load(self) -> StoredAuth | None:
        return self._store.load()

    def save(self, auth: StoredAuth) -> None:
        self._store.save(auth)

    def delete(self) -> bool:
        return self._store.delete()

    @property
    def _store(self) -> Store:
        if self._chosen is None:
            self._chosen = self._choose()
        return self._chosen


def as_text(auth: StoredAuth) -> bytes:
    """The file's content, indented as `codex` writes it."""
    return msgspec.json.format(msgspec.json.encode(auth), indent=2)


def _replace_content(target: Path, content: bytes) -> None:
    # mkstemp opens with 0600 from the start
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise
