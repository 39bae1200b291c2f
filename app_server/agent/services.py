"""What a thread needs from the rest of the house, as one bundle.

The server builds it once and hands it down. The agent never looks anything up by itself: every
value here is either a fact that does not change while the server runs or a way to get a service.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from app_server.protocol.notices import ConfigWarningNotification
from app_server.protocol.thread_data import SessionSource

if TYPE_CHECKING:
    from app_server.config.load import LoadedConfig
    from app_server.config.resolve import Config
    from app_server.exec.environment import Environment
    from app_server.model.client import ModelClient
    from app_server.model.providers import ProviderInfo
    from app_server.sandbox.proxy_door import ProxyDoors
    from app_server.telemetry.records import Recorder


class AgentServices(Protocol):
    """The services a thread uses; `server.services` implements it."""

    @property
    def codex_home(self) -> Path: ...

    @property
    def originator(self) -> str:
        """The first client's name; goes into headers and stored threads."""
        ...

    @property
    def user_agent(self) -> str: ...

    @property
    def session_source(self) -> SessionSource:
        """What new threads say they come from."""
        ...

    @property
    def told_warnings(self) -> Container[ConfigWarningNotification]:
        """What every client hears of the configuration when it introduces itself."""
        ...

    @property
    def cwd(self) -> Path:
        """Where the server was started; threads that name no folder work here."""
        ...

    def load_config(
        self,
        cwd: Path,
        thread_overrides: Mapping[str, Any],
        flags: Mapping[str, Any] | None = None,
    ) -> LoadedConfig:
        """Effective configuration of a thread in `cwd`; reads files, so call it off the loop.

        `thread_overrides` is the client's `config` map, `flags` what it set by name (`model`,
        `sandbox_mode`, …), which wins over profiles.
        """
        ...

    def model_client(self, provider: ProviderInfo) -> ModelClient:
        """A client for one provider, sharing the server's HTTP connections and sign-in."""
        ...

    def recorder(self, config: Config) -> Recorder | None:
        """Who counts what happens; None unless the settings name somebody."""
        ...

    async def environment(self, name: str | None = None) -> Environment:
        """Where commands run, by name or by default; it starts with its first command."""
        ...

    async def proxy_doors(self) -> ProxyDoors:
        """The proxy for commands whose permissions know hosts; it starts with the first of them."""
        ...

    def knows_environment(self, name: str) -> bool: ...

    def has_environment(self, name: str | None) -> bool:
        """Whether commands can run anywhere, given the name chosen for them."""
        ...
