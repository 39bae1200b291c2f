"""Demands of a workspace, kept between starts."""

from pathlib import Path

import pytest

from app_server.config.demands_cache import FILE_NAME, LIFE_SECONDS, Kept, load, save

NOW = 1_800_000_000.0
KEPT = Kept(account="a/business", expires_at=NOW + LIFE_SECONDS, contents="[features]\n")


def test_what_is_kept_comes_back_while_it_lives(codex_home: Path) -> None:
    save(codex_home, KEPT)
    assert load(codex_home, "a/business", NOW) == KEPT
    assert load(codex_home, "a/business", NOW + LIFE_SECONDS - 1) == KEPT
    assert load(codex_home, "a/business", NOW + LIFE_SECONDS) is None
    assert [path.name for path in codex_home.iterdir()] == [FILE_NAME]


def test_nothing_kept_for_one_account_counts_for_another(codex_home: Path) -> None:
    save(codex_home, KEPT)
    assert load(codex_home, "b/business", NOW) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [("features", "feature"), ("a/business", "b/business"), ("{", "["), ("", "")],
)
def test_a_file_that_was_changed_counts_as_none(codex_home: Path, before: str, after: str) -> None:
    save(codex_home, KEPT)
    path = codex_home / FILE_NAME
    path.write_text(path.read_text().replace(before, after) if before else "")
    assert load(codex_home, after if "/" in after else "a/business", NOW) is None


def test_a_life_that_was_made_longer_counts_as_ended(codex_home: Path) -> None:
    save(codex_home, Kept(account="a", expires_at=NOW + LIFE_SECONDS + 60, contents=None))
    assert load(codex_home, "a", NOW) is None


def test_a_broken_or_missing_file_counts_as_none(codex_home: Path) -> None:
    assert load(codex_home, "a", NOW) is None
    (codex_home / FILE_NAME).write_bytes(b"\xff\x00")
    assert load(codex_home, "a", NOW) is None
    (codex_home / FILE_NAME).unlink()
    (codex_home / FILE_NAME).mkdir()
    assert load(codex_home, "a", NOW) is None
