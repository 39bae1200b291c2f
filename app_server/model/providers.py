"""Who can be asked for tokens: built-in services, configured ones, those on this machine.

A provider is a value; making one reads no files and opens no connections. Unusable tables raise
`InvalidProvider` with one sentence that names the key.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from app_server.auth.token_command import TokenCommand

OPENAI = "openai"
OLLAMA = "ollama"
LM_STUDIO = "lmstudio"

OPENAI_API_URL = "https://api.openai.com/v1"
CHATGPT_URL = "https://chatgpt.com/backend-api/codex"
LOCAL_PORTS = {OLLAMA: 11434, LM_STUDIO: 1234}
LOCAL_MODELS = {OLLAMA: "gpt-oss:20b", LM_STUDIO: "openai/gpt-oss-20b"}

MAX_RETRIES = 100
REQUEST_RETRIES = 4
STREAM_RETRIES = 5
STREAM_IDLE_TIMEOUT_MS = 300_000

RESIDENCY_HEADER = "x-openai-internal-codex-residency"

RESERVED_IDS = ("openai", "amazon-bedrock", "ollama", "lmstudio", "ollama-chat")


class InvalidProvider(Exception):
    """A provider that is not there or cannot be used as configured; worded as `codex` words it."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(problem)
        self.key = key
        """The dotted key of the configuration it is about."""
        self.problem = problem


class ProviderInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One service and how to talk to it."""

    id: str
    name: str
    base_url: str | None = None
    """None: OpenAI's address, which depends on how the user signed in."""
    env_key: str | None = None
    env_key_instructions: str | None = None
    bearer_token: str | None = None
    token_command: TokenCommand | None = None
    """A program that prints the token."""
    requires_openai_auth: bool = False
    query_params: dict[str, str] = msgspec.field(default_factory=dict)
    http_headers: dict[str, str] = msgspec.field(default_factory=dict)
    env_http_headers: dict[str, str] = msgspec.field(default_factory=dict)
    """Header name → the variable holding its value; unset and blank ones are left out."""
    request_max_retries: int = REQUEST_RETRIES
    stream_max_retries: int = STREAM_RETRIES
    stream_idle_timeout_seconds: float = STREAM_IDLE_TIMEOUT_MS / 1000

    @property
    def is_openai(self) -> bool:
        """Whether this is OpenAI's own service, which compacts histories itself."""
        return self.name == "OpenAI"

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine and needs no key."""
        return self.id in LOCAL_PORTS

    @property
    def default_model(self) -> str | None:
        """What to ask for where nobody chose a model; None: the catalogue's first."""
        return LOCAL_MODELS.get(self.id)

    @property
    def stores_answers(self) -> bool:
        """Whether the service keeps answers and wants its item ids back: Azure's does."""
        url = (self.base_url or "").lower()
        return self.name.lower() == "azure" or any(mark in url for mark in _AZURE_MARKS)

    def url(self, path: str, *, uses_chatgpt_backend: bool = False) -> str:
        """The address of `path` (without a leading slash), query included."""
        default = CHATGPT_URL if uses_chatgpt_backend else OPENAI_API_URL
        address = f"{(self.base_url or default).rstrip('/')}/{path}"
        if not self.query_params:
            return address
        from urllib.parse import urlencode  # 3 ms, and rarely needed

        return f"{address}?{urlencode(self.query_params)}"

    def headers(self, environment: Mapping[str, str]) -> dict[str, str]:
        """What the provider adds to each request; names in lower case, unusable ones left out."""
        found = {name.lower(): value for name, value in self.http_headers.items()}
        for name, variable in self.env_http_headers.items():
            value = environment.get(variable, "")
            if value.strip():
                found[name.lower()] = value
        return {name: value for name, value in found.items() if _can_be_sent(name, value)}


def kept_in(provider: ProviderInfo, region: str) -> ProviderInfo:
    """The provider, told that an administrator wants answers made in that region."""
    headers = {**provider.http_headers, RESIDENCY_HEADER: region}
    return msgspec.structs.replace(provider, http_headers=headers)


_AZURE_MARKS = (
    "openai.azure.",
    "cognitiveservices.azure.",
    "aoai.azure.",
    "azure-api.",
    "azurefd.",
    "windows.net/openai",
)


def built_in(
    *, openai_base_url: str | None = None, environment: Mapping[str, str] | None = None
) -> dict[str, ProviderInfo]:
    """The providers everybody has, by id."""
    variables = os.environ if environment is None else environment
    from app_server.version import COMPATIBLE_WITH

    openai = ProviderInfo(
        id=OPENAI,
        name="OpenAI",
        base_url=openai_base_url or None,
        requires_openai_auth=True,
        http_headers={"version": COMPATIBLE_WITH},
        env_http_headers={
            "openai-organization": "OPENAI_ORGANIZATION",
            "openai-project": "OPENAI_PROJECT",
        },
    )
    local = [
        ProviderInfo(id=name, name="gpt-oss", base_url=local_url(name, variables))
        for name in LOCAL_PORTS
    ]
    return {provider.id: provider for provider in (openai, *local)}


def local_url(provider_id: str, environment: Mapping[str, str]) -> str:
    """Where a local service listens: told by variables, else the port it is known for."""
    url = environment.get("CODEX_OSS_BASE_URL", "").strip()
    if url:
        return url
    port = environment.get("CODEX_OSS_PORT", "").strip()
    if port.isdigit():
        return f"http://localhost:{port}/v1"
    host = environment.get("OLLAMA_HOST", "").strip()
    if provider_id == OLLAMA and host:
        return f"{_ollama_address(host)}/v1"
    return f"http://localhost:{LOCAL_PORTS[provider_id]}/v1"


def configured(provider_id: str, table: Mapping[str, Any]) -> ProviderInfo:
    """A provider from its table `[model_providers.ID]`. Raises `InvalidProvider`."""
    place = f"model_providers.{provider_id}"
    wire_api = table.get("wire_api", "responses")
    if wire_api == "chat":
        raise InvalidProvider(f"{place}.wire_api", CHAT_IS_GONE)
    if wire_api != "responses":
        problem = f"unknown variant `{wire_api}`, expected `responses`"
        raise InvalidProvider(f"{place}.wire_api", problem)
    if table.get("auth") is not None:
        for key in ("env_key", "experimental_bearer_token", "requires_openai_auth"):
            if table.get(key):
                problem = f"{place}: provider auth cannot be combined with {key}"
                raise InvalidProvider(place, problem)
    if table.get("aws") is not None:
        problem = f"{place}: `aws` is not supported yet; name the key's variable in `env_key`"
        raise InvalidProvider(f"{place}.aws", problem)
    try:
        known = msgspec.convert({**table}, _Table)
    except msgspec.ValidationError as failure:
        raise InvalidProvider(place, f"{place}: {failure}") from failure
    return ProviderInfo(
        id=provider_id,
        name=known.name,
        base_url=known.base_url,
        env_key=known.env_key,
        env_key_instructions=known.env_key_instructions,
        bearer_token=known.experimental_bearer_token,
        token_command=_token_command(known.auth),
        requires_openai_auth=known.requires_openai_auth,
        query_params=known.query_params or {},
        http_headers=known.http_headers or {},
        env_http_headers=known.env_http_headers or {},
        request_max_retries=min(known.request_max_retries, MAX_RETRIES),
        stream_max_retries=min(known.stream_max_retries, MAX_RETRIES),
        stream_idle_timeout_seconds=known.stream_idle_timeout_ms / 1000,
    )


def all_providers(
    tables: Mapping[str, Mapping[str, Any]],
    *,
    openai_base_url: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> dict[str, ProviderInfo]:
    """Built-in and configured providers by id. Raises `InvalidProvider`."""
    reserved = [f"`{name}`" for name in sorted(tables) if name in RESERVED_IDS]
    if reserved:
        raise InvalidProvider(
            "model_providers",
            "model_providers contains reserved built-in provider IDs: "
            f"{', '.join(reserved)}. Built-in providers cannot be overridden. Rename your custom "
            "provider (for example, `openai-custom`).",
        )
    found = built_in(openai_base_url=openai_base_url, environment=environment)
    for provider_id, table in tables.items():
        found[provider_id] = configured(provider_id, table)
    return found


def find_provider(
    provider_id: str,
    tables: Mapping[str, Mapping[str, Any]],
    *,
    openai_base_url: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> ProviderInfo:
    """The provider `model_provider` names. Raises `InvalidProvider`."""
    if provider_id == "ollama-chat":
        raise InvalidProvider("model_provider", OLLAMA_CHAT_IS_GONE)
    found = all_providers(tables, openai_base_url=openai_base_url, environment=environment)
    if provider_id not in found:
        raise InvalidProvider("model_provider", f"Model provider `{provider_id}` not found")
    return found[provider_id]


CHAT_IS_GONE = (
    '`wire_api = "chat"` is no longer supported.\n'
    'How to fix: set `wire_api = "responses"` in your provider config.\n'
    "More info: https://github.com/openai/codex/discussions/7782"
)

OLLAMA_CHAT_IS_GONE = (
    "`ollama-chat` is no longer supported.\n"
    "How to fix: replace `ollama-chat` with `ollama` in `model_provider`, `oss_provider`, or "
    "`--local-provider`.\n"
    "More info: https://github.com/openai/codex/discussions/7782"
)


class _AuthTable(msgspec.Struct, frozen=True, kw_only=True):
    command: str
    args: list[str] = []
    timeout_ms: int = 5_000
    refresh_interval_ms: int = 300_000
    cwd: str | None = None


class _Table(msgspec.Struct, frozen=True, kw_only=True):
    name: str = ""
    base_url: str | None = None
    env_key: str | None = None
    env_key_instructions: str | None = None
    experimental_bearer_token: str | None = None
    auth: _AuthTable | None = None
    requires_openai_auth: bool = False
    query_params: dict[str, str] | None = None
    http_headers: dict[str, str] | None = None
    env_http_headers: dict[str, str] | None = None
    request_max_retries: int = REQUEST_RETRIES
    stream_max_retries: int = STREAM_RETRIES
    stream_idle_timeout_ms: int = STREAM_IDLE_TIMEOUT_MS


def _token_command(table: _AuthTable | None) -> TokenCommand | None:
    if table is None:
        return None
    from app_server.auth.token_command import TokenCommand

    return TokenCommand(
        command=table.command,
        args=tuple(table.args),
        timeout_seconds=table.timeout_ms / 1000,
        refresh_interval_seconds=table.refresh_interval_ms / 1000,
        cwd=table.cwd,
    )


def _ollama_address(host: str) -> str:
    """`OLLAMA_HOST` as an address; it may lack a scheme or a port, or name a wildcard."""
    scheme, _, rest = host.rpartition("://")
    name, _, port = rest.rstrip("/").partition(":")
    if name in ("", "0.0.0.0"):
        name = "127.0.0.1"
    return f"{scheme or 'http'}://{name}:{port or LOCAL_PORTS[OLLAMA]}"


def _can_be_sent(name: str, value: str) -> bool:
    names_a_header = bool(name) and all(
        character.isascii() and (character.isalnum() or character in "!#$%&'*+-.^_`|~")
        for character in name
    )
    return names_a_header and all(" " <= character < "\x7f" for character in value)
