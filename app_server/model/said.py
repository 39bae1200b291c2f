"""What a service says in place of an answer, as one line for a person. Pure.

Services answer with JSON of many shapes, proxies with web pages; a person wants the sentence in it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus

import msgspec

MAX_SAID_CHARACTERS = 400
MAX_BODY_CHARACTERS = 1_000
"""How much of an unexplained body is worth showing; proxies answer with whole web pages."""

MAX_PAGE_CHARACTERS = 16_384
"""How much of a web page is looked through; what it says stands at its beginning."""

REQUEST_IDS = (("cf-ray", "cf-ray"), ("request id", "x-request-id"))

_SENTENCE_KEYS = ("message", "detail", "error_description", "error")
_PAGE = re.compile(r"\s*<(!doctype|html|head|body|center|h1|p)\b", re.IGNORECASE)
_MARK = re.compile(r"<!--|-->|<([/!]?[a-z]\w*+)[^<>]*+>", re.IGNORECASE)
_UNSEEN_UNTIL = {"<!--": "-->", "script": "/script", "style": "/style", "title": "/title"}


def refusal_line(status: int, headers: Mapping[str, str], body: str) -> str:
    """Status, what the body says, and the ids by which the service finds the request again."""
    said = sentence(body) or "no reason given"
    if len(said) > MAX_SAID_CHARACTERS:
        said = said[:MAX_SAID_CHARACTERS] + "…"
    return f"{status} {phrase(status)}: {said}{request_ids(headers)}"


def phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "<unknown status code>"


def request_ids(headers: Mapping[str, str]) -> str:
    """To be put behind a message; empty where the service gave none."""
    return "".join(f", {label}: {headers[name]}" for label, name in REQUEST_IDS if name in headers)


def sentence(body: str) -> str:
    """The sentence in a body, on one line and without controls; empty where there is none."""
    try:
        found = next(_sentences(msgspec.json.decode(body)), body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        found = as_text(body)
    return " ".join("".join(c if c.isprintable() else " " for c in found).split())


def as_text(body: str) -> str:
    """A web page as the words on it; anything else as it is."""
    if not _PAGE.match(body):
        return body.strip()
    words = html.unescape(" ".join(_seen(body[:MAX_PAGE_CHARACTERS])))
    return " ".join(words.split()) or body.strip()


def _seen(page: str) -> Iterator[str]:
    """The texts that a page shows, in one pass whatever is in it."""
    until: str | None = None
    at = 0
    for mark in _MARK.finditer(page):
        if until is None:
            yield page[at : mark.start()]
        at = mark.end()
        name = (mark[1] or mark[0]).lower()
        if until is None:
            until = _UNSEEN_UNTIL.get(name)
        elif name == until:
            until = None
    if until is None:
        yield page[at:]


def _sentences(value: object) -> Iterator[str]:
    if isinstance(value, str) and value.strip():
        yield value
    if isinstance(value, dict):
        for key in _SENTENCE_KEYS:
            yield from _sentences(value.get(key))
