"""What counts as a repository."""

from pathlib import Path

from app_server.config.trust import project_root
from app_server.git.facts import find_repository
from app_server.repositories import holds_repository
from tests.support.repository import mark_repository


def test_an_empty_git_folder_is_none_wherever_one_looks(workspace: Path) -> None:
    inner = workspace / "inner"
    inner.mkdir()
    (workspace / ".git").mkdir()
    assert not holds_repository(workspace)
    assert project_root(inner) == inner
    assert find_repository(inner) is None


def test_a_git_folder_with_a_head_is_one(workspace: Path) -> None:
    inner = workspace / "inner"
    inner.mkdir()
    mark_repository(workspace)
    assert holds_repository(workspace)
    assert project_root(inner) == workspace
    assert find_repository(inner) == workspace


def test_a_file_that_points_elsewhere_is_one(workspace: Path) -> None:
    (workspace / ".git").write_text("gitdir: elsewhere\n")
    assert holds_repository(workspace)
