"""Who may open a websocket to the process service; decided before the upgrade.

Whoever gets in can run commands. So a request that a web page could send is refused, which shows by
an `Origin` or, where a name was made to lead here, by a `Host` that is no address; and where
credentials are configured they must be right.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from app_server.rpc.ws_gate import ChecksCredentials, is_address


class Answer(NamedTuple):
    """What is said instead of an upgrade."""

    status: HTTPStatus
    text: str


def answer_to(
    path: str, headers: Mapping[str, str], credentials: ChecksCredentials | None
) -> Answer | None:
    """None lets the request in. Header names must be looked up regardless of case."""
    if "Origin" in headers:
        return Answer(HTTPStatus.FORBIDDEN, "requests from web pages are refused\n")
    if not is_address(headers.get("Host", "")):
        return Answer(HTTPStatus.FORBIDDEN, "requests for another host are refused\n")
    if path == "/readyz":
        return Answer(HTTPStatus.OK, "")
    reason = None if credentials is None else credentials.refusal(headers)
    if reason is not None:
        return Answer(HTTPStatus.UNAUTHORIZED, f"{reason}\n")
    if headers.get("Upgrade", "").lower() != "websocket":
        return Answer(HTTPStatus.BAD_REQUEST, "a websocket upgrade is expected\n")
    return None
