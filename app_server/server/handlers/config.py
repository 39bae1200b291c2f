"""Reading and writing the configuration."""

from __future__ import annotations

import asyncio

from app_server.protocol.config import (
    CONFIG_BATCH_WRITE,
    CONFIG_READ,
    CONFIG_VALUE_WRITE,
    ConfigBatchWriteParams,
    ConfigEdit,
    ConfigReadParams,
    ConfigReadResponse,
    ConfigValueWriteParams,
    ConfigWriteResponse,
)
from app_server.server.context import RequestContext
from app_server.server.registry import handles


@handles(CONFIG_READ)
async def read(ctx: RequestContext, params: ConfigReadParams) -> ConfigReadResponse:
    from app_server.config.read import read_config

    services = ctx.services
    cwd = None if params.cwd is None else services.cwd / params.cwd

    def answer() -> ConfigReadResponse:
        return read_config(
            services.codex_home,
            cwd,
            services.options.cli_overrides,
            include_layers=params.include_layers,
            forgiving=services.options.forgives_config,
            demands=services.cloud_demands.known(),
            enablement=services.enablement,
        )

    return await asyncio.to_thread(answer)


@handles(CONFIG_VALUE_WRITE)
async def write_value(ctx: RequestContext, params: ConfigValueWriteParams) -> ConfigWriteResponse:
    edit = ConfigEdit(
        key_path=params.key_path, value=params.value, merge_strategy=params.merge_strategy
    )
    return await _write(ctx, [edit], params.file_path, params.expected_version)


@handles(CONFIG_BATCH_WRITE)
async def write_batch(ctx: RequestContext, params: ConfigBatchWriteParams) -> ConfigWriteResponse:
    answer = await _write(ctx, params.edits, params.file_path, params.expected_version)
    if params.reload_user_config:
        await ctx.threads.use_changed_settings()
    return answer


async def _write(
    ctx: RequestContext,
    edits: list[ConfigEdit],
    file_path: str | None,
    expected_version: str | None,
) -> ConfigWriteResponse:
    from app_server.config.write import write_config  # brings tomlkit, 20 ms

    services = ctx.services

    def answer() -> ConfigWriteResponse:
        return write_config(
            services.codex_home,
            edits,
            file_path=file_path,
            expected_version=expected_version,
            cli_overrides=services.options.cli_overrides,
            demands=services.cloud_demands.known(),
        )

    return await asyncio.to_thread(answer)
