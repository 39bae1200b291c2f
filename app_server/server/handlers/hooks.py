"""Which hooks are configured for a folder."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from app_server.protocol.config import (
    LegacyManagedConfigTomlFromFileConfigLayerSource,
    ProjectConfigLayerSource,
    SessionFlagsConfigLayerSource,
    SystemConfigLayerSource,
    UserConfigLayerSource,
)
from app_server.protocol.hooks import HOOKS_LIST, HooksListEntry, HooksListParams, HooksListResponse
from app_server.server.context import RequestContext
from app_server.server.registry import handles
from app_server.server.services import Services

if TYPE_CHECKING:
    from app_server.config.layers import Layer
    from app_server.hooks.find import HookLayer

FLAGS_FILE = Path("/<session-flags>/config.toml")
"""Stands for the command line where a hook must say which file it comes from."""


@handles(HOOKS_LIST)
async def list_hooks(ctx: RequestContext, params: HooksListParams) -> HooksListResponse:
    services = ctx.services
    cwds = params.cwds or [str(services.cwd)]
    entries = await asyncio.to_thread(lambda: [_entry(services, cwd) for cwd in cwds])
    return HooksListResponse(data=entries)


def _entry(services: Services, cwd: str) -> HooksListEntry:
    from app_server.hooks.find import find_hooks

    loaded = services.load_config(services.cwd / cwd, {})
    if not loaded.config.enabled("codex_hooks"):
        return HooksListEntry(cwd=cwd, hooks=[], warnings=[], errors=[])
    layers = [_layer(layer) for layer in loaded.layers if layer.disabled_reason is None]
    found = find_hooks([layer for layer in layers if layer is not None])
    return HooksListEntry(cwd=cwd, hooks=found.hooks, warnings=found.warnings, errors=[])


def _layer(layer: Layer) -> HookLayer | None:
    """What a layer of settings means for hooks."""
    from app_server.hooks.find import HookLayer

    table = layer.table.get("hooks", {})
    match layer.source:
        case SystemConfigLayerSource(file=file):
            return HookLayer(source="system", file=Path(file), folder=layer.folder, table=table)
        case UserConfigLayerSource(file=file):
            return HookLayer(source="user", file=Path(file), folder=layer.folder, table=table)
        case ProjectConfigLayerSource(dot_codex_folder=folder):
            return HookLayer(
                source="project",
                file=Path(folder) / "config.toml",
                folder=Path(folder),
                table=table,
            )
        case SessionFlagsConfigLayerSource():
            return HookLayer(source="sessionFlags", file=FLAGS_FILE, table=table)
        case LegacyManagedConfigTomlFromFileConfigLayerSource(file=file):
            # Its folder is the system's: hooks.json there has been read for the system already.
            return HookLayer(
                source="legacyManagedConfigFile", file=Path(file), table=table, is_managed=True
            )
    return None
