"""A sign-in kept in the system's keyring, and the store that prefers it but can do without.

The keyring library takes a third of a second to load and asks the desktop over a bus, so it is
imported at the first use, and only where the user chose it (`cli_auth_credentials_store`).
"""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from app_server.auth.errors import StoreFailed
from app_server.auth.store import FileStore, MemoryStore, Store, StoredAuth

log = logging.getLogger(__name__)

SERVICE_NAME = "Codex Auth"

StoreMode: TypeAlias = Literal["file", "keyring", "auto", "ephemeral"]


def open_store(mode: StoreMode, codex_home: Path) -> Store:
    """The store `cli_auth_credentials_store` names. Opens nothing yet."""
    match mode:
        case "file":
            return FileStore(codex_home)
        case "keyring":
            return KeyringStore(codex_home)
        case "auto":
            return AutoStore(codex_home)
        case "ephemeral":
            return MemoryStore()


def account_name(codex_home: Path) -> str:
    """The name of this home's entry: other homes of the same user have others."""
    digest = hashlib.sha256(os.path.realpath(codex_home).encode()).hexdigest()
    return f"cli|{digest[:16]}"


class KeyringStore:
    """One entry of the system's keyring."""

    def __init__(self, codex_home: Path) -> None:
        self._account = account_name(codex_home)
        self._file = FileStore(codex_home)

    def load(self) -> StoredAuth | None:
        try:
            return self.read()
        except StoreFailed as failure:
            log.warning("%s: signed out", failure)
            return None

    def read(self) -> StoredAuth | None:
        """As `load`, but raises `StoreFailed` where there is no keyring."""
        import keyring
        from keyring.errors import KeyringError

        try:
            text = keyring.get_password(SERVICE_NAME, self._account)
        except KeyringError as failure:
            raise _failed("load CLI auth from", failure) from failure
        if text is None:
            return None
        try:
            return msgspec.json.decode(text, type=StoredAuth)
        except msgspec.MsgspecError:
            # the decoder's message may quote the content
            raise StoreFailed(
                "deserialize CLI auth from", "keyring", "not in the form we know"
            ) from None

    def save(self, auth: StoredAuth) -> None:
        import keyring
        from keyring.errors import KeyringError

        try:
            keyring.set_password(SERVICE_NAME, self._account, msgspec.json.encode(auth).decode())
        except KeyringError as failure:
            raise _failed("write OAuth tokens to", failure) from failure
        try:
            self._file.delete()
        except StoreFailed as failure:
            log.warning("%s", failure)

    def delete(self) -> bool:
        import keyring
        from keyring.errors import KeyringError, PasswordDeleteError

        had_file = self._file.delete()
        try:
            keyring.delete_password(SERVICE_NAME, self._account)
        except PasswordDeleteError:
            return had_file
        except KeyringError as failure:
            raise _failed("delete auth from", failure) from failure
        return True


class AutoStore:
    """The keyring where there is one, else the file."""

    def __init__(self, codex_home: Path) -> None:
        self._keyring = KeyringStore(codex_home)
        self._file = FileStore(codex_home)

    def load(self) -> StoredAuth | None:
        try:
            found = self._keyring.read()
        except StoreFailed as failure:
            log.warning("%s; looking in the file", failure)
            found = None
        return found or self._file.load()

    def save(self, auth: StoredAuth) -> None:
        try:
            self._keyring.save(auth)
        except StoreFailed as failure:
            log.warning("%s; using the file", failure)
            self._file.save(auth)

    def delete(self) -> bool:
        had_file = self._file.delete()
        try:
            return self._keyring.delete() or had_file
        except StoreFailed as failure:
            # without a keyring there can be nothing in it
            log.warning("%s", failure)
            return had_file


def _failed(doing: str, failure: Exception) -> StoreFailed:
    return StoreFailed(doing, "keyring", str(failure) or type(failure).__name__)
