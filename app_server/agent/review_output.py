"""What a reviewer answered: read from its last message, and put into words. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from app_server.protocol.wire import SnakeWire

NOTHING_SAID = "The reviewer ended without an answer."


class LineRange(SnakeWire):
    start: int
    end: int


class CodeLocation(SnakeWire):
    absolute_file_path: str
    line_range: LineRange


class Finding(SnakeWire):
    title: str
    body: str
    confidence_score: float = 0.0
    priority: int | None = None
    code_location: CodeLocation


class ReviewOutput(SnakeWire):
    """A review as it is stored. Words that are no such object are its explanation."""

    findings: list[Finding] = []
    overall_correctness: str = ""
    overall_explanation: str = ""
    overall_confidence_score: float = 0.0


def read_output(message: str) -> ReviewOutput:
    """The review in a reviewer's last message, also when a fence or words stand around it."""
    begin, end = message.find("{"), message.rfind("}")
    for candidate in (message, message[begin : end + 1]):
        try:
            return msgspec.json.decode(candidate, type=ReviewOutput)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            continue
    return ReviewOutput(overall_explanation=message.strip())


def restored_output(stored: Any) -> ReviewOutput | None:
    """A stored review; None where it was broken off or cannot be read."""
    try:
        return msgspec.convert(stored, ReviewOutput)
    except msgspec.ValidationError:
        return None


def in_words(output: ReviewOutput | None) -> str:
    """The review for people: the judgement, then each finding with its place."""
    if output is None:
        return NOTHING_SAID
    parts = [output.overall_explanation.strip()] if output.overall_explanation.strip() else []
    if output.findings:
        heading = "Review comment:" if len(output.findings) == 1 else "Full review comments:"
        parts += [heading, *map(_finding, output.findings)]
    return "\n\n".join(parts) or NOTHING_SAID


def _finding(finding: Finding) -> str:
    place = finding.code_location
    lines = place.line_range
    title = f"- {finding.title} — {place.absolute_file_path}:{lines.start}-{lines.end}"
    return "\n".join([title, *(f"  {line}" for line in finding.body.splitlines())])
