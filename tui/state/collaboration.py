"""The collaboration mode a turn is started in, when the user has switched it."""

from app_server.protocol.collaboration import CollaborationMode
from app_server.protocol.collaboration import Settings as ModeSettings
from tui.state.model import PendingSettings, Settings


def collaboration_mode(settings: Settings, pending: PendingSettings) -> CollaborationMode | None:
    """None leaves the thread's mode as it is."""
    if pending.plan_mode is None:
        return None
    return CollaborationMode(
        mode="plan" if pending.plan_mode else "default",
        settings=ModeSettings(
            model=pending.model or settings.model,
            reasoning_effort=pending.effort or settings.effort,
        ),
    )
