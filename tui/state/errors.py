"""A turn's error as a person reads it: a sentence, and details where there are more."""

import json
from collections.abc import Iterator

from app_server.protocol.turn_error import TurnError

_SENTENCE_KEYS = ("message", "detail", "error_description", "error")


def readable_error(error: TurnError) -> tuple[str, str]:
    """(sentence, details). A JSON body is reduced to the message inside it; what a failing service
    said counts more than the guess the error's own words make at it."""
    message = error.message.strip()
    details = (error.additional_details or "").strip()
    if details and error.codex_error_info == "internalServerError":
        return f"The model's service failed: {details}", ""
    sentence = _from_json(message)
    if sentence and sentence != message:
        return sentence, details
    return message or "The turn failed without saying why.", details


def _from_json(text: str) -> str:
    start = text.find("{")
    if start < 0:
        return text
    try:
        body, end = json.JSONDecoder().raw_decode(text[start:])
    except ValueError:
        return text
    found = next(_sentences(body), "")
    if not found:
        return text
    before, after = text[:start].strip(), text[start + end :].strip(" ,")
    return " ".join(part for part in (before, found, f"({after})" if after else "") if part)


def _sentences(body: object) -> Iterator[str]:
    if isinstance(body, str) and body.strip():
        yield body.strip()
    if isinstance(body, dict):
        for key in _SENTENCE_KEYS:
            if key in body:
                yield from _sentences(body[key])
