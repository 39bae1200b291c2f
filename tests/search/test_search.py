"""Finding files by a few letters."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from app_server.protocol.file_search import FuzzyFileSearchResult
from app_server.search.find import FileIndex
from app_server.search.fuzzy import Match, Query
from app_server.search.sessions import SearchSession
from app_server.search.walk import walk

SCORES = [
    ("alph", "docs/alphabet.md", 109, [5, 6, 7, 8]),
    ("alph", "src/alpha.py", 109, [4, 5, 6, 7]),
    ("bet", "src/beta.py", 84, [4, 5, 6]),
    ("bet", "docs/alphabet.md", 56, [10, 11, 12]),
    ("src", "src", 84, [0, 1, 2]),
    ("SRC", "src", 84, [0, 1, 2]),
    ("src", ".git/hooks/pre-commit.sample", 48, [9, 12, 15]),
    ("src", ".git/hooks/fsmonitor-watchman.sample", 34, [12, 19, 24]),
    ("hid", ".hidden/x.txt", 80, [1, 2, 3]),
    ("aby", "src/deep/Alpha Beta.py", 60, [9, 15, 21]),
    ("AB", "src/deep/Alpha Beta.py", 51, [9, 15]),
    ("AB", ".git/objects/2e/65efe2a145dda7ee51d1741299f848e5bf752e", 16, [28, 48]),
    ("AB", ".git/objects/56/a6051ca2b02b04ef92d5150c9ef600403cb1de", 41, [16, 24]),
    ("sbp", "src/beta.py", 72, [0, 4, 9]),
    ("js", ".git/objects/23", 27, [7, 11]),
    ("alpha py", "src/alpha.py", 190, [4, 5, 6, 7, 8, 10, 11]),
    ("alpha py", ".git/hooks/pre-applypatch.sample", 121, [11, 15, 18, 19, 20, 24, 27]),
    ("alpha py", ".git/hooks/applypatch-msg.sample", 107, [11, 13, 14, 15, 16, 20, 27]),
]


@pytest.mark.parametrize(("query", "path", "score", "indices"), SCORES)
def test_scores_are_those_of_the_original(
    query: str, path: str, score: int, indices: list[int]
) -> None:
    assert Query(query).match(path) == Match(score, indices)


@pytest.mark.parametrize(
    ("query", "path"),
    [("abphe", "src/alpha.py"), ("", "x"), ("  ", "x"), ("é", "e"), ("a a a", "b"), ("x", "")],
)
def test_a_path_that_lacks_a_letter_is_no_match(query: str, path: str) -> None:
    assert Query(query).match(path) is None


def test_odd_characters_and_long_paths_do_no_harm() -> None:
    assert Query("i").match("İstanbul") is not None
    assert Query("é").match("CAFÉ") is not None
    assert Query("aaaa").match("a" * 1_000) is not None
    assert Query("a").match("a" * 1_001) is None


@pytest.fixture
def project(workspace: Path) -> Path:
    for name in (
        "src/alpha.py",
        "src/beta.py",
        "docs/alphabet.md",
        "zeta.txt",
        ".hidden/x.txt",
        "ignored.log",
        "node_modules/a.js",
    ):
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace / name).write_text("x")
    (workspace / ".gitignore").write_text("*.log\nnode_modules/\n")
    return workspace


def names(root: Path) -> set[str]:
    return {entry.path + ("/" if entry.is_folder else "") for entry in walk(root)}


VISIBLE = {
    "src/",
    "src/alpha.py",
    "src/beta.py",
    "docs/",
    "docs/alphabet.md",
    "zeta.txt",
    ".hidden/",
    ".hidden/x.txt",
    ".gitignore",
}


def test_a_repositorys_ignore_rules_count_and_its_own_files_are_left_out(project: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    assert names(project) == VISIBLE
    assert names(project / "src") == {"alpha.py", "beta.py"}


def test_without_a_repository_everything_is_listed(project: Path) -> None:
    assert names(project) == VISIBLE | {"ignored.log", "node_modules/", "node_modules/a.js"}


def test_links_are_listed_but_not_followed(project: Path) -> None:
    (project / "loop").symlink_to(project)
    found = names(project)
    assert "loop/" in found
    assert not any(name.startswith("loop/s") for name in found)


def test_deleted_files_are_not_found(project: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    subprocess.run(["git", "add", "-A"], cwd=project, check=True)
    (project / "zeta.txt").unlink()
    assert "zeta.txt" not in names(project)


def test_a_missing_root_has_no_files(tmp_path: Path) -> None:
    assert walk(tmp_path / "nowhere") == []


def test_the_best_match_comes_first_and_equals_are_sorted_by_path(project: Path) -> None:
    index = FileIndex([str(project)])
    assert index.search("alph")[:2] == [
        FuzzyFileSearchResult(
            root=str(project),
            path="docs/alphabet.md",
            match_type="file",
            file_name="alphabet.md",
            score=109,
            indices=[5, 6, 7, 8],
        ),
        FuzzyFileSearchResult(
            root=str(project),
            path="src/alpha.py",
            match_type="file",
            file_name="alpha.py",
            score=109,
            indices=[4, 5, 6, 7],
        ),
    ]
    assert [found.path for found in index.search("src")][:3] == [
        "src",
        "src/alpha.py",
        "src/beta.py",
    ]
    assert index.search("src")[0].match_type == "directory"
    assert index.search("") == []
    assert len(index.search("a", limit=2)) == 2


def test_a_cancelled_search_finds_nothing(project: Path) -> None:
    assert FileIndex([str(project)]).search("alph", is_cancelled=lambda: True) == []


async def test_a_session_answers_the_newest_query_and_completes(project: Path) -> None:
    heard: list[tuple[str, list[str]]] = []
    completed = asyncio.Event()
    async with SearchSession(
        [str(project)],
        lambda query, files: heard.append((query, [found.path for found in files])),
        completed.set,
    ) as session:
        session.update("zzz")
        session.update("bet")
        async with asyncio.timeout(30):
            await completed.wait()
        assert heard[-1] == ("bet", ["src/beta.py", "docs/alphabet.md"])
        completed.clear()
        session.update("")
        async with asyncio.timeout(30):
            await completed.wait()
        assert heard[-1] == ("", [])


async def test_a_closed_session_is_silent(project: Path) -> None:
    heard: list[str] = []
    session = SearchSession([str(project)], lambda query, _: heard.append(query), lambda: None)
    session.update("bet")
    await session.close()
    assert heard == []
