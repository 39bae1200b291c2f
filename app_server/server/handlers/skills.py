"""Skills: which there are for a folder, and switching them on and off."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from app_server.protocol.errors import InvalidParams, InvalidRequest
from app_server.protocol.skills import (
    SKILLS_CHANGED,
    SKILLS_CONFIG_WRITE,
    SKILLS_LIST,
    SkillsChangedNotification,
    SkillsConfigWriteParams,
    SkillsConfigWriteResponse,
    SkillsListEntry,
    SkillsListParams,
    SkillsListResponse,
)
from app_server.server.context import RequestContext
from app_server.server.registry import handles
from app_server.server.services import Services


@handles(SKILLS_LIST)
async def list_skills(ctx: RequestContext, params: SkillsListParams) -> SkillsListResponse:
    """Each folder's skills, found anew: a scan costs less than telling whether one is needed."""
    services = ctx.services
    extra_roots: dict[str, list[Path]] = {}
    for extra in params.per_cwd_extra_user_roots or []:
        for root in extra.extra_user_roots:
            if not os.path.isabs(root):
                raise InvalidRequest(
                    "skills/list perCwdExtraUserRoots extraUserRoots paths must be absolute: "
                    f"{root}"
                )
        extra_roots.setdefault(extra.cwd, []).extend(map(Path, extra.extra_user_roots))
    cwds = params.cwds or [str(services.cwd)]
    entries = await asyncio.to_thread(
        lambda: [_entry(services, cwd, extra_roots.get(cwd, ())) for cwd in cwds]
    )
    return SkillsListResponse(data=entries)


@handles(SKILLS_CONFIG_WRITE)
async def switch_skill(
    ctx: RequestContext, params: SkillsConfigWriteParams
) -> SkillsConfigWriteResponse:
    """Writes the user's settings; every client hears that lists it has are out of date."""
    if (params.path is None) == (params.name is None or not params.name.strip()):
        raise InvalidParams("skills/config/write requires exactly one of path or name")
    await asyncio.to_thread(_switch, ctx.services.codex_home, params)
    ctx.after_reply(lambda: ctx.server.broadcast(SKILLS_CHANGED, SkillsChangedNotification()))
    return SkillsConfigWriteResponse(effective_enabled=params.enabled)


def _entry(services: Services, cwd: str, extra_roots: Iterable[Path]) -> SkillsListEntry:
    from app_server.skills.find import find_skills, skill_roots
    from app_server.skills.switches import read_switches

    folder = services.cwd / cwd
    config = services.load_config(folder, {}).config
    roots = skill_roots(config.codex_home, folder, config.project_root, [*extra_roots])
    found = find_skills(roots, read_switches(config.skills))
    return SkillsListEntry(cwd=cwd, skills=found.skills, errors=found.errors)


def _switch(codex_home: Path, params: SkillsConfigWriteParams) -> None:
    from app_server.config.edit import Edit, edit_file  # brings tomlkit, 20 ms
    from app_server.skills.switches import switched

    def switch(table: Mapping[str, Any]) -> list[Edit]:
        skills = table.get("skills")
        config = switched(
            skills if isinstance(skills, dict) else {},
            path=params.path,
            name=params.name,
            enabled=params.enabled,
        )
        return [Edit(("skills", "config"), config or None)]

    edit_file(codex_home / "config.toml", switch)
