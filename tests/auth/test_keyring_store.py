"""Sign-ins in the system's keyring, with a keyring of the tests' own and with none."""

import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import PasswordDeleteError

from app_server.auth import keyring_store
from app_server.auth.errors import StoreFailed
from app_server.auth.keyring_store import AutoStore, KeyringStore, account_name
from app_server.auth.store import FileStore, MemoryStore, StoredAuth, open_store

KEY = StoredAuth(auth_mode="apikey", api_key="sk-test")
TEXT = '{"auth_mode":"apikey","OPENAI_API_KEY":"sk-test"}'


class DictKeyring(KeyringBackend):
    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.entries:
            raise PasswordDeleteError("not found")
        del self.entries[service, username]


@pytest.fixture(autouse=True)
def entries() -> Iterator[dict[tuple[str, str], str]]:
    before = keyring.get_keyring()
    backend = DictKeyring()
    keyring.set_keyring(backend)
    yield backend.entries
    keyring.set_keyring(before)


@pytest.fixture
def no_keyring(entries: object) -> None:
    keyring.set_keyring(NoKeyring())


def test_an_entry_is_named_after_the_home_and_holds_the_files_content(
    codex_home: Path, entries: dict[tuple[str, str], str]
) -> None:
    store = KeyringStore(codex_home)
    FileStore(codex_home).save(KEY)
    store.save(KEY)
    assert entries == {("Codex Auth", account_name(codex_home)): TEXT}
    assert account_name(codex_home).startswith("cli|")
    assert len(account_name(codex_home)) == 20
    assert account_name(codex_home) != account_name(codex_home.parent)
    assert not (codex_home / "auth.json").exists()
    assert store.load() == KEY


def test_deleting_takes_the_entry_and_the_file(
    codex_home: Path, entries: dict[tuple[str, str], str]
) -> None:
    store = KeyringStore(codex_home)
    assert store.delete() is False
    store.save(KEY)
    FileStore(codex_home).save(KEY)
    assert store.delete() is True
    assert entries == {}
    assert list(codex_home.iterdir()) == []


def test_an_entry_we_cannot_read_is_no_sign_in_and_is_not_quoted(
    codex_home: Path, entries: dict[tuple[str, str], str], caplog: pytest.LogCaptureFixture
) -> None:
    entries["Codex Auth", account_name(codex_home)] = '{"OPENAI_API_KEY": {"sk-secret": 1}}'
    assert KeyringStore(codex_home).load() is None
    assert "failed to deserialize CLI auth from keyring" in caplog.text
    assert "sk-secret" not in caplog.text


@pytest.mark.usefixtures("no_keyring")
def test_without_a_keyring_its_store_says_so(
    codex_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = KeyringStore(codex_home)
    assert store.load() is None
    assert "failed to load CLI auth from keyring" in caplog.text
    with pytest.raises(StoreFailed, match="failed to write OAuth tokens to keyring"):
        store.save(KEY)
    assert store.delete() is True  # nobody knows what it holds
    assert "failed to delete auth from keyring" in caplog.text


@pytest.mark.parametrize("kind", [KeyringStore, AutoStore])
def test_signing_out_holds_when_the_keyring_was_away_and_comes_back(
    codex_home: Path,
    entries: dict[tuple[str, str], str],
    kind: type[KeyringStore] | type[AutoStore],
) -> None:
    there = keyring.get_keyring()
    kind(codex_home).save(KEY)
    keyring.set_keyring(NoKeyring())
    kind(codex_home).delete()
    keyring.set_keyring(there)
    assert len(entries) == 1
    assert kind(codex_home).load() is None
    assert entries == {}
    assert list(codex_home.iterdir()) == []
    kind(codex_home).save(KEY)
    assert kind(codex_home).load() == KEY


def test_a_sign_in_made_while_the_keyring_was_away_wins_over_the_older_one_in_it(
    codex_home: Path, entries: dict[tuple[str, str], str]
) -> None:
    there = keyring.get_keyring()
    AutoStore(codex_home).save(StoredAuth(auth_mode="apikey", api_key="older"))
    keyring.set_keyring(NoKeyring())
    AutoStore(codex_home).save(KEY)
    keyring.set_keyring(there)
    assert AutoStore(codex_home).load() == KEY
    assert entries == {}


def test_an_entry_that_can_neither_be_removed_nor_noted_is_told(
    codex_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring.set_keyring(NoKeyring())

    def read_only(path: Path, mode: int) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", read_only)
    with pytest.raises(StoreFailed, match="failed to delete auth from keyring"):
        KeyringStore(codex_home).delete()


class OddKeyring(DictKeyring):
    """Fails as the libraries below a backend do."""

    def get_password(self, service: str, username: str) -> str | None:
        raise ConnectionResetError("the bus went away")


def test_whatever_a_keyring_fails_with_is_one_kind_of_failure(
    codex_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keyring.set_keyring(OddKeyring())
    assert KeyringStore(codex_home).load() is None
    assert "failed to load CLI auth from keyring: the bus went away" in caplog.text


class LockedKeyring(DictKeyring):
    """Waits for somebody to type its password."""

    def __init__(self) -> None:
        super().__init__()
        self.unlocked = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.unlocked.wait()
        return None


def test_a_keyring_that_nobody_unlocks_is_not_waited_for(
    codex_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = LockedKeyring()
    keyring.set_keyring(locked)
    monkeypatch.setattr(keyring_store, "LIMIT_SECONDS", 0.01)
    with pytest.raises(StoreFailed, match="it may be waiting to be unlocked"):
        KeyringStore(codex_home).read()
    locked.unlocked.set()


@pytest.mark.usefixtures("no_keyring")
def test_without_a_keyring_auto_uses_the_file_and_forgets_it_too(codex_home: Path) -> None:
    store = AutoStore(codex_home)
    assert store.load() is None
    store.save(KEY)
    assert FileStore(codex_home).load() == KEY
    assert store.load() == KEY
    assert store.delete() is True
    assert not (codex_home / "auth.json").exists()
    assert store.delete() is False


def test_with_a_keyring_auto_prefers_it(
    codex_home: Path, entries: dict[tuple[str, str], str]
) -> None:
    store = AutoStore(codex_home)
    FileStore(codex_home).save(StoredAuth(auth_mode="apikey", api_key="in the file"))
    assert store.load() == StoredAuth(auth_mode="apikey", api_key="in the file")
    store.save(KEY)
    assert list(entries.values()) == [TEXT]
    assert store.load() == KEY
    assert store.delete() is True
    assert entries == {}


def test_the_setting_names_the_store(codex_home: Path) -> None:
    kinds = [
        type(open_store(mode, codex_home)) for mode in ("file", "keyring", "auto", "ephemeral")
    ]
    assert kinds == [FileStore, KeyringStore, AutoStore, MemoryStore]
