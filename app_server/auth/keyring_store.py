"""A sign-in kept in the system's keyring, and the store that prefers it but can do without.

The keyring library takes a third of a second to load and asks the desktop over a bus, so it is
imported at the first use, and only where the user chose it (`cli_auth_credentials_store`).

A keyring may be away when somebody signs out or in. A note in the home then says that the entry
counts for nothing any more; it is removed as soon as the keyring can be asked again.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app_server.auth.errors import StoreFailed
from app_server.auth.json_text import NotReadable, read_json
from app_server.auth.store import FileStore, StoredAuth, as_compact_text

log = logging.getLogger(__name__)

SERVICE_NAME = "Codex Auth"

OUTDATED_NOTE = ".auth-keyring-outdated"

LIMIT_SECONDS = 30.0
"""A keyring that is locked asks its owner for a password, who may be away."""


def account_name(codex_home: Path) -> str:
    """The name of this home's entry: other homes of the same user have others."""
    digest = hashlib.sha256(os.path.realpath(codex_home).encode()).hexdigest()
    return f"cli|{digest[:16]}"


class KeyringStore:
    """One entry of the system's keyring."""

    place = "the system's keyring"

    def __init__(self, codex_home: Path) -> None:
        self._account = account_name(codex_home)
        self._file = FileStore(codex_home)
        self._outdated = codex_home / OUTDATED_NOTE

    def load(self) -> StoredAuth | None:
        try:
            return self.read()
        except StoreFailed as failure:
            log.warning("%s: signed out", failure)
            return None

    def read(self) -> StoredAuth | None:
        """As `load`, but raises `StoreFailed` where there is no keyring."""
        if self._outdated.exists():
            self._remove_entry()
            return None
        text = _ask("load CLI auth from", _get_password, self._account)
        if text is None:
            return None
        try:
            return read_json(text, StoredAuth)
        except NotReadable:
            doing, reason = "deserialize CLI auth from", "not in the form we know"
            raise StoreFailed(doing, "keyring", reason) from None

    def save(self, auth: StoredAuth) -> None:
        _ask("write OAuth tokens to", _set_password, self._account, as_compact_text(auth))
        try:
            self._outdated.unlink(missing_ok=True)
            self._file.delete()
        except (StoreFailed, OSError) as failure:
            log.warning("%s", failure)

    def delete(self) -> bool:
        """True also where the keyring cannot be asked: there may have been one."""
        had_file = self._file.delete()
        return self.forget_entry() is not False or had_file

    def forget_entry(self) -> bool | None:
        """Whether there was an entry; None if the keyring is away, which notes it as outdated.

        Raises `StoreFailed` if not even that can be done.
        """
        try:
            return self._remove_entry()
        except StoreFailed as failure:
            self.note_outdated(failure)
            return None

    def note_outdated(self, failure: StoreFailed) -> None:
        """The entry cannot be reached and counts for nothing. Raises `StoreFailed`."""
        try:
            self._outdated.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._outdated.touch(mode=0o600)
        except OSError:
            raise failure from None
        log.warning(
            "%s. What it holds for Codex is not used any more, and is removed when it can be asked",
            failure,
        )

    def _remove_entry(self) -> bool:
        had_entry = bool(_ask("delete auth from", _delete_password, self._account))
        self._outdated.unlink(missing_ok=True)
        return had_entry


class AutoStore:
    """The keyring where there is one, else the file."""

    def __init__(self, codex_home: Path) -> None:
        self._keyring = KeyringStore(codex_home)
        self._file = FileStore(codex_home)
        self.place = self._file.place

    def load(self) -> StoredAuth | None:
        try:
            found = self._keyring.read()
        except StoreFailed as failure:
            log.warning("%s; looking in the file", failure)
            found = None
        self.place = self._file.place if found is None else self._keyring.place
        return found or self._file.load()

    def save(self, auth: StoredAuth) -> None:
        try:
            self._keyring.save(auth)
        except StoreFailed as failure:
            log.info("using the file")
            self._file.save(auth)
            self._keyring.note_outdated(failure)

    def delete(self) -> bool:
        had_file = self._file.delete()
        return bool(self._keyring.forget_entry()) or had_file


def _get_password(account: str) -> str | None:
    import keyring

    return keyring.get_password(SERVICE_NAME, account)


def _set_password(account: str, text: str) -> None:
    import keyring

    keyring.set_password(SERVICE_NAME, account, text)


def _delete_password(account: str) -> bool:
    import keyring
    from keyring.errors import PasswordDeleteError

    try:
        keyring.delete_password(SERVICE_NAME, account)
    except PasswordDeleteError:
        return False
    return True


def _ask(doing: str, question: Callable[..., Any], *given: str) -> Any:
    """Ask the keyring, for so long. Raises `StoreFailed`."""
    answers: list[Any] = []
    failures: list[Exception] = []

    def ask() -> None:
        try:
            answers.append(question(*given))
        except Exception as failure:  # backends raise what the libraries below them raise
            failures.append(failure)

    # a thread of its own, which the end of the program does not wait for
    asking = threading.Thread(target=ask, name="keyring", daemon=True)
    asking.start()
    asking.join(LIMIT_SECONDS)
    if failures:
        failure = failures[0]
        raise StoreFailed(doing, "keyring", str(failure) or type(failure).__name__) from failure
    if not answers:
        reason = f"no answer in {LIMIT_SECONDS:g} s; it may be waiting to be unlocked"
        raise StoreFailed(doing, "keyring", reason)
    return answers[0]
