"""A sign-in service on loopback: authorize, tokens, device codes, revocation, usage.

It checks what a real one checks (PKCE, redirect, one use per code), hands out tokens that say who
the user is, and fails as it is told to by `refuse`. Everything asked of it is in `asked`.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
import pytest

AUTH_CLAIM = "https://api.openai.com/auth"


def jwt(account: str = "acct-1", plan: str = "pro", **claims: Any) -> str:
    """A token that says who it belongs to."""
    auth = {"chatgpt_account_id": account, "chatgpt_plan_type": plan}
    content = {"email": "user@example.com", "exp": 4102444800, AUTH_CLAIM: auth, **claims}
    body = base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
    return f"eyJhbGciOiJub25lIn0.{body}.c2lnbmF0dXJl"


class Asked(msgspec.Struct):
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class Issuer:
    """The service; `account` is who signs in, `url` where."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.account = "acct-1"
        self.plan = "pro"
        self.approved = True
        """Whether the device code has been typed."""
        self.usage: Any = {"plan_type": "pro"}
        self.go_on = threading.Event()
        """Set by a test when a request that is being held may be answered."""
        self._held: set[str] = set()
        self._has_asked = threading.Condition()
        self.requirements: str | None = None
        """What the workspace's administrator demands, as TOML."""
        self._refusals: dict[str, list[tuple[int, Any]]] = {}
        self._codes: dict[str, dict[str, str]] = {}
        self._serial = 0
        self.url = ""

    def refuse(self, path: str, status: int, body: Any = None) -> None:
        """The next request for this path fails like that."""
        self._refusals.setdefault(path, []).append((status, body))

    def waits_at(self, path: str) -> None:
        """Requests for this path are answered only when `go_on` is set."""
        self._held.add(path)

    def wait_until_asked(self, path: str, times: int = 1) -> None:
        """Blocks until so many requests for this path have come."""
        with self._has_asked:
            assert self._has_asked.wait_for(lambda: len(self.paths(path)) >= times, timeout=30)

    def paths(self, *prefixes: str) -> list[str]:
        return [each.path for each in self.asked if each.path.startswith(prefixes)]

    def authorize(self, auth_url: str) -> str:
        """What a browser is sent back to after the user has agreed."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(auth_url).query).items()}
        code = self._serialized("code")
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def tokens(self) -> dict[str, str]:
        return {
            "id_token": jwt(self.account, self.plan),
            "access_token": jwt(self.account, self.plan, n=self._serialized("access")),
            "refresh_token": self._serialized("planted-refresh-secret"),
        }

    def answer(self, asked: Asked) -> tuple[int, Any]:
        with self._has_asked:
            self.asked.append(asked)
            self._has_asked.notify_all()
        if asked.path in self._held:
            self.go_on.wait(timeout=30)
        waiting = self._refusals.get(asked.path)
        if waiting:
            return waiting.pop(0)
        match asked.path:
            case "/oauth/token":
                return self._token(asked.body)
            case "/oauth/revoke":
                return 200, {}
            case "/api/accounts/deviceauth/usercode":
                return 200, {"device_auth_id": "dev-1", "user_code": "ABCD-1234", "interval": "0"}
            case "/api/accounts/deviceauth/token" if not self.approved:
                return 403, {}
            case "/api/accounts/deviceauth/token":
                return 200, self._device_grant()
            case path if path.endswith("/wham/usage"):
                return 200, self.usage
            case path if path.endswith("/wham/config/requirements"):
                return 200, {"contents": self.requirements, "sha256": "x"}
            case path if path.endswith("send_add_credits_nudge_email"):
                return 200, {}
        return 404, {"error": "nothing here"}

    def _token(self, body: dict[str, Any]) -> tuple[int, Any]:
        match body.get("grant_type"):
            case "authorization_code":
                granted = self._codes.pop(body["code"], None)
                if granted is None:
                    return 400, {"error": "invalid_grant", "error_description": "code was used"}
                proof = hashlib.sha256(body["code_verifier"].encode()).digest()
                challenge = base64.urlsafe_b64encode(proof).rstrip(b"=").decode()
                if challenge != granted["code_challenge"]:
                    return 400, {"error": "invalid_grant", "error_description": "wrong verifier"}
                if body["redirect_uri"] != granted["redirect_uri"]:
                    return 400, {"error": "invalid_grant", "error_description": "wrong redirect"}
                return 200, self.tokens()
            case "refresh_token":
                return 200, self.tokens()
        return 400, {"error": "no API key for this account"}

    def _device_grant(self) -> dict[str, str]:
        code, verifier = self._serialized("code"), "device-verifier-of-the-service"
        proof = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(proof).rstrip(b"=").decode()
        redirect = f"{self.url}/deviceauth/callback"
        self._codes[code] = {"code_challenge": challenge, "redirect_uri": redirect}
        return {
            "authorization_code": code,
            "code_challenge": challenge,
            "code_verifier": verifier,
        }

    def _serialized(self, name: str) -> str:
        self._serial += 1
        return f"{name}-{self._serial}"


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    """A running service, named to the program by its environment variables."""
    service = Issuer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if urlsplit(self.path).path != "/oauth/authorize":
                self._reply({})
                return
            self.send_response(302)
            self.send_header("location", service.authorize(self.path))
            self.send_header("content-length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length", 0)))
            if "json" in self.headers.get("content-type", ""):
                self._reply(json.loads(content))
            else:
                self._reply({k: v[0] for k, v in parse_qs(content.decode()).items()})

        def _reply(self, body: dict[str, Any]) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            path = urlsplit(self.path).path
            status, answer = service.answer(Asked(self.command, path, headers, body))
            is_text = isinstance(answer, str)
            content = (answer if is_text else json.dumps(answer)).encode()
            self.send_response(status)
            self.send_header("content-type", "text/html" if is_text else "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *words: Any) -> None:
            """Tests look at `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    monkeypatch.setenv("CODEX_APP_SERVER_LOGIN_ISSUER", service.url)
    monkeypatch.setenv("CODEX_REFRESH_TOKEN_URL_OVERRIDE", f"{service.url}/oauth/token")
    yield service
    server.shutdown()
    thread.join()
    server.server_close()
