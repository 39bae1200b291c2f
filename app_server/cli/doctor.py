"""`codex doctor`: what Codex finds on this machine, what is wrong with it, and what would help.

A table of checks, each a small function that looks at one thing and loads only what that needs. No
check changes anything, tells a secret or talks to the network. The exit status is 1 if something
keeps Codex from working, else 0.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from app_server.cli.options import Options
from app_server.version import COMPATIBLE_WITH, __version__

if TYPE_CHECKING:
    from app_server.config.load import LoadedConfig

Status: TypeAlias = Literal["ok", "note", "warning", "failure"]
_SIGNS: Mapping[Status, str] = {"ok": "✓", "note": "·", "warning": "!", "failure": "✗"}


class Finding(NamedTuple):
    """What a check says."""

    status: Status
    summary: str
    details: Mapping[str, str] = {}
    remedy: str | None = None
    """What the user can do about it, as a sentence."""


class Circumstances:
    """What checks look at; what is dear is found out once, when first asked for."""

    def __init__(self, options: Options, environment: Mapping[str, str]) -> None:
        self.options = options
        self.environment = environment

    @cached_property
    def home(self) -> Path:
        """Raises `CodexHomeMissing`."""
        from app_server.paths import codex_home

        return codex_home()

    @cached_property
    def settings(self) -> LoadedConfig:
        from app_server.config.load import load_config

        options = self.options
        return load_config(
            self.home, Path(options.cwd), options.overrides, {}, profile=options.profile
        )


Check: TypeAlias = Callable[[Circumstances], Finding]


def run(options: Options) -> int:
    """Make all checks and tell; returns the exit status."""
    findings = examined(Circumstances(options, os.environ))
    if options.as_json:
        print(json.dumps(_report(findings), indent=2, ensure_ascii=False))
    else:
        _tell(findings)
    return 1 if any(found.status == "failure" for found in findings.values()) else 0


def examined(around: Circumstances) -> dict[str, Finding]:
    """Every check's finding; one that breaks down is a finding, too."""
    findings = {}
    for name, check in CHECKS.items():
        try:
            findings[name] = check(around)
        except Exception as error:  # the report of everything else must not be lost
            findings[name] = Finding("failure", f"the check itself failed: {error!r}")
    return findings


def _report(findings: Mapping[str, Finding]) -> dict[str, object]:
    checks = {name: {**found._asdict(), "details": dict(found.details)} for name, found in
              findings.items()}  # fmt: skip
    return {"version": __version__, "compatibleWith": COMPATIBLE_WITH, "checks": checks}


def _tell(findings: Mapping[str, Finding]) -> None:
    print(f"codex-in-python {__version__} (compatible with codex {COMPATIBLE_WITH})\n")
    width = max(map(len, findings))
    for name, found in findings.items():
        print(f"{_SIGNS[found.status]} {name:<{width}}  {found.summary}")
        for key, value in found.details.items():
            print(f"  {'':<{width}}    {key}: {value}")
        if found.remedy is not None:
            print(f"  {'':<{width}}  → {found.remedy}")


# What is looked at


def _python(_: Circumstances) -> Finding:
    details = {"executable": sys.executable, "system": f"{platform.system()} {platform.machine()}"}
    return Finding("ok", platform.python_version(), details)


def _terminal(around: Circumstances) -> Finding:
    term = around.environment.get("TERM", "")
    names = ("COLORTERM", "TERM_PROGRAM", "TMUX", "STY", "SSH_TTY", "LANG", "LC_ALL", "NO_COLOR")
    details = {name: around.environment[name] for name in names if around.environment.get(name)}
    if not sys.stdout.isatty():
        return Finding("note", "the output is no terminal", details)
    size = os.get_terminal_size()
    summary = f"{term or 'no TERM'}, {size.columns}x{size.lines}"
    if term in ("", "dumb"):
        remedy = "Set TERM to what your terminal is, for example xterm-256color."
        return Finding("warning", summary, details, remedy)
    if "utf" not in (sys.stdout.encoding or "").lower():
        return Finding("warning", summary, details, "Choose a UTF-8 locale, for example C.UTF-8.")
    return Finding("ok", summary, details)


def _home(around: Circumstances) -> Finding:
    from app_server.paths import CodexHomeMissing

    try:
        home = around.home
    except CodexHomeMissing as error:
        return Finding("failure", str(error))
    details = {"folder": str(home)}
    if not home.is_dir() or not os.access(home, os.W_OK | os.X_OK):
        remedy = "Give yourself the right to write there; until then nothing is stored."
        return Finding("failure", "cannot be written", details, remedy)
    if home.stat().st_mode & 0o077:
        remedy = f"`chmod 700 {home}`"
        return Finding("warning", "is open to other users of this machine", details, remedy)
    return Finding("ok", "can be written", details)


def _config(around: Circumstances) -> Finding:
    loaded = around.settings
    details = {}
    for layer in loaded.layers:
        if layer.folder is None:
            continue  # flags
        place = getattr(layer.source, "file", None) or layer.folder / "config.toml"
        if os.path.exists(place):
            details[str(place)] = layer.disabled_reason or "read"
    if loaded.error is not None:
        return Finding("failure", str(loaded.error), details, "Mend it, or take the line out.")
    complaints = [warning.summary for warning in loaded.warnings]
    if complaints:
        return Finding("warning", "; ".join(complaints), details)
    return Finding("ok", f"{len(details)} files" if len(details) != 1 else "1 file", details)


def _sign_in(around: Circumstances) -> Finding:
    import asyncio

    from app_server.auth.errors import AuthError
    from app_server.cli.login import open_manager

    config = around.settings.config
    provider = {"provider": config.model_provider, "store": config.cli_auth_credentials_store}
    try:
        found = asyncio.run(open_manager(around.home, config).ready())
    except AuthError as error:
        return Finding("warning", str(error), provider)
    if found is None:
        if config.model_provider != "openai":
            return Finding("note", "not signed in to OpenAI, which this provider may not need",
                           provider)  # fmt: skip
        return Finding("warning", "not signed in", provider, "Run `codex login`.")
    way = "an API key" if found.mode == "apikey" else "ChatGPT"
    where = {"store": "the stored sign-in", "host": "the host"}.get(found.source, found.source)
    return Finding("ok", f"{way}, from {where}", provider)


def _keyring(around: Circumstances) -> Finding:
    mode = around.settings.config.cli_auth_credentials_store
    if mode not in ("keyring", "auto"):
        return Finding("ok", f"not used: sign-ins are kept by the store `{mode}`")
    import keyring
    import keyring.backends.fail

    backend = keyring.get_keyring()
    name = f"{type(backend).__module__}.{type(backend).__name__}"
    if not isinstance(backend, keyring.backends.fail.Keyring):
        return Finding("ok", name)
    remedy = 'Start one, for example gnome-keyring, or set cli_auth_credentials_store = "file".'
    return Finding("failure" if mode == "keyring" else "note", "there is no keyring", {}, remedy)


def _sandbox(around: Circumstances) -> Finding:
    from app_server.sandbox.probe import facts

    found = facts()
    details = {"keeps": ", ".join(sorted(found.keeps)) or "nothing"}
    if found.program is not None:
        details["program"] = found.program
    if around.settings.config.codex_linux_sandbox_exe is not None:
        details["replaced by"] = around.settings.config.codex_linux_sandbox_exe
    if found.missing is not None:
        details["better one"] = found.missing
    statuses: dict[str, Status] = {"bubblewrap": "ok", "namespaces": "ok", "landlock": "warning"}
    summary = found.mechanism if found.mechanism != "none" else "commands cannot be confined"
    return Finding(statuses.get(found.mechanism, "failure"), summary, details, found.remedy)


def _programs(around: Circumstances) -> Finding:
    from shutil import which

    path = around.environment.get("PATH")
    places = {name: which(name, path=path) for name in ("git", "rg", "bwrap")}
    details = {name: place or "not found" for name, place in places.items()}
    if places["git"] is None:
        return Finding("warning", "git is missing", details, "Install git.")
    missing = [name for name, place in places.items() if place is None]
    return Finding("note" if missing else "ok",
                   f"without {' and '.join(missing)}" if missing else "all there",
                   details)  # fmt: skip


def _network(around: Circumstances) -> Finding:
    from app_server.model.http import NetworkSettingsUnusable, trusted_certificates

    details = {}
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        for spelling in (name.lower(), name):
            if around.environment.get(spelling):
                details[spelling] = _without_password(around.environment[spelling])
                break
    named = [name for name in ("CODEX_CA_CERTIFICATE", "SSL_CERT_FILE")
             if around.environment.get(name, "").strip()]  # fmt: skip
    details.update((name, around.environment[name]) for name in named[:1])
    try:
        trusted_certificates(around.environment)
    except NetworkSettingsUnusable as problem:
        return Finding("failure", str(problem), details, f"Mend or unset {named[0]}.")
    proxy = any("proxy" in name.lower() for name in details)
    told = f"{'through a proxy' if proxy else 'no proxy'}, {named[0] if named else 'no CA file'}"
    return Finding("ok", told, details)


def _without_password(url: str) -> str:
    before, at, host = url.rpartition("@")
    return f"{before.rpartition('//')[0]}//…@{host}" if at else url


CHECKS: Mapping[str, Check] = {
    "python": _python,
    "terminal": _terminal,
    "home": _home,
    "config": _config,
    "sign-in": _sign_in,
    "keyring": _keyring,
    "sandbox": _sandbox,
    "programs": _programs,
    "network": _network,
}
"""In the order they are told. A new check is a function and a row."""
