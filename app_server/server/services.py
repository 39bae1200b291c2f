"""The services behind the handlers, as one bundle; each is built when first asked for.

Implements `agent.services.AgentServices`. Building one imports its room, so that a server that was
only asked who it is has loaded no more than that.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app_server.server.identity import Identity, installation_id
from app_server.server.options import ServerOptions

if TYPE_CHECKING:
    from app_server.auth.attempts import LoginAttempts
    from app_server.auth.host_tokens import AskHost
    from app_server.auth.manager import AuthManager
    from app_server.auth.store import Store
    from app_server.config.demands import Demands
    from app_server.config.load import LoadedConfig
    from app_server.config.resolve import Config
    from app_server.exec.environment import Environment
    from app_server.exec.environments import Environments
    from app_server.model.client import ModelClient
    from app_server.model.http import HttpClients
    from app_server.model.providers import ProviderInfo
    from app_server.protocol.model import Model
    from app_server.protocol.notices import ConfigWarningNotification
    from app_server.protocol.thread_data import SessionSource
    from app_server.sandbox.proxy_door import ProxyDoors
    from app_server.server.cloud_demands import CloudDemands
    from app_server.telemetry.otel import Telemetry

log = logging.getLogger(__name__)


class Services:
    """Everything a handler or a thread may need from the rest of the house."""

    def __init__(
        self,
        options: ServerOptions,
        ask_host: AskHost | None = None,
        on_other_sign_in: Callable[[], None] | None = None,
    ) -> None:
        """`ask_host` gets new tokens from the host application that lent us its own;
        `on_other_sign_in` is called when another process has signed in or out.
        """
        self.options = options
        self._ask_host = ask_host
        self._on_other_sign_in = on_other_sign_in
        self.identity = Identity(options.originator)
        self.told_warnings: set[ConfigWarningNotification] = set()
        self.enablement: dict[str, bool] = {}
        """Features switched by clients, for the life of this process."""
        self._environment_lock = asyncio.Lock()
        self._doors: ProxyDoors | None = None
        self._telemetry: Telemetry | None = None
        self.models: list[Model] | None = None
        """What can be chosen from, once somebody has asked."""
        self._telemetry_lock = threading.Lock()

    @property
    def codex_home(self) -> Path:
        return self.options.codex_home

    @property
    def cwd(self) -> Path:
        return self.options.cwd

    @property
    def originator(self) -> str:
        return self.identity.originator

    @property
    def user_agent(self) -> str:
        return self.identity.user_agent

    @property
    def session_source(self) -> SessionSource:
        return self.options.session_source

    @cached_property
    def installation_id(self) -> str:
        return installation_id(self.codex_home)

    def load_config(
        self,
        cwd: Path,
        thread_overrides: Mapping[str, Any],
        flags: Mapping[str, Any] | None = None,
    ) -> LoadedConfig:
        """Effective configuration for a thread in `cwd`; reads files, so call it off the loop.

        What the signed-in account's workspace demands must have been found out before
        (`cloud_demands.ready`).
        """
        return self._load_config(cwd, thread_overrides, flags, self.cloud_demands.known())

    def _load_config(
        self,
        cwd: Path,
        thread_overrides: Mapping[str, Any],
        flags: Mapping[str, Any] | None,
        demands: Demands,
    ) -> LoadedConfig:
        from app_server.config.load import load_config

        return load_config(
            self.codex_home,
            cwd,
            self.options.cli_overrides,
            thread_overrides,
            flags=flags,
            profile=self.options.profile,
            forgiving=self.options.forgives_config,
            strict=self.options.strict_config,
            demands=demands,
            enablement=self.enablement,
        )

    def own_config(self) -> Config:
        """The settings without what a workspace demands: for finding out who is signed in."""
        from app_server.config.demands import NO_DEMANDS

        return self._load_config(self.cwd, {}, None, NO_DEMANDS).config

    @cached_property
    def cloud_demands(self) -> CloudDemands:
        from app_server.server.cloud_demands import CloudDemands

        return CloudDemands(self)

    def current_config(self) -> Config:
        """The settings now in force where the server works; reads files, so call it off the loop.

        Defaults where the files are broken.
        """
        return self.load_config(self.cwd, {}).config

    def default_provider(self) -> ProviderInfo:
        """The provider new threads use; reads files, so call it off the loop."""
        from app_server.model.providers import find_provider

        config = self.current_config()
        return find_provider(
            config.model_provider, config.model_providers, openai_base_url=config.openai_base_url
        )

    @cached_property
    def auth(self) -> AuthManager:
        from app_server.auth.manager import AuthManager
        from app_server.auth.store import ChosenStore

        store = ChosenStore(self._open_auth_store)
        return AuthManager(
            self.codex_home,
            http=self.http,
            store=store,
            ask_host=self._ask_host,
            on_change=self._on_other_sign_in,
        )

    def _open_auth_store(self) -> Store:
        from app_server.auth.store import open_store

        return open_store(self.own_config().cli_auth_credentials_store, self.codex_home)

    @cached_property
    def logins(self) -> LoginAttempts:
        from app_server.auth.attempts import LoginAttempts
        from app_server.auth.exchange import issuer_from

        return LoginAttempts(self.auth, self.http, issuer_from(os.environ))

    @cached_property
    def http(self) -> HttpClients:
        from app_server.model.http import HttpClients

        return HttpClients()

    def model_client(self, provider: ProviderInfo) -> ModelClient:
        from app_server.model.client import ModelClient

        return ModelClient(provider, self.auth, self.http, self.installation_id)

    def recorder(self, config: Config) -> Telemetry | None:
        """What the first thread's settings say of telemetry holds for the whole server."""
        if not config.otel:
            return None
        with self._telemetry_lock:
            if self._telemetry is None:
                from app_server.telemetry.otel import OtelInvalid, Telemetry, read_settings

                try:
                    settings = read_settings(config.otel)
                except OtelInvalid as error:
                    log.error("error loading otel config: %s", error)
                    return None
                if settings.is_on:
                    self._telemetry = Telemetry(settings)
            return self._telemetry

    @cached_property
    def environments(self) -> Environments:
        """Where commands can run; reads a file, so call it off the loop."""
        from app_server.exec.environments import Environments

        return Environments(self.codex_home, os.environ)

    def knows_environment(self, name: str) -> bool:
        return self.environments.knows(name)

    def has_environment(self, name: str | None) -> bool:
        """Whether commands can run anywhere, given the name chosen for them."""
        return (name or self.environments.default_name) != "none"

    async def environment(self, name: str | None = None) -> Environment:
        """Where commands run, by name or by default; it starts with its first command."""
        async with self._environment_lock:
            if "environments" not in self.__dict__:
                await asyncio.to_thread(getattr, self, "environments")
            return self.environments.get(name)

    async def proxy_doors(self) -> ProxyDoors:
        """The proxy for commands whose permissions know hosts; it starts with the first of them."""
        async with self._environment_lock:
            if self._doors is None:
                from app_server.sandbox.proxy_door import ProxyDoors

                self._doors = await ProxyDoors().__aenter__()
            return self._doors

    async def finish_renewal(self) -> None:
        """Let tokens that are being renewed be kept: the old ones are spent."""
        if "auth" in self.__dict__:
            await self.auth.close()

    async def close(self) -> None:
        """End what was started."""
        try:
            if "logins" in self.__dict__:
                await self.logins.close()
            if "environments" in self.__dict__:
                await self.environments.close()
            if self._doors is not None:
                await self._doors.__aexit__(None, None, None)
            if self._telemetry is not None:
                await asyncio.to_thread(self._telemetry.close)
        finally:
            if "http" in self.__dict__:
                await self.http.aclose()
