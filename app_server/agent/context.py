"""What the model is told about its surroundings, and when it must be told again.

The first turn, and the first after a compaction, gets everything; later ones only what differs
from the settings the model was last told. Builds items; records nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_server.agent.history import text_message
from app_server.agent.settings import TurnSettings
from app_server.prompts.environment import WorkEnvironment
from app_server.prompts.fragments import marked
from app_server.prompts.permissions import permissions_block
from app_server.protocol.response_item import ResponseItem

if TYPE_CHECKING:
    from app_server.agent.session import Session

MODEL_SWITCH = (
    "Until now another model has worked on this conversation. Go on from here by these "
    "instructions:"
)


class ToldContext:
    """What the model was last told about its surroundings."""

    def __init__(self, model: str, permissions: str, environment: WorkEnvironment) -> None:
        self.model = model
        self.permissions = permissions
        self.environment = environment


def context_now(session: Session, settings: TurnSettings) -> ToldContext:
    """What there is to tell about the surroundings of a turn with these settings."""
    return ToldContext(
        settings.model,
        permissions_block(
            settings.sandbox_policy,
            settings.approval_policy,
            session.writable_roots(settings),
        ),
        session.work_environment(settings),
    )


def whole_context(session: Session, settings: TurnSettings, now: ToldContext) -> list[ResponseItem]:
    """Everything, for a model that knows nothing yet."""
    config = session.config
    developer = [now.permissions] if config.include_permissions_instructions else []
    if settings.developer_instructions:
        developer.append(settings.developer_instructions)
    docs = session.project_docs.block(str(settings.cwd))
    user = [docs] if docs else []
    if config.include_environment_context:
        user.append(now.environment.block())
    return _messages(developer, user)


def context_updates(
    session: Session, settings: TurnSettings, now: ToldContext
) -> list[ResponseItem]:
    """What to tell before this turn; nothing when nothing changed."""
    before = session.told
    if before is None:
        return whole_context(session, settings, now)
    developer: list[str] = []
    if now.model != before.model:
        body = f"{MODEL_SWITCH}\n\n{settings.base_instructions}"
        developer.append(marked("model_switch", body))
    config = session.config
    if now.permissions != before.permissions and config.include_permissions_instructions:
        developer.append(now.permissions)
    is_elsewhere = now.environment != before.environment and config.include_environment_context
    return _messages(developer, [now.environment.block()] if is_elsewhere else [])


def _messages(developer: list[str], user: list[str]) -> list[ResponseItem]:
    """A message each, where there is something to say."""
    roles = (("developer", developer), ("user", user))
    return [text_message(role, *texts) for role, texts in roles if texts]
