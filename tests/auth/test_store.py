"""auth.json: its shape, its mode, and what happens when it is not as expected."""

import json
import logging
import os
import stat
from pathlib import Path

import pytest

from app_server.auth.errors import StoreFailed
from app_server.auth.store import FileStore, MemoryStore, StoredAuth, Tokens

KEY = StoredAuth(auth_mode="apikey", api_key="sk-test")
LOGIN = StoredAuth(
    auth_mode="chatgpt",
    tokens=Tokens(id_token="h.p.s", access_token="a.b.c", refresh_token="r", account_id="acct-1"),
    last_refresh="2026-01-05T10:00:00Z",
)


def test_an_api_key_is_kept_as_the_original_keeps_it(codex_home: Path) -> None:
    FileStore(codex_home).save(KEY)
    assert (codex_home / "auth.json").read_text() == (
        '{\n  "auth_mode": "apikey",\n  "OPENAI_API_KEY": "sk-test"\n}'
    )


def test_tokens_are_kept_with_a_key_of_null(codex_home: Path) -> None:
    store = FileStore(codex_home)
    store.save(LOGIN)
    assert json.loads(store.path.read_text()) == {
        "auth_mode": "chatgpt",
        "OPENAI_API_KEY": None,
        "tokens": {
            "id_token": "h.p.s",
            "access_token": "a.b.c",
            "refresh_token": "r",
            "account_id": "acct-1",
        },
        "last_refresh": "2026-01-05T10:00:00Z",
    }
    assert store.load() == LOGIN


def test_only_the_owner_can_read_it_even_if_others_could_before(codex_home: Path) -> None:
    store = FileStore(codex_home)
    store.path.write_text('{"OPENAI_API_KEY": "sk-old"}')
    store.path.chmod(0o644)
    store.save(KEY)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert [path.name for path in codex_home.iterdir()] == ["auth.json"]


def test_signing_out_leaves_no_tokens_behind_a_link(codex_home: Path, tmp_path: Path) -> None:
    behind = tmp_path / "dotfiles.json"
    (codex_home / "auth.json").symlink_to(behind)
    store = FileStore(codex_home)
    store.save(KEY)
    assert behind.exists()
    assert store.delete() is True
    assert not behind.exists()
    assert store.load() is None
    store.save(LOGIN)
    assert store.load() == LOGIN


def test_a_file_of_an_old_release_is_read(codex_home: Path) -> None:
    (codex_home / "auth.json").write_text('{"OPENAI_API_KEY": "sk-old", "future": [1]}')
    assert FileStore(codex_home).load() == StoredAuth(api_key="sk-old")


FOREIGN = [
    b"{",
    b"[]",
    b'{"tokens": "x"}',
    b"\xff\xfe{}",
    b"[" * 100_000,
    b'{"token": "of another program"}',
    b'{"OPENAI_API_KEY": "sk-' + b"x" * (1 << 20) + b'"}',
]


@pytest.mark.parametrize("content", FOREIGN, ids=range(len(FOREIGN)))
def test_a_broken_or_foreign_file_is_no_sign_in_and_is_never_deleted(
    codex_home: Path, content: bytes
) -> None:
    store = FileStore(codex_home)
    store.path.write_bytes(content)
    assert store.load() is None
    assert store.delete() is False
    assert store.path.read_bytes() == content
    store.save(KEY)
    assert store.load() == KEY
    assert (codex_home / "auth.json.unreadable").read_bytes() == content


def test_what_was_set_aside_earlier_stays_too(codex_home: Path) -> None:
    store = FileStore(codex_home)
    for content in ("{half of my tok", "{another half"):
        store.path.write_text(content)
        store.save(KEY)
    assert (codex_home / "auth.json.unreadable").read_text() == "{half of my tok"
    assert (codex_home / "auth.json.unreadable.2").read_text() == "{another half"


@pytest.mark.parametrize("content", ["", " ", "{}", "{}\n"])
def test_an_empty_file_is_no_sign_in_and_goes_with_the_next_one(
    codex_home: Path, content: str
) -> None:
    store = FileStore(codex_home)
    store.path.write_text(content)
    assert store.load() is None
    store.save(KEY)
    assert [path.name for path in codex_home.iterdir()] == ["auth.json"]


def test_a_pipe_in_its_place_is_not_waited_for(codex_home: Path) -> None:
    store = FileStore(codex_home)
    os.mkfifo(store.path)
    assert store.load() is None
    assert store.delete() is False


def test_a_link_to_the_file_stays_a_link(codex_home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "dotfiles" / "auth.json"
    elsewhere.parent.mkdir()
    store = FileStore(codex_home)
    store.path.symlink_to(elsewhere)
    store.save(KEY)
    assert store.path.is_symlink()
    assert json.loads(elsewhere.read_text())["OPENAI_API_KEY"] == "sk-test"


def test_a_link_to_a_foreign_file_is_set_aside_and_the_file_stays(
    codex_home: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "other.json"
    elsewhere.write_text('{"of": "another program"}')
    store = FileStore(codex_home)
    store.path.symlink_to(elsewhere)
    store.save(KEY)
    assert store.load() == KEY
    assert elsewhere.read_text() == '{"of": "another program"}'
    assert (codex_home / "auth.json.unreadable").resolve() == elsewhere


def test_a_folder_that_cannot_be_written_is_named_and_the_old_file_stays(
    codex_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileStore(codex_home)
    store.save(KEY)

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreFailed, match=r"failed to write .*auth\.json: No space left on device"):
        store.save(LOGIN)
    assert store.load() == KEY
    assert [path.name for path in codex_home.iterdir()] == ["auth.json"]


def test_deleting_says_whether_there_was_anything(codex_home: Path) -> None:
    for store in (FileStore(codex_home), MemoryStore()):
        assert store.delete() is False
        store.save(KEY)
        assert store.delete() is True
        assert store.load() is None


def test_secrets_do_not_show_in_logs_or_representations(
    codex_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert "sk-test" not in repr(KEY)
    assert "a.b.c" not in repr(LOGIN)
    store = FileStore(codex_home)
    with caplog.at_level(logging.DEBUG):
        store.path.write_text('{"OPENAI_API_KEY": {"sk-secret": 1}, "auth_mode": 5}')
        store.load()
        store.save(KEY)
    assert "sk-" not in caplog.text
