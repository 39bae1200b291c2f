"""Skills: list, switch."""

from typing import Literal, TypeAlias

from app_server.protocol.method import ClientMethod, ServerNotification, in_queue
from app_server.protocol.shared import AbsolutePathBuf, AbsolutePathParam, PathParam
from app_server.protocol.wire import Wire

SkillScope: TypeAlias = Literal["user", "repo", "system", "admin"]


class SkillInterface(Wire):
    brand_color: str | None = None
    default_prompt: str | None = None
    display_name: str | None = None
    icon_large: AbsolutePathBuf | None = None
    icon_small: AbsolutePathBuf | None = None
    short_description: str | None = None


class SkillToolDependency(Wire, omit_defaults=True):
    type: str
    value: str
    description: str | None = None
    transport: str | None = None
    command: str | None = None
    url: str | None = None


class SkillDependencies(Wire):
    tools: list[SkillToolDependency]


class SkillMetadata(Wire, omit_defaults=True):
    name: str
    path: AbsolutePathBuf
    scope: SkillScope
    enabled: bool
    description: str
    short_description: str | None = None
    interface: SkillInterface | None = None
    dependencies: SkillDependencies | None = None


class SkillErrorInfo(Wire):
    message: str
    path: str


class SkillsListEntry(Wire):
    cwd: str
    errors: list[SkillErrorInfo]
    skills: list[SkillMetadata]


class SkillsListExtraRootsForCwd(Wire):
    cwd: str
    extra_user_roots: list[str]


class SkillsListParams(Wire):
    """List skills, for each directory given or for the server's own."""

    cwds: list[PathParam] = []
    force_reload: bool = False
    per_cwd_extra_user_roots: list[SkillsListExtraRootsForCwd] | None = None


class SkillsListResponse(Wire):
    data: list[SkillsListEntry]


class SkillsConfigWriteParams(Wire):
    """Switch a skill on or off, by path or by name: exactly one of the two."""

    enabled: bool
    name: str | None = None
    path: AbsolutePathParam | None = None


class SkillsConfigWriteResponse(Wire):
    effective_enabled: bool


class SkillsChangedNotification(Wire): ...


SKILLS_LIST = ClientMethod(
    "skills/list", SkillsListParams, SkillsListResponse, queue=in_queue("config"), shared=True
)
SKILLS_CONFIG_WRITE = ClientMethod(
    "skills/config/write",
    SkillsConfigWriteParams,
    SkillsConfigWriteResponse,
    queue=in_queue("config"),
)
SKILLS_CHANGED = ServerNotification("skills/changed", SkillsChangedNotification)
