"""What clients of release 0.169 ask about the machine itself, as `exec-server` says it."""

from __future__ import annotations

from app_server.exec_server.protocol import Body


class EnvironmentInfoParams(Body, frozen=True, kw_only=True):
    """What release 0.169 asks about the machine; there is nothing to say with it."""


class EnvironmentConfigReadParams(Body, frozen=True, kw_only=True):
    """Which keys of the machine's settings release 0.169 wants to see, each from the top."""

    cwd: str
    config_paths: list[list[str]]
    requirements_paths: list[list[str]]
