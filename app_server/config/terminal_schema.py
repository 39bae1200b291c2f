"""The keys of what the user sees and hears: the terminal, its key map, remembered notices."""

from __future__ import annotations

from app_server.config.kinds import (
    FLAG,
    SIGNED,
    SIZE,
    TEXT,
    TEXT_MAP,
    TEXTS,
    UNSIGNED,
    Either,
    MapOf,
    OneOf,
    Section,
)

_KEYS = Either((TEXT, TEXTS), "data did not match any variant of untagged enum KeybindingsSpec")
_CONTEXTS = ("global", "chat", "composer", "editor", "pager", "list", "approval")

KEYMAP = Section(
    "TuiKeymap",
    {context: MapOf(_KEYS) for context in _CONTEXTS},
    is_closed=True,
    defaults={context: {} for context in _CONTEXTS},
)
"""Keys by context and action. Which actions there are is the interface's own business."""

TUI = Section(
    "Tui",
    {
        "notifications": Either(
            (FLAG, TEXTS), "data did not match any variant of untagged enum Notifications"
        ),
        "notification_method": OneOf(("auto", "osc9", "bel")),
        "notification_condition": OneOf(("unfocused", "always")),
        "animations": FLAG,
        "show_tooltips": FLAG,
        "alternate_screen": OneOf(("auto", "always", "never")),
        "status_line": TEXTS,
        "terminal_title": TEXTS,
        "theme": TEXT,
        "keymap": KEYMAP,
        "model_availability_nux": MapOf(UNSIGNED, "struct ModelAvailabilityNuxConfig"),
        "terminal_resize_reflow_max_rows": SIZE,
    },
    defaults={
        "notifications": True,
        "notification_method": "auto",
        "notification_condition": "unfocused",
        "animations": True,
        "show_tooltips": True,
        "alternate_screen": "auto",
        "keymap": {},
        "model_availability_nux": {},
    },
)

NOTICE = Section(
    "Notice",
    {
        "hide_full_access_warning": FLAG,
        "hide_world_writable_warning": FLAG,
        "fast_default_opt_out": FLAG,
        "hide_rate_limit_model_nudge": FLAG,
        "hide_gpt5_1_migration_prompt": FLAG,
        "hide_gpt-5.1-codex-max_migration_prompt": FLAG,
        "model_migrations": TEXT_MAP,
        "external_config_migration_prompts": Section(
            "ExternalConfigMigrationPrompts",
            {
                "home": FLAG,
                "home_last_prompted_at": SIGNED,
                "projects": MapOf(FLAG),
                "project_last_prompted_at": MapOf(SIGNED),
            },
            defaults={"projects": {}, "project_last_prompted_at": {}},
        ),
    },
    defaults={"model_migrations": {}, "external_config_migration_prompts": {}},
)
"""What the user has acknowledged and is not to be shown again."""

HISTORY = Section(
    "History",
    {"persistence": OneOf(("save-all", "none")), "max_bytes": SIZE},
)
