"""What a plugin asks for, and what the backend is asked."""

import httpx
import pytest

from app_server.bridges.backend_url import backend_path, backend_url, resolved_path
from app_server.bridges.errors import BridgeRefusal
from app_server.bridges.settings import Bridge

NOTES = Bridge(
    id="notes", local_path_prefix="/local/notes/", backend_path_prefix="/api/codex/notes/"
)


@pytest.mark.parametrize(
    ("local", "at_the_backend"),
    [
        ("/local/notes/jobs/7", "/api/codex/notes/jobs/7"),
        ("/local/notes/", "/api/codex/notes/"),
        ("/local/notes/a%2Fb", "/api/codex/notes/a%2Fb"),
        ("/local/notes", None),
        ("/local/notesandmore/", None),
        ("/LOCAL/notes/x", None),
        ("/local/other/x", None),
        ("/", None),
        ("", None),
    ],
)
def test_only_paths_under_the_local_prefix_lead_to_the_backend(
    local: str, at_the_backend: str | None
) -> None:
    assert backend_path(NOTES, local) == at_the_backend


@pytest.mark.parametrize(
    ("base", "address"),
    [
        ("https://chatgpt.com/backend-api/", "https://chatgpt.com/api/codex/notes/x"),
        ("https://chatgpt.com/backend-api", "https://chatgpt.com/api/codex/notes/x"),
        ("https://chatgpt.com/backend-api///", "https://chatgpt.com/api/codex/notes/x"),
        ("https://chatgpt.com", "https://chatgpt.com/api/codex/notes/x"),
        ("http://127.0.0.1:8061", "http://127.0.0.1:8061/api/codex/notes/x"),
        ("http://[::1]:8061/", "http://[::1]:8061/api/codex/notes/x"),
    ],
)
def test_the_address_is_the_accounts_without_backend_api(base: str, address: str) -> None:
    assert backend_url(base, "/api/codex/notes/x", None, NOTES) == address


def test_the_query_goes_along_as_it_is() -> None:
    url = backend_url("https://chatgpt.com", "/api/codex/notes/x", "q=..%2f../%2e%2e&&r=a+b", NOTES)
    assert url == "https://chatgpt.com/api/codex/notes/x?q=..%2f../%2e%2e&&r=a+b"


CLIMBING = (
    "../admin",
    "%2e%2e/admin",
    "%2E%2E/admin",
    ".%2E/admin",
    "%2e./admin",
    "..\\admin",
    "a\\..\\..\\admin",
    "a/../../admin",
    "./../admin",
    "..",
    "a/../..",
    ".\t./admin",
    "../notes",
)


@pytest.mark.parametrize("rest", CLIMBING)
def test_a_path_that_climbs_out_is_refused(rest: str) -> None:
    with pytest.raises(BridgeRefusal) as refused:
        backend_url("https://chatgpt.com", f"/api/codex/notes/{rest}", None, NOTES)
    assert (refused.value.status, refused.value.detail) == (
        500,
        "Plugin backend bridge request failed: Plugin backend bridge request escaped its "
        "configured backend path prefix.",
    )


@pytest.mark.parametrize(
    ("rest", "sent"),
    [
        ("a/../b", "b"),
        ("a/..", ""),
        ("a/.", "a/"),
        ("a/%2e/b", "a/b"),
        ("a\\b", "a/b"),
        ("../notes/b", "b"),
        ("..%2fadmin", "..%2fadmin"),
        ("...", "..."),
        ("a//b", "a//b"),
        ("a#../../../admin", "a"),
        ('<"`{}> ', "%3C%22%60%7B%7D%3E%20"),
        ("é", "%C3%A9"),
        ("100%", "100%"),
    ],
)
def test_a_path_that_stays_inside_is_sent_as_a_browser_reads_it(rest: str, sent: str) -> None:
    url = backend_url("https://chatgpt.com", f"/api/codex/notes/{rest}", None, NOTES)
    assert url == f"https://chatgpt.com/api/codex/notes/{sent}"


@pytest.mark.parametrize("char", [chr(code) for code in range(0x21, 0x7F) if chr(code) != "?"])
def test_the_http_client_sends_what_was_checked(char: str) -> None:
    resolved = resolved_path(f"/x{char}/y")
    assert httpx.URL(f"http://127.0.0.1{resolved}").raw_path.decode() in (
        resolved,
        resolved.replace("%", "%25"),  # a sign that quotes nothing is quoted itself
    )


@pytest.mark.parametrize("base", ["", "chatgpt.com", "ftp://chatgpt.com", "http://[", "https://"])
def test_a_base_that_is_no_address_is_named(base: str) -> None:
    with pytest.raises(BridgeRefusal, match="chatgpt_base_url"):
        backend_url(base, "/api/codex/notes/x", None, NOTES)


def test_a_base_with_a_path_of_its_own_never_matches_the_prefix() -> None:
    with pytest.raises(BridgeRefusal, match="escaped"):
        backend_url("https://proxy.example/chatgpt", "/api/codex/notes/x", None, NOTES)
