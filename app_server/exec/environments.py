"""The places commands can run in, by name.

`local` is this machine. `CODEX_EXEC_SERVER_URL` makes the process service behind a websocket the
default, under the name `remote`; `none` there switches commands off. Further ones, and another
default, stand in `environments.toml`; the variable wins. Nothing is started or connected before the
first command, and what cannot be used says why there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import msgspec

from app_server.exec.environment import Confiner, Environment, RunningProcess, SpawnRequest
from app_server.exec.errors import CommandNotStarted, EnvironmentLost

VARIABLE = "CODEX_EXEC_SERVER_URL"
FILE_NAME = "environments.toml"
LOCAL, REMOTE, NONE = "local", "remote", "none"

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Service(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of the file: a process service behind a URL, or a program that is one."""

    id: str
    url: str | None = None
    bearer_token_file: str | None = None
    """Holds what a service behind a URL wants to see."""
    program: str | None = None
    args: tuple[str, ...] = ()
    env: dict[str, str] | None = None
    cwd: str | None = None
    connect_timeout_sec: float = 10.0
    initialize_timeout_sec: float = 10.0


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    default: str | None = None
    include_local: bool = True
    environments: list[Service] = []


class Environments:
    """What one server can run commands in. Belongs to the event loop they are first used on."""

    def __init__(self, codex_home: Path, environ: Mapping[str, str]) -> None:
        self._url = environ.get(VARIABLE, "").strip()
        self._path = codex_home / FILE_NAME
        self._services: dict[str, Service] = {}
        self._names: set[str] = {LOCAL}
        self._default = LOCAL
        self._problem: str | None = None
        self._used: dict[str, Environment] = {}
        try:
            self._read()
        except ValueError as error:
            self._problem = f"{self._path}: {error}"
        if self._url == NONE:
            self._default = NONE
        elif self._url:
            self._services[REMOTE] = Service(id=REMOTE, url=self._url)
            self._names.add(REMOTE)
            self._default = REMOTE

    @property
    def default_name(self) -> str:
        """`none` where commands are switched off."""
        return self._default

    def knows(self, name: str) -> bool:
        return name in self._names

    def get(self, name: str | None = None) -> Environment:
        """The environment of this name, or the default; it starts nothing yet."""
        name = name or self._default
        environment = self._used.get(name)
        if environment is None:
            environment = self._used[name] = self._made(name)
        return environment

    async def close(self) -> None:
        """End whatever runs in any of them."""
        for environment in self._used.values():
            await environment.close()

    def _made(self, name: str) -> Environment:
        service = self._services.get(name)
        if self._problem is not None and service is None:
            return Unusable(self._problem)
        if name == NONE:
            return Unusable(f"commands are switched off: {VARIABLE} is `{NONE}`")
        if name not in self._names:
            return Unusable(f"there is no environment `{name}`")
        if service is None:
            from app_server.exec.local import LocalEnvironment

            return LocalEnvironment()
        if service.url is not None:
            from app_server.exec.remote import RemoteEnvironment

            return RemoteEnvironment(
                service.url,
                service.connect_timeout_sec,
                service.initialize_timeout_sec,
                None if service.bearer_token_file is None else Path(service.bearer_token_file),
            )
        from app_server.exec.local import program_environment

        assert service.program is not None
        return program_environment(
            (service.program, *service.args),
            env=service.env,
            cwd=service.cwd,
            initialize_timeout_seconds=service.initialize_timeout_sec,
        )

    def _read(self) -> None:
        """Raises `ValueError`."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return
        except OSError as error:
            raise ValueError(error.strerror) from error
        import tomllib  # few have such a file

        file = msgspec.convert(tomllib.loads(text), _File)
        if not file.include_local:
            self._names.discard(LOCAL)
        for service in file.environments:
            _check(service)
            if service.id in self._services:
                raise ValueError(f"two environments have the id `{service.id}`")
            self._services[service.id] = service
            self._names.add(service.id)
        default = file.default or (LOCAL if file.include_local else NONE)
        if default != NONE and default not in self._names:
            raise ValueError(f"the default `{default}` is none of the environments")
        self._default = default


def _check(service: Service) -> None:
    if not _ID.fullmatch(service.id):
        raise ValueError(
            f"the id `{service.id}` must consist of 1 to 64 letters, digits, `-` and `_`"
        )
    if service.id in (LOCAL, NONE):
        raise ValueError(f"the id `{service.id}` is reserved")
    if (service.url is None) == (service.program is None):
        raise ValueError(f"the environment `{service.id}` needs either a `url` or a `program`")
    if service.url is not None and not service.url.startswith(("ws://", "wss://")):
        raise ValueError(f"the url of `{service.id}` must begin with ws:// or wss://")


class Unusable:
    """Runs nothing, and says why."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def spawn(self, request: SpawnRequest) -> RunningProcess:
        self._refuse()

    async def confiner(self) -> Confiner:
        return "caller"  # `spawn` says why not

    async def files(self) -> NoReturn:
        raise EnvironmentLost(self._reason)

    async def prewarm(self) -> None:
        pass

    async def close(self) -> None:
        pass

    def _refuse(self) -> NoReturn:
        raise CommandNotStarted(self._reason)
