"""Where a sign-in is kept: `auth.json` in the home folder, readable by its owner alone.

The file is written beside itself and moved into place, so a crash leaves the old one whole. A file
that is not ours to read counts as signed out and is never deleted; signing in sets it aside under
another name.
Knows the file's shape and nothing of what its tokens mean.
"""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from app_server.auth.errors import StoreFailed
from app_server.auth.json_text import NotReadable, read_json
from app_server.regular_files import read_regular_file

log = logging.getLogger(__name__)

FILE_NAME = "auth.json"
SET_ASIDE_SUFFIX = ".unreadable"

MAX_FILE_BYTES = 1 << 20
"""Tokens take a few thousand; what is cut off here is in no form we know."""

EMPTY_FILES = (b"{}", b"")
"""In these is nothing to lose."""


StoreMode: TypeAlias = Literal["file", "keyring", "auto", "ephemeral"]


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

    @property
    def is_our_own(self) -> bool:
        """Whether it holds tokens that the service gave to us."""
        return self.tokens is not None and self.auth_mode in (None, "chatgpt")

    def renews(self, other: StoredAuth | None) -> bool:
        """Whether these tokens came from those."""
        if other is None or other.tokens is None or self.tokens is None:
            return False
        is_newer = (other.last_refresh or "") < (self.last_refresh or "")
        return is_newer and other.tokens.account_id == self.tokens.account_id

    def __repr__(self) -> str:
        return f"StoredAuth(auth_mode={self.auth_mode!r}, …)"


class Store(Protocol):
    """A place for one sign-in."""

    @property
    def place(self) -> str:
        """Where that is, in words."""
        ...

    def load(self) -> StoredAuth | None:
        """What is kept there; None if nothing, or nothing readable."""
        ...

    def save(self, auth: StoredAuth) -> None:
        """Raises `StoreFailed`."""
        ...

    def delete(self) -> bool:
        """Forget the sign-in; whether there was one. Raises `StoreFailed`."""
        ...


def open_store(mode: StoreMode, codex_home: Path) -> Store:
    """The store `cli_auth_credentials_store` names. Opens nothing yet."""
    if mode == "file":
        return FileStore(codex_home)
    if mode == "ephemeral":
        return MemoryStore()
    from app_server.auth.keyring_store import AutoStore, KeyringStore

    return KeyringStore(codex_home) if mode == "keyring" else AutoStore(codex_home)


class FileStore:
    """`auth.json` in the home folder."""

    def __init__(self, codex_home: Path) -> None:
        self.path = codex_home / FILE_NAME

    @property
    def place(self) -> str:
        return str(self.path)

    def load(self) -> StoredAuth | None:
        try:
            content = read_regular_file(self.path, MAX_FILE_BYTES)
        except FileNotFoundError:
            return None
        except OSError as failure:
            log.warning("%s cannot be read (%s): signed out", self.path, failure.strerror)
            return None
        found = _decoded(content)
        if found is None:
            log.warning("%s is not in the form we know: signed out", self.path)
        return found

    def save(self, auth: StoredAuth) -> None:
        try:
            self._set_aside_what_we_cannot_read()
            target = Path(os.path.realpath(self.path))
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _replace_content(target, as_text(auth))
        except OSError as failure:
            reason = failure.strerror or str(failure)
            raise StoreFailed("write", self.path, reason) from failure

    def delete(self) -> bool:
        if self._is_foreign():
            log.warning("%s is not in the form we know and stays", self.path)
            return False
        try:
            # where the name is a link, what lies behind it is what must go
            Path(os.path.realpath(self.path)).unlink()
        except FileNotFoundError:
            return False
        except OSError as failure:
            reason = failure.strerror or str(failure)
            raise StoreFailed("remove", self.path, reason) from failure
        return True

    def _set_aside_what_we_cannot_read(self) -> None:
        if not self._is_foreign():
            return
        for number in itertools.count(1):
            name = FILE_NAME + SET_ASIDE_SUFFIX + (f".{number}" if number > 1 else "")
            aside = self.path.with_name(name)
            if not os.path.lexists(aside):
                break
        os.rename(self.path, aside)
        log.warning("the old %s could not be read and is kept as %s", self.path, aside)

    def _is_foreign(self) -> bool:
        try:
            content = read_regular_file(self.path, MAX_FILE_BYTES)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return content.strip() not in EMPTY_FILES and _decoded(content) is None


class MemoryStore:
    """For this process only."""

    def __init__(self) -> None:
        self.kept: StoredAuth | None = None

    @property
    def place(self) -> str:
        return "this process's memory"

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

    @property
    def place(self) -> str:
        return self._store.place

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


def _decoded(content: bytes) -> StoredAuth | None:
    """None for what is no sign-in of ours, with nothing in it that we know."""
    try:
        found = read_json(content, StoredAuth)
    except NotReadable:
        return None
    return None if found == StoredAuth() else found


def as_text(auth: StoredAuth) -> bytes:
    """The file's content, indented as `codex` writes it."""
    return msgspec.json.format(msgspec.json.encode(auth), indent=2)


def as_compact_text(auth: StoredAuth) -> str:
    """The same on one line, for an entry of a keyring."""
    return msgspec.json.encode(auth).decode()


def _replace_content(target: Path, content: bytes) -> None:
    import tempfile  # 8 ms, and nobody signs in at the start

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
