"""One request over HTTP, made by a program of its own so that the service never waits for it.

Reads the request as JSON from stdin. Writes lines of JSON: first `status` and `headers`, then
pieces of the body, then `done`; or `error` where it cannot go on. Follows redirects, and the
proxies the environment names. Imports the standard library alone.
"""

import base64
import json
import sys
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPResponse
from typing import Any

PIECE_BYTES = 64 * 1024
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class _KeepsRefusals(urllib.request.HTTPErrorProcessor):
    """An answer is an answer, whatever its status; only redirects are for somebody else."""

    def http_response(self, request: Any, response: Any) -> Any:
        if response.status in REDIRECTS:
            return super().http_response(request, response)
        return response

    https_response = http_response


def main() -> None:
    asked = json.load(sys.stdin)
    body = asked["body"]
    request = urllib.request.Request(
        asked["url"],
        method=asked["method"],
        data=None if body is None else base64.b64decode(body),
    )
    for name, value in asked["headers"]:
        request.add_header(name, value)
    try:
        try:
            answer = urllib.request.build_opener(_KeepsRefusals).open(request)
        except urllib.error.HTTPError as refusal:
            answer = refusal
        _pass_on(answer)
    except (OSError, HTTPException, ValueError) as error:
        _say(error=str(getattr(error, "reason", None) or error) or type(error).__name__)


def _pass_on(answer: HTTPResponse | urllib.error.HTTPError) -> None:
    headers = [[name.lower(), value] for name, value in answer.headers.items()]
    _say(status=answer.status, headers=headers)
    while piece := answer.read1(PIECE_BYTES):
        _say(piece=base64.b64encode(piece).decode("ascii"))
    _say(done=True)


def _say(**message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
