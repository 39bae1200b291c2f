"""Taking the address a browser ended at to the sign-in that waits for it on this machine.

Over ssh the browser runs elsewhere and cannot reach the listener: its user copies the address, and
it is asked for from here. Only an address of that listener is ever asked for.
"""

import asyncio
from urllib.parse import parse_qs, urlsplit

ANSWER_SECONDS = 30.0
"""The listener answers once it has traded the code for tokens at the sign-in service."""
MAX_ANSWER_BYTES = 65_536

NOT_AN_ADDRESS = "This is not the address the sign-in ends at: it begins with http://localhost:"
NOBODY_LISTENS = "The sign-in no longer waits for an answer; start it over."
OF_ANOTHER = "This address belongs to another sign-in. Start over, and use the new page."


async def deliver(pasted: str, auth_url: str) -> str:
    """Ask the listener named in `auth_url` for the pasted address; what is wrong, or nothing.

    How the sign-in ended is told by the server, not by this.
    """
    port = _redirect_port(auth_url)
    address = urlsplit("".join(pasted.split()))
    if port is None or address.hostname not in ("localhost", "127.0.0.1"):
        return NOT_AN_ADDRESS
    try:
        is_ours = address.port == port and address.path == "/auth/callback"
    except ValueError:
        is_ours = False
    if not is_ours or not address.query:
        return NOT_AN_ADDRESS
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            status = await _status_of(port, f"{address.path}?{address.query}")
    except (OSError, TimeoutError):
        return NOBODY_LISTENS
    return OF_ANOTHER if status == "400" else ""


async def _status_of(port: int, target: str) -> str:
    """The status of the answer to a plain GET on loopback."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        asked = f"GET {target} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
        writer.write(asked.encode("ascii", "ignore"))
        await writer.drain()
        answer = await reader.read(MAX_ANSWER_BYTES)
    finally:
        writer.close()
    words = answer.split(b"\r\n", 1)[0].split()
    return words[1].decode("ascii", "replace") if len(words) > 1 else ""


def _redirect_port(auth_url: str) -> int | None:
    redirect = parse_qs(urlsplit(auth_url).query).get("redirect_uri", [""])[0]
    try:
        return urlsplit(redirect).port
    except ValueError:
        return None
