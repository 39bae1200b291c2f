"""Who may open a websocket: a shared token, or a signed one.

The credential is `Authorization: Bearer TOKEN` on the upgrade. Secrets are read once, compared in
constant time and never shown. The sentences are those of `codex app-server`, since clients and
scripts read them. Knows no sockets.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from app_server import clock

DEFAULT_CLOCK_SKEW_SECONDS = 30
SHORTEST_SECRET_BYTES = 32

_SIGNATURE_ONLY: Any = {
    f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")
}
"""What the library leaves to us: the claims are judged by our clock and refused in our words."""

CAPABILITY_TOKEN = "capability-token"
SIGNED_BEARER_TOKEN = "signed-bearer-token"


class WsAuthError(ValueError):
    """Flags that contradict each other, or a secret that cannot be used."""


class WsAuthFlags(msgspec.Struct, frozen=True, kw_only=True):
    """The command line's `--ws-…` flags, as given."""

    mode: str | None = None
    token_file: str | None = None
    token_sha256: str | None = None
    shared_secret_file: str | None = None
    issuer: str | None = None
    audience: str | None = None
    max_clock_skew_seconds: int | None = None


class CapabilityToken:
    """One token everybody shares, kept as its digest."""

    def __init__(self, digest: bytes) -> None:
        self._digest = digest

    def refusal(self, headers: Mapping[str, str]) -> str | None:
        token, reason = _bearer_token(headers)
        if token is None:
            return reason
        given = hashlib.sha256(token.encode()).digest()
        return (
            None if hmac.compare_digest(given, self._digest) else "invalid websocket bearer token"
        )


class SignedBearerToken:
    """Tokens signed with a shared secret (HS256), with an end and perhaps issuer and audience.

    Raises `WsAuthError` for a secret that is really a public key or a certificate.
    """

    def __init__(
        self,
        secret: bytes,
        *,
        issuer: str | None = None,
        audience: str | None = None,
        max_clock_skew_seconds: int = DEFAULT_CLOCK_SKEW_SECONDS,
    ) -> None:
        import jwt  # 40 ms, of no use to other listeners

        try:
            jwt.get_algorithm_by_name("HS256").prepare_key(secret)
        except jwt.InvalidKeyError as error:
            raise WsAuthError(f"the websocket bearer secret cannot be used: {error}") from error
        self._secret = secret
        self._issuer = issuer
        self._audience = audience
        self._skew_seconds = max_clock_skew_seconds

    def refusal(self, headers: Mapping[str, str]) -> str | None:
        token, reason = _bearer_token(headers)
        if token is None:
            return reason
        claims = self._verified_claims(token)
        return "invalid websocket jwt" if claims is None else self._claims_refusal(claims)

    def _verified_claims(self, token: str) -> dict[str, Any] | None:
        import jwt

        try:
            claims = jwt.decode(token, self._secret, algorithms=["HS256"], options=_SIGNATURE_ONLY)
        except (jwt.PyJWTError, ValueError, RecursionError):
            return None
        times = [claims.get("exp"), claims.get("nbf", 0)]
        if not all(isinstance(each, int) and not isinstance(each, bool) for each in times):
            return None
        return claims

    def _claims_refusal(self, claims: dict[str, Any]) -> str | None:
        now = clock.now()
        if now > claims["exp"] + self._skew_seconds:
            return "expired websocket jwt"
        if now < claims.get("nbf", 0) - self._skew_seconds:
            return "websocket jwt is not valid yet"
        if self._issuer is not None and claims.get("iss") != self._issuer:
            return "websocket jwt issuer mismatch"
        if self._audience is not None:
            named = claims.get("aud")
            audiences = named if isinstance(named, list) else [named]
            if self._audience not in audiences:
                return "websocket jwt audience mismatch"
        return None


def credentials_from(flags: WsAuthFlags, cwd: Path) -> CapabilityToken | SignedBearerToken | None:
    """The check the flags ask for; None without `--ws-auth`. Reads files; raises `WsAuthError`."""
    signed_only = (
        flags.shared_secret_file,
        flags.issuer,
        flags.audience,
        flags.max_clock_skew_seconds,
    )
    has_signed_flags = any(flag is not None for flag in signed_only)
    has_token_flags = flags.token_file is not None or flags.token_sha256 is not None
    if flags.mode is None:
        if has_signed_flags or has_token_flags:
            raise WsAuthError(
                "websocket auth flags require `--ws-auth capability-token` or "
                "`--ws-auth signed-bearer-token`"
            )
        return None
    if flags.mode == CAPABILITY_TOKEN:
        if has_signed_flags:
            raise WsAuthError(
                "`--ws-shared-secret-file`, `--ws-issuer`, `--ws-audience`, and "
                "`--ws-max-clock-skew-seconds` require `--ws-auth signed-bearer-token`"
            )
        return _capability_token(flags, cwd)
    if flags.mode != SIGNED_BEARER_TOKEN:
        raise WsAuthError(f"unknown --ws-auth mode `{flags.mode}`")
    if has_token_flags:
        raise WsAuthError(
            "`--ws-token-file` and `--ws-token-sha256` require `--ws-auth capability-token`, "
            "not `signed-bearer-token`"
        )
    return _signed_bearer_token(flags, cwd)


def _capability_token(flags: WsAuthFlags, cwd: Path) -> CapabilityToken:
    if flags.token_file is not None and flags.token_sha256 is not None:
        raise WsAuthError("`--ws-token-file` and `--ws-token-sha256` are mutually exclusive")
    if flags.token_file is not None:
        return CapabilityToken(hashlib.sha256(_read_secret(cwd / flags.token_file)).digest())
    if flags.token_sha256 is None:
        raise WsAuthError(
            "`--ws-token-file` or `--ws-token-sha256` is required when "
            "`--ws-auth capability-token` is set"
        )
    text = flags.token_sha256.strip()
    try:
        digest = binascii.unhexlify(text)
    except ValueError:
        digest = b""
    if len(digest) != hashlib.sha256().digest_size:
        raise WsAuthError("--ws-token-sha256 must be a 64-character hex SHA-256 digest")
    return CapabilityToken(digest)


def _signed_bearer_token(flags: WsAuthFlags, cwd: Path) -> SignedBearerToken:
    if flags.shared_secret_file is None:
        raise WsAuthError(
            "`--ws-shared-secret-file` is required when `--ws-auth signed-bearer-token` is set"
        )
    path = cwd / flags.shared_secret_file
    secret = _read_secret(path)
    if len(secret) < SHORTEST_SECRET_BYTES:
        raise WsAuthError(
            f"signed websocket bearer secret {path} must be at least {SHORTEST_SECRET_BYTES} bytes"
        )
    skew = flags.max_clock_skew_seconds
    return SignedBearerToken(
        secret,
        issuer=(flags.issuer or "").strip() or None,
        audience=(flags.audience or "").strip() or None,
        max_clock_skew_seconds=DEFAULT_CLOCK_SKEW_SECONDS if skew is None else skew,
    )


def _read_secret(path: Path) -> bytes:
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        reason = error.strerror or str(error)
        raise WsAuthError(f"failed to read websocket auth secret {path}: {reason}") from error
    if not secret:
        raise WsAuthError(f"websocket auth secret {path} must not be empty")
    return secret


def _bearer_token(headers: Mapping[str, str]) -> tuple[str | None, str]:
    try:
        value = headers.get("Authorization")
    except LookupError:
        return None, "invalid authorization header"  # given twice
    if value is None:
        return None, "missing websocket bearer token"
    scheme, space, token = value.strip().partition(" ")
    token = token.strip()
    if not space or scheme.lower() != "bearer" or not token or not token.isascii():
        return None, "invalid authorization header"
    return token, ""
