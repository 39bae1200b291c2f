"""docs/protocol.md says what the rows and the handlers say."""

from pathlib import Path

import pytest

from app_server.protocol.catalog import CLIENT_METHODS
from app_server.server.method_errors import ERRORS, SHARED
from app_server.server.protocol_page import PAGE, page_text

SOURCES = Path(__file__).parents[2] / "app_server"
SHORTEST_TELLING_PART = 8


@pytest.fixture(scope="module")
def source() -> str:
    """All of the server's code but the list of errors itself, its string pieces joined."""
    files = [path for path in SOURCES.rglob("*.py") if path.name != "method_errors.py"]
    text = " ".join(path.read_text("utf-8") for path in files)
    return " ".join(text.replace('"', " ").split())


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page_text(), "run `make docs`"


@pytest.mark.parametrize("method", sorted(ERRORS))
def test_listed_errors_are_raised_somewhere(method: str, source: str) -> None:
    assert method in CLIENT_METHODS
    for text in ERRORS[method]:
        assert_told(text, source)


def test_shared_errors_are_raised_somewhere(source: str) -> None:
    for _, text, _ in SHARED:
        assert_told(text, source)


def assert_told(text: str, source: str) -> None:
    parts = [part.strip(" `'.:;") for part in text.split("…")]
    telling = [part for part in parts if len(part) >= SHORTEST_TELLING_PART]
    for part in telling:
        assert part in source, f"nothing says {part!r}"
    assert telling, f"{text!r} tells nothing"
