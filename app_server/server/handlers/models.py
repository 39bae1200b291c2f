"""The models one can choose from."""

from __future__ import annotations

from app_server.protocol.errors import InvalidRequest
from app_server.protocol.model import MODEL_LIST, ModelListParams, ModelListResponse
from app_server.server.context import RequestContext
from app_server.server.registry import handles


@handles(MODEL_LIST)
async def list_models(ctx: RequestContext, params: ModelListParams) -> ModelListResponse:
    """A page of the catalogue; cursors are the number of models already seen."""
    from app_server.model.catalog import models

    shown = [model for model in models() if params.include_hidden or not model.hidden]
    first = _position(params.cursor, len(shown))
    last = len(shown) if params.limit is None else first + max(1, params.limit)
    return ModelListResponse(
        data=shown[first:last], next_cursor=str(last) if last < len(shown) else None
    )


def _position(cursor: str | None, total: int) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit()):
        raise InvalidRequest(f"invalid cursor: {cursor:.100}")
    if len(cursor) > 18 or int(cursor) > total:
        raise InvalidRequest(f"cursor {cursor:.100} exceeds total models {total}")
    return int(cursor)
