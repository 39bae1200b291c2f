"""Building the items a reader sees from the model's own ones."""

from __future__ import annotations

from app_server.agent.history import message_text
from app_server.protocol.item import (
    AgentMessageThreadItem,
    FindInPageWebSearchAction,
    ImageGenerationThreadItem,
    OpenPageWebSearchAction,
    OtherWebSearchAction,
    ReasoningThreadItem,
    SearchWebSearchAction,
    ThreadItem,
    WebSearchAction,
    WebSearchThreadItem,
)
from app_server.protocol.response_item import (
    FindInPageResponsesApiWebSearchAction,
    ImageGenerationCallResponseItem,
    MessageResponseItem,
    OpenPageResponsesApiWebSearchAction,
    ReasoningResponseItem,
    ResponseItem,
    ResponsesApiWebSearchAction,
    SearchResponsesApiWebSearchAction,
    WebSearchCallResponseItem,
)


def begun(item: ResponseItem, item_id: str) -> ThreadItem | None:
    """How an item looks when it has just begun; None for items a reader does not see."""
    match item:
        case MessageResponseItem(role="assistant"):
            return AgentMessageThreadItem(id=item_id, text="", phase=item.phase)
        case ReasoningResponseItem():
            return ReasoningThreadItem(id=item_id)
        case _:
            return whole(item, item_id)


def whole(item: ResponseItem, item_id: str) -> ThreadItem | None:
    """The item in its final form; None for items a reader does not see."""
    match item:
        case MessageResponseItem(role="assistant"):
            return AgentMessageThreadItem(id=item_id, text=message_text(item), phase=item.phase)
        case ReasoningResponseItem():
            return ReasoningThreadItem(
                id=item_id,
                summary=[part.text for part in item.summary],
                content=[part.text for part in item.content or []],
            )
        case WebSearchCallResponseItem():
            return web_search(item, item_id)
        case ImageGenerationCallResponseItem():
            return ImageGenerationThreadItem(
                id=item_id,
                status=item.status,
                result=item.result,
                revised_prompt=item.revised_prompt,
            )
        case _:
            return None


def web_search(item: WebSearchCallResponseItem, item_id: str) -> WebSearchThreadItem:
    return WebSearchThreadItem(
        id=item_id, query=_searched_for(item.action), action=_wire_action(item.action)
    )


def _searched_for(action: ResponsesApiWebSearchAction | None) -> str:
    match action:
        case SearchResponsesApiWebSearchAction(query=str() as query):
            return query
        case SearchResponsesApiWebSearchAction(queries=[first, *rest]):
            return f"{first} ..." if rest else first
        case OpenPageResponsesApiWebSearchAction(url=str() as url):
            return url
        case FindInPageResponsesApiWebSearchAction():
            both = action.pattern and action.url
            words = f"'{action.pattern}' in {action.url}" if both else None
            return words or action.pattern or action.url or ""
        case _:
            return ""


def _wire_action(action: ResponsesApiWebSearchAction | None) -> WebSearchAction | None:
    match action:
        case None:
            return None
        case SearchResponsesApiWebSearchAction():
            return SearchWebSearchAction(query=action.query, queries=action.queries)
        case OpenPageResponsesApiWebSearchAction():
            return OpenPageWebSearchAction(url=action.url)
        case FindInPageResponsesApiWebSearchAction():
            return FindInPageWebSearchAction(url=action.url, pattern=action.pattern)
        case _:
            return OtherWebSearchAction()
