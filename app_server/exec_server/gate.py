"""Who may open a websocket to the process service; decided before the upgrade.

Whoever gets in can run commands. So a request that a web page could send is refused, which shows by
an `Origin` or, where a name was made to lead here, by a `Host` that is no address; and where
credentials are configured they must be right.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple, Protocol


class Credentials(Protocol):
    """As in `rpc.ws_auth`."""

    def refusal(self, headers: Mapping[str, str]) -> str | None: ...


class Answer(NamedTuple):
    """What is said instead of an upgrade."""

    status: HTTPStatus
    text: str


def answer_to(
    path: str, headers: Mapping[str, str], credentials: Credentials | None
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


def is_address(host: str) -> bool:
    """An IP address or `localhost`, with or without a port: no name that could be pointed here."""
    name = host
    if host.startswith("["):
        name = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        name = host.partition(":")[0]
    if name.lower() == "localhost":
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
