"""Lists of stored threads: order, pages, filters, search, archive, names."""

import os
from pathlib import Path

import pytest

from app_server.storage import archive, files, names
from app_server.storage.errors import InvalidCursor, RolloutNotFound
from app_server.storage.listing import ListQuery, Page, ThreadLists, list_threads, parse_cursor
from app_server.storage.rollout import AgentMessage, SessionMeta, UserMessage
from app_server.storage.rollout_write import RolloutWriter

NOON = 1_767_355_200.0


def thread_id(number: int, at: float = NOON) -> str:
    stamp = f"{int(at * 1000):012x}"
    return f"{stamp[:8]}-{stamp[8:]}-7000-8000-{number:012x}"


def store(
    home: Path,
    number: int,
    *,
    at: float | None = None,
    source: object = "vscode",
    provider: str | None = "openai",
    cwd: str = "/w",
    said: str | None = None,
) -> str:
    """A stored thread that began `number` seconds after noon."""
    at = NOON + number if at is None else at
    its_id = thread_id(number, at)
    path = files.rollout_path(home, its_id, at)
    meta = SessionMeta(
        id=its_id,
        timestamp="2026-01-02T12:00:00.000Z",
        cwd=cwd,
        source=source,  # type: ignore[arg-type]  # any JSON, as other programs write it
        model_provider=provider,
    )
    writer = RolloutWriter(path, [meta])
    writer.append([UserMessage(message=said if said is not None else f"prompt {number}")])
    writer.close()
    os.utime(path, (at, at))
    return its_id


def previews(page: Page) -> list[str]:
    return [thread.preview for thread in page.threads]


def listed(home: Path, **query: object) -> list[str]:
    return previews(list_threads(home, ListQuery(**query)))  # type: ignore[arg-type]


def test_the_newest_thread_comes_first(codex_home: Path) -> None:
    for number in range(3):
        store(codex_home, number)
    assert listed(codex_home) == ["prompt 2", "prompt 1", "prompt 0"]
    assert listed(codex_home, newest_first=False) == ["prompt 0", "prompt 1", "prompt 2"]


def test_pages_follow_each_other_without_gap_or_repeat(codex_home: Path) -> None:
    for number in range(5):
        store(codex_home, number, at=NOON)
    lists = ThreadLists(codex_home)
    seen: list[str] = []
    cursor = None
    pages = 0
    while True:
        page = lists.page(ListQuery(limit=2, cursor=cursor))
        seen += previews(page)
        pages += 1
        cursor = page.next_cursor
        if cursor is None:
            break
    assert pages == 3
    assert seen == [f"prompt {number}" for number in (4, 3, 2, 1, 0)]


def test_the_backwards_cursor_leads_back(codex_home: Path) -> None:
    for number in range(4):
        store(codex_home, number)
    first = list_threads(codex_home, ListQuery(limit=2))
    second = list_threads(codex_home, ListQuery(limit=2, cursor=first.next_cursor))
    back = list_threads(codex_home, ListQuery(cursor=second.backwards_cursor, newest_first=False))
    assert previews(back) == ["prompt 2", "prompt 3"]


def test_threads_can_be_sorted_by_their_last_change(codex_home: Path) -> None:
    ids = [store(codex_home, number) for number in range(3)]
    oldest = files.find(codex_home, ids[0])
    assert oldest is not None
    os.utime(oldest, (NOON + 100, NOON + 100))
    page = list_threads(codex_home, ListQuery(sort_key="updated_at", limit=1))
    assert previews(page) == ["prompt 0"]
    rest = list_threads(codex_home, ListQuery(sort_key="updated_at", cursor=page.next_cursor))
    assert previews(rest) == ["prompt 2", "prompt 1"]


@pytest.mark.parametrize(("limit", "count"), [(0, 1), (-4, 1), (1, 1), (None, 25), (1000, 100)])
def test_a_page_has_at_least_one_and_at_most_a_hundred(
    codex_home: Path, limit: int | None, count: int
) -> None:
    for number in range(103):
        store(codex_home, number)
    assert len(list_threads(codex_home, ListQuery(limit=limit)).threads) == count


def test_a_cursor_nobody_gave_out_is_refused(codex_home: Path) -> None:
    with pytest.raises(InvalidCursor, match="invalid cursor: garbage"):
        list_threads(codex_home, ListQuery(cursor="garbage"))


def test_a_bare_time_is_a_cursor_too() -> None:
    assert parse_cursor("2026-01-02T12:00:00Z") == (int(NOON * 1000), "")


def test_only_interactive_threads_are_listed_unless_others_are_named(codex_home: Path) -> None:
    store(codex_home, 0, source="cli")
    store(codex_home, 1, source="vscode")
    store(codex_home, 2, source="exec")
    store(codex_home, 3, source="mcp")
    store(codex_home, 4, source={"subagent": "review"})
    store(codex_home, 5, source={"subagent": {"thread_spawn": {}}})
    store(codex_home, 6, source={"custom": "x"})
    assert listed(codex_home) == ["prompt 1", "prompt 0"]
    assert listed(codex_home, source_kinds=["exec"]) == ["prompt 2"]
    assert listed(codex_home, source_kinds=["appServer"]) == ["prompt 3"]
    assert listed(codex_home, source_kinds=["subAgentReview"]) == ["prompt 4"]
    assert listed(codex_home, source_kinds=["subAgent"]) == ["prompt 5", "prompt 4"]
    assert listed(codex_home, source_kinds=["unknown"]) == ["prompt 6"]


def test_providers_and_folders_can_be_asked_for(codex_home: Path) -> None:
    store(codex_home, 0, provider="mock")
    store(codex_home, 1, provider=None)
    store(codex_home, 2, cwd="/elsewhere")
    assert listed(codex_home, model_providers=["mock"]) == ["prompt 0"]
    assert listed(codex_home, model_providers=["x"], default_provider="x") == ["prompt 1"]
    assert listed(codex_home, cwds=["/elsewhere", "/nowhere"]) == ["prompt 2"]
    assert listed(codex_home, cwds=[]) == []


def test_search_looks_at_the_name_or_else_the_first_message(codex_home: Path) -> None:
    named = store(codex_home, 0, said="fix the Parser")
    store(codex_home, 1, said="write docs")
    assert listed(codex_home, search_term="Parser") == ["fix the Parser"]
    assert listed(codex_home, search_term="parser") == []
    names.set_name(codex_home, named, "Holiday plans")
    assert listed(codex_home, search_term="Parser") == []
    assert listed(codex_home, search_term="Holiday") == ["fix the Parser"]


def test_files_that_are_no_threads_are_left_out(codex_home: Path) -> None:
    store(codex_home, 0)
    folder = files.rollout_path(codex_home, thread_id(9), NOON).parent
    (folder / "notes.txt").write_text("x")
    (folder / f"rollout-2026-01-02T12-00-00-{thread_id(7)}.jsonl").write_text("garbage\n")
    silent = files.rollout_path(codex_home, thread_id(8), NOON)
    meta = SessionMeta(id=thread_id(8), timestamp="t", cwd="/w")
    RolloutWriter(silent, [meta, AgentMessage(message="nobody asked")]).begin()
    assert listed(codex_home) == ["prompt 0"]


def test_a_listed_thread_shows_later_changes(codex_home: Path) -> None:
    its_id = store(codex_home, 0)
    lists = ThreadLists(codex_home)
    assert lists.page(ListQuery()).threads[0].name is None
    path = files.find(codex_home, its_id)
    assert path is not None
    os.utime(path, (NOON + 60, NOON + 60))
    names.set_name(codex_home, its_id, "Renamed")
    thread = lists.page(ListQuery()).threads[0]
    assert (thread.name, thread.updated_ms) == ("Renamed", int((NOON + 60) * 1000))
    path.unlink()
    assert lists.page(ListQuery()).threads == []


def test_an_archived_thread_is_out_of_sight_until_it_is_brought_back(codex_home: Path) -> None:
    its_id = store(codex_home, 0)
    before = files.find_active(codex_home, its_id)
    archived = archive.archive(codex_home, its_id)
    assert archived.parent == codex_home / "archived_sessions"
    assert listed(codex_home) == []
    assert listed(codex_home, archived=True) == ["prompt 0"]
    with pytest.raises(RolloutNotFound, match=f"no rollout found for thread id {its_id}"):
        archive.archive(codex_home, its_id)
    assert archive.unarchive(codex_home, its_id) == before
    assert listed(codex_home) == ["prompt 0"]


@pytest.mark.parametrize("wrong", ["", "../../etc/passwd", "*", "x" * 5000, "a/b", "\0"])
def test_ids_that_are_no_ids_find_nothing(codex_home: Path, wrong: str) -> None:
    store(codex_home, 0)
    assert files.find(codex_home, wrong) is None


def test_names_the_newest_line_counts_and_others_may_append(codex_home: Path) -> None:
    names.set_name(codex_home, "a", "One")
    names.set_name(codex_home, "b", "Two")
    names.set_name(codex_home, "a", "Two")
    assert names.current_names(codex_home) == {"b": "Two", "a": "Two"}
    assert names.ids_named(codex_home, "Two") == ["a", "b"]
    assert names.ids_named(codex_home, "One") == []
    with names.index_path(codex_home).open("a") as index:
        index.write('{"id":"c","thread_name":"Three","updated_at":"2026-01-01T00:00:00Z"}\n')
        index.write('{"id":"d","thread_na')
    names.set_name(codex_home, "e", "Five")
    assert names.name_of(codex_home, "c") == "Three"
    assert names.name_of(codex_home, "e") == "Five"
    assert names.name_of(codex_home, "d") is None


def test_an_empty_name_takes_the_name_away(codex_home: Path) -> None:
    names.set_name(codex_home, "a", "One")
    names.set_name(codex_home, "a", "")
    assert names.name_of(codex_home, "a") is None
