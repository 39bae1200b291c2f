"""What clients of release 0.169 ask about the machine before they run something on it."""

from __future__ import annotations

import os
import tempfile

from app_server.exec.shell import user_shell
from app_server.exec_server.locations import uri
from app_server.exec_server.protocol import Body
from app_server.version import COMPATIBLE_WITH


class ShellInfo(Body, frozen=True, kw_only=True):
    name: str
    path: str


class EnvironmentInfo(Body, frozen=True, kw_only=True):
    shell: ShellInfo
    executor_version: str
    cwd: str
    user_home_dir: str
    platform_os: str
    prepend_path_dirs: list[str]
    temporary_directories: list[str]
    temp_dir: str
    capabilities: dict[str, bool]
    """What is not named is not there."""


def environment_info() -> EnvironmentInfo:
    shell = user_shell()
    return EnvironmentInfo(
        shell=ShellInfo(name=shell.name, path=shell.path),
        executor_version=COMPATIBLE_WITH,
        cwd=uri(os.getcwd()),
        user_home_dir=uri(os.path.expanduser("~")),
        platform_os="linux",
        prepend_path_dirs=[],
        temporary_directories=[],
        temp_dir=uri(tempfile.gettempdir()),
        capabilities={"fsWatchMissing": True, "environmentConfigRead": True},
    )
