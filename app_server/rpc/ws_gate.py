"""What a request on a listener is answered before anything is opened for it.

Whoever gets a websocket can run commands. So whatever a web page could send is refused first, which
shows by an `Origin` or, where a name was made to lead here, by a `Host` that is no address; then
come the health probes, the credentials, and what is no upgrade. Knows no sockets.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple, Protocol

PROBES = ("/readyz", "/healthz")


class ChecksCredentials(Protocol):
    """Decides who may connect; see `ws_auth`."""

    def refusal(self, headers: Mapping[str, str]) -> str | None:
        """Why this caller may not connect, None if it may."""
        ...


class Answer(NamedTuple):
    """What is said instead of an upgrade."""

    status: HTTPStatus
    text: str = ""
    complaint: str | None = None
    """For the log, where the request was refused."""


def answer_to(
    method: str,
    path: str,
    headers: Mapping[str, str],
    credentials: ChecksCredentials | None = None,
    *,
    on_a_port: bool = True,
) -> Answer | None:
    """None lets the request in. `headers` must be looked up regardless of case.

    Only a port is reached under a host's name; a socket file is not.
    """
    if "Origin" in headers:
        return Answer(HTTPStatus.FORBIDDEN, complaint="it has an Origin header")
    if on_a_port and not is_address(_only_value(headers, "Host")):
        return Answer(HTTPStatus.FORBIDDEN, complaint="it is meant for another host")
    is_probe = path.partition("?")[0] in PROBES
    if method != "GET" and not (is_probe and method == "HEAD"):
        return Answer(HTTPStatus.METHOD_NOT_ALLOWED, "the method must be GET\n")
    if is_probe:
        return Answer(HTTPStatus.OK)
    reason = None if credentials is None else credentials.refusal(headers)
    if reason is not None:
        return Answer(HTTPStatus.UNAUTHORIZED, reason, complaint=reason)
    if _only_value(headers, "Upgrade").lower() != "websocket":
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


def _only_value(headers: Mapping[str, str], name: str) -> str:
    """The header's value; empty where it is missing or, against the rules, given twice."""
    try:
        return headers.get(name, "")
    except LookupError:
        return ""
