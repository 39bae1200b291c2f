"""Credentials on the upgrade: shared tokens and signed ones."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from app_server import clock
from app_server.rpc.ws_auth import (
    CapabilityToken,
    SignedBearerToken,
    WsAuthError,
    WsAuthFlags,
    credentials_from,
)

NOW = 1_700_000_000
SECRET = b"0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _frozen_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: float(NOW))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def signed(claims: Any, *, secret: bytes = SECRET, alg: str = "HS256", header: Any = None) -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    text = f"{part({'alg': alg} if header is None else header)}.{part(claims)}"
    signature = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


CAPABILITY = CapabilityToken(hashlib.sha256(b"open sesame").digest())


def test_the_right_token_opens_whatever_case_and_spaces_the_scheme_has() -> None:
    assert CAPABILITY.refusal({"Authorization": "Bearer sesame"}) is not None
    token = CapabilityToken(hashlib.sha256(b"sesame").digest())
    for value in ("Bearer sesame", "bearer sesame", "  BEARER   sesame  "):
        assert token.refusal({"Authorization": value}) is None


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "missing websocket bearer token"),
        ({"Authorization": "Bearer"}, "invalid authorization header"),
        ({"Authorization": "Bearer "}, "invalid authorization header"),
        ({"Authorization": "Basic sesame"}, "invalid authorization header"),
        ({"Authorization": "Bearer s\u00e9same"}, "invalid authorization header"),
        ({"Authorization": "Bearer sesam"}, "invalid websocket bearer token"),
        ({"Authorization": "Bearer sesame!"}, "invalid websocket bearer token"),
    ],
)
def test_a_wrong_token_is_refused_with_the_reason(headers: dict[str, str], reason: str) -> None:
    token = CapabilityToken(hashlib.sha256(b"sesame").digest())
    assert token.refusal(headers) == reason


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": NOW + 10}, None),
        ({"exp": NOW - 29}, None),
        ({"exp": NOW - 31}, "expired websocket jwt"),
        ({}, "invalid websocket jwt"),
        ({"exp": str(NOW)}, "invalid websocket jwt"),
        ({"exp": NOW + 0.5}, "invalid websocket jwt"),
        ({"exp": True}, "invalid websocket jwt"),
        ({"exp": NOW + 99, "nbf": NOW + 29}, None),
        ({"exp": NOW + 99, "nbf": NOW + 31}, "websocket jwt is not valid yet"),
        ({"exp": NOW + 99, "nbf": "now"}, "invalid websocket jwt"),
        ([NOW], "invalid websocket jwt"),
    ],
)
def test_a_signed_token_has_its_time(claims: Any, reason: str | None) -> None:
    assert SignedBearerToken(SECRET).refusal(bearer(signed(claims))) == reason


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "me", "aud": "codex"}, None),
        ({"iss": "me", "aud": ["other", "codex"]}, None),
        ({"aud": "codex"}, "websocket jwt issuer mismatch"),
        ({"iss": "you", "aud": "codex"}, "websocket jwt issuer mismatch"),
        ({"iss": "me"}, "websocket jwt audience mismatch"),
        ({"iss": "me", "aud": "codex-2"}, "websocket jwt audience mismatch"),
        ({"iss": "me", "aud": ["code", "x"]}, "websocket jwt audience mismatch"),
    ],
)
def test_a_signed_token_names_issuer_and_audience(
    claims: dict[str, Any], reason: str | None
) -> None:
    check = SignedBearerToken(SECRET, issuer="me", audience="codex")
    assert check.refusal(bearer(signed({"exp": NOW + 99, **claims}))) == reason


@pytest.mark.parametrize(
    "token",
    [
        "junk",
        "a.b",
        "a.b.c.d",
        "..",
        signed({"exp": NOW + 99}, secret=b"another secret of thirty-two byte"),
        signed({"exp": NOW + 99}, alg="none"),
        signed({"exp": NOW + 99}, alg="HS512"),
        signed({"exp": NOW + 99}, header=["HS256"]),
        signed({"exp": NOW + 99}).rpartition(".")[0] + ".",
        signed({"exp": NOW + 99})[:-2],
        "\u00fc.\u00fc.\u00fc".encode("ascii", "replace").decode(),
    ],
)
def test_a_token_that_is_not_signed_as_it_must_be_is_refused(token: str) -> None:
    assert SignedBearerToken(SECRET).refusal(bearer(token)) == "invalid websocket jwt"


def test_without_a_mode_and_without_flags_everybody_may_connect(tmp_path: Path) -> None:
    assert credentials_from(WsAuthFlags(), tmp_path) is None


def test_secrets_come_from_files_trimmed_relative_ones_from_the_working_folder(
    tmp_path: Path,
) -> None:
    (tmp_path / "token").write_text("  sesame\n")
    (tmp_path / "secret").write_bytes(SECRET + b"\n")
    shared = credentials_from(WsAuthFlags(mode="capability-token", token_file="token"), tmp_path)
    assert shared is not None
    assert shared.refusal(bearer("sesame")) is None
    with_digest = WsAuthFlags(
        mode="capability-token", token_sha256=hashlib.sha256(b"sesame").hexdigest().upper()
    )
    by_digest = credentials_from(with_digest, tmp_path)
    assert by_digest is not None
    assert by_digest.refusal(bearer("sesame")) is None
    flags = WsAuthFlags(
        mode="signed-bearer-token",
        shared_secret_file=str(tmp_path / "secret"),
        issuer="  ",
        audience="",
        max_clock_skew_seconds=0,
    )
    by_signature = credentials_from(flags, tmp_path)
    assert by_signature is not None
    assert by_signature.refusal(bearer(signed({"exp": NOW}))) is None
    assert by_signature.refusal(bearer(signed({"exp": NOW - 1}))) == "expired websocket jwt"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            {"mode": "capability-token"},
            "`--ws-token-file` or `--ws-token-sha256` is required when "
            "`--ws-auth capability-token` is set",
        ),
        (
            {"mode": "capability-token", "token_file": "a", "token_sha256": "b"},
            "`--ws-token-file` and `--ws-token-sha256` are mutually exclusive",
        ),
        (
            {"mode": "capability-token", "token_sha256": "abc"},
            "--ws-token-sha256 must be a 64-character hex SHA-256 digest",
        ),
        (
            {"mode": "signed-bearer-token", "token_file": "a"},
            "`--ws-token-file` and `--ws-token-sha256` require `--ws-auth capability-token`, "
            "not `signed-bearer-token`",
        ),
        (
            {"mode": "capability-token", "token_file": "a", "issuer": "x"},
            "`--ws-shared-secret-file`, `--ws-issuer`, `--ws-audience`, and "
            "`--ws-max-clock-skew-seconds` require `--ws-auth signed-bearer-token`",
        ),
        (
            {"mode": "signed-bearer-token"},
            "`--ws-shared-secret-file` is required when `--ws-auth signed-bearer-token` is set",
        ),
        (
            {"token_file": "a"},
            "websocket auth flags require `--ws-auth capability-token` or "
            "`--ws-auth signed-bearer-token`",
        ),
        (
            {"mode": "signed-bearer-token", "shared_secret_file": "short"},
            "signed websocket bearer secret {cwd}/short must be at least 32 bytes",
        ),
        (
            {"mode": "capability-token", "token_file": "empty"},
            "websocket auth secret {cwd}/empty must not be empty",
        ),
        (
            {"mode": "capability-token", "token_file": "missing"},
            "failed to read websocket auth secret {cwd}/missing: No such file or directory",
        ),
    ],
)
def test_contradictory_flags_are_refused(
    tmp_path: Path, flags: dict[str, Any], message: str
) -> None:
    (tmp_path / "short").write_text("too short")
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(WsAuthError) as refused:
        credentials_from(WsAuthFlags(**flags), tmp_path)
    assert str(refused.value) == message.format(cwd=tmp_path)
