"""What each key of config.toml means, for the page about it and for its JSON Schema.

A dotted key → its default as a person writes it ("" where there is none) and one sentence. `*`
stands for a name of the user's. Keys below an entry of `AS_A_WHOLE` need no entry of their own.
"""

from __future__ import annotations

_NOT_USED = "Accepted; nothing uses it here."

MEANINGS: dict[str, tuple[str, str]] = {
    "model": ("the first listed model", "The model's slug; unknown ones are allowed."),
    "review_model": ("as `model`", "The model for reviews."),
    "model_provider": ("`openai`", "Who serves the model: a built-in id or one of your own."),
    "model_providers": ("", "Providers of your own, by id."),
    "model_providers.*.name": ("", "Shown to you. `OpenAI` switches on its compaction."),
    "model_providers.*.base_url": ("OpenAI's address", "Where requests go, without the path."),
    "model_providers.*.env_key": ("", "The variable that holds the key."),
    "model_providers.*.env_key_instructions": ("", "Told when that variable is not set."),
    "model_providers.*.experimental_bearer_token": ("", "The key itself; better use `env_key`."),
    "model_providers.*.auth": ("", "A program that prints the token."),
    "model_providers.*.auth.command": ("", "The program; its trimmed stdout is the token."),
    "model_providers.*.auth.args": ("`[]`", "Its arguments."),
    "model_providers.*.auth.timeout_ms": ("`5000`", "How long it may take."),
    "model_providers.*.auth.refresh_interval_ms": ("`300000`", "When it is asked again."),
    "model_providers.*.auth.cwd": ("the file's folder", "Where it runs."),
    "model_providers.*.aws": ("", "For `amazon-bedrock` only: how to sign in to AWS."),
    "model_providers.*.aws.profile": ("", "The AWS profile."),
    "model_providers.*.aws.region": ("", "The AWS region."),
    "model_providers.*.wire_api": ("`responses`", "The protocol; there is one."),
    "model_providers.*.query_params": ("", "Added to each address."),
    "model_providers.*.http_headers": ("", "Sent with each request."),
    "model_providers.*.env_http_headers": ("", "Headers whose values stand in variables."),
    "model_providers.*.request_max_retries": ("`4`", "At most 100."),
    "model_providers.*.stream_max_retries": ("`5`", "At most 100."),
    "model_providers.*.stream_idle_timeout_ms": ("`300000`", "Silence after which it is cut."),
    "model_providers.*.websocket_connect_timeout_ms": ("`15000`", "For the websocket variant."),
    "model_providers.*.requires_openai_auth": ("`false`", "Whether your OpenAI sign-in is sent."),
    "model_providers.*.supports_websockets": (
        "`false`",
        "Whether it speaks that variant.",
    ),
    "openai_base_url": ("", "Replaces the built-in provider's address."),
    "chatgpt_base_url": ("`https://chatgpt.com/backend-api/`", "For account and cloud calls."),
    "oss_provider": ("", "`ollama` or `lmstudio`, for `--oss`."),
    "model_reasoning_effort": ("the model's", "How long the model thinks."),
    "plan_mode_reasoning_effort": ("`medium`", "The same, in plan mode."),
    "model_reasoning_summary": ("the model's", "How reasoning is summed up."),
    "model_verbosity": ("the model's", "How long answers are, where the model can vary it."),
    "model_supports_reasoning_summaries": ("", "Send the reasoning block to unknown models, too."),
    "model_context_window": ("the model's", "Tokens."),
    "model_auto_compact_token_limit": ("90 % of the window", "Compact earlier than that."),
    "model_catalog_json": ("", "A file that replaces the list of models."),
    "service_tier": ("", "Which queue requests take."),
    "personality": ("`pragmatic`", "The tone."),
    "tool_output_token_limit": ("the model's", "How much of a tool's output is kept."),
    "instructions": ("", "Accepted; does not replace the base instructions."),
    "model_instructions_file": ("", "A file that replaces the base instructions."),
    "experimental_instructions_file": ("", "The old name of `model_instructions_file`."),
    "developer_instructions": ("", "A further developer message."),
    "compact_prompt": ("built in", "What the model is asked when a history is compacted."),
    "experimental_compact_prompt_file": ("", "The same, in a file."),
    "commit_attribution": ("", _NOT_USED),
    "include_permissions_instructions": ("`true`", "Tell the model what it may do."),
    "include_apps_instructions": ("`true`", "Tell it about apps."),
    "include_collaboration_mode_instructions": ("`true`", "Tell it the mode."),
    "include_environment_context": ("`true`", "Tell it folder, shell and date."),
    "project_doc_max_bytes": ("`32768`", "How much of AGENTS.md is read."),
    "project_doc_fallback_filenames": ("`[]`", "Read where there is no AGENTS.md."),
    "project_root_markers": ('`[".git"]`', "What marks the top of a project."),
    "profile": ("", "The profile in force; `-p` wins over it."),
    "profiles": ("", "Named sets of settings that lie over the top level; keys marked *p*."),
    "approval_policy": ("by trust", "When you are asked before something runs."),
    "approval_policy.granular.sandbox_approval": ("", "Questions about leaving the sandbox."),
    "approval_policy.granular.rules": ("", "Questions asked by rules."),
    "approval_policy.granular.mcp_elicitations": ("", "Questions of MCP servers."),
    "approval_policy.granular.request_permissions": ("`false`", "Requests for more permissions."),
    "approval_policy.granular.skill_approval": ("`false`", "Questions about skills."),
    "approvals_reviewer": ("`user`", "Who answers."),
    "auto_review.policy": ("", "What the reviewing model is told besides."),
    "sandbox_mode": ("by trust", "What commands may touch."),
    "sandbox_workspace_write.writable_roots": ("`[]`", "Further folders that may be written."),
    "sandbox_workspace_write.network_access": ("`false`", "Whether commands reach the network."),
    "sandbox_workspace_write.exclude_tmpdir_env_var": ("`false`", "`$TMPDIR` is not writable."),
    "sandbox_workspace_write.exclude_slash_tmp": ("`false`", "`/tmp` is not writable."),
    "default_permissions": ("", "A permission profile instead of `sandbox_mode`."),
    "permissions": ("", "Permission profiles of your own."),
    "codex_linux_sandbox_exe": (
        "",
        "A program that confines commands instead of Codex itself, called as codex-linux-sandbox.",
    ),
    "permissions.*.filesystem": (
        "",
        "Path → `read`, `write` or `none`. A path is absolute, `~/…`, or one of `:root`, "
        "`:minimal`, `:project_roots`, `:tmpdir`, `:slash_tmp`; a table holds folders below it.",
    ),
    "permissions.*.filesystem.glob_scan_max_depth": ("", "How deep patterns are looked for."),
    "permissions.*.network": ("", "`enabled`, `domains` and what the proxy may do."),
    "allow_login_shell": ("`true`", "Whether a command may ask for a login shell."),
    "shell_environment_policy.inherit": ("`all`", "Which variables commands start from."),
    "shell_environment_policy.ignore_default_excludes": (
        "`true`",
        "`false` drops names with KEY, SECRET or TOKEN in them.",
    ),
    "shell_environment_policy.exclude": ("`[]`", "Patterns (`*`, `?`) of names to drop."),
    "shell_environment_policy.set": ("`{}`", "Variables to add."),
    "shell_environment_policy.include_only": ("`[]`", "Patterns of the only names to keep."),
    "shell_environment_policy.experimental_use_profile": ("`false`", "Read the shell's profile."),
    "background_terminal_max_timeout": ("`300000`", "Milliseconds an empty poll may wait."),
    "projects.*.trust_level": ("", "What you decided about a folder."),
    "mcp_servers": ("", "MCP servers, by name: `command` or `url`, and what belongs to it."),
    "mcp_oauth_credentials_store": ("`auto`", "Where tokens of MCP servers are kept."),
    "mcp_oauth_callback_port": ("any", "The port that waits for a sign-in to come back."),
    "mcp_oauth_callback_url": ("", "The address a sign-in comes back to."),
    "apps": ("", "Connected apps: `_default` and one table for each id."),
    "plugin_backend_bridges": ("", "Bridges for trusted local plugins, by id; see above."),
    "plugin_backend_bridges.*.local_path_prefix": ("", "What a plugin asks for begins so."),
    "plugin_backend_bridges.*.backend_path_prefix": ("", "The part of the backend it leads to."),
    "plugins": ("", "Plugins, by `name@marketplace`: `enabled`, and their MCP servers."),
    "marketplaces": ("", "Where plugins come from."),
    "hooks": ("", "What runs at an event: `PreToolUse`, `Stop`, …"),
    "skills.bundled.enabled": ("`true`", "Whether the skills that come along count."),
    "skills.include_instructions": ("`true`", "Tell the model about skills."),
    "skills.config": ("`[]`", "`path` or `name`, and `enabled`."),
    "tool_suggest": ("", "Tools that may be suggested, and those that may not."),
    "agents.max_threads": ("`6`", "How many agents may work at once."),
    "agents.max_depth": ("`1`", "How deep agents may start agents."),
    "agents.job_max_runtime_seconds": ("", "How long one may work."),
    "agents.interrupt_message": ("`true`", "Tell an agent that it was interrupted."),
    "agents.*": ("", "A role: `description`, `config_file`, `nickname_candidates`."),
    "memories": ("", "What is carried between threads (experimental)."),
    "web_search": ("`cached`", "`live` where nothing is confined."),
    "tools.web_search": ("", "`context_size`, `allowed_domains`, `location`."),
    "tools.view_image": ("`true`", "Let the model look at pictures."),
    "tools_view_image": ("", "The old name of `tools.view_image`."),
    "features": ("", "Switches; the table below lists them."),
    "suppress_unstable_features_warning": ("`false`", "No word about unfinished features."),
    "experimental_use_unified_exec_tool": ("", "The old name of `features.unified_exec`."),
    "experimental_use_freeform_apply_patch": (
        "",
        "The old name of `features.apply_patch_freeform`.",
    ),
    "include_apply_patch_tool": ("", "The old name of `features.apply_patch_freeform`."),
    "history.persistence": ("`save-all`", "Whether what you type is remembered."),
    "history.max_bytes": ("", "Where that file is trimmed."),
    "sqlite_home": ("`$CODEX_SQLITE_HOME`, else the home", "The folder of indexes."),
    "log_dir": ("`log` in the home", "The folder of logs."),
    "cli_auth_credentials_store": ("`file`", "Where your sign-in is kept."),
    "forced_login_method": ("", "The only way to sign in; other sign-ins are removed."),
    "forced_chatgpt_workspace_id": ("", "The only workspace to sign in to."),
    "notify": ("`[]`", "A program told, in JSON, that a turn is over."),
    "file_opener": ("`vscode`", "What opens links to files."),
    "hide_agent_reasoning": ("`false`", "Do not show reasoning."),
    "show_raw_agent_reasoning": ("`false`", "Show it unshortened."),
    "check_for_update_on_startup": ("`true`", _NOT_USED),
    "disable_paste_burst": ("`false`", "Fast typing is never taken for a paste."),
    "analytics.enabled": ("`true`", "Whether use is reported; see also the server's flag."),
    "feedback.enabled": ("`true`", "Whether feedback can be sent."),
    "otel.environment": ("`dev`", "A label on what is sent."),
    "otel.exporter": ("`none`", "Where log events go: `otlp-http` or `otlp-grpc`."),
    "otel.trace_exporter": ("`none`", "Where traces go."),
    "otel.metrics_exporter": ("`none`", "Where figures go."),
    "otel.log_user_prompt": ("`false`", "Whether events hold what you typed."),
    "tui.notifications": ("`true`", "`true`, `false`, or the kinds you want."),
    "tui.notification_method": ("`auto`", "How the terminal is told."),
    "tui.notification_condition": ("`unfocused`", "When."),
    "tui.animations": ("`true`", "Whether anything moves."),
    "tui.show_tooltips": ("`true`", "Hints under the composer."),
    "tui.alternate_screen": ("`auto`", "Full screen or inline."),
    "tui.status_line": ("", "What stands in it, in order."),
    "tui.terminal_title": ("", "The same for the window's title."),
    "tui.theme": ("", "Colours of code."),
    "tui.keymap": ("", "Keys: a table for each context, action → key or keys; `?` lists them."),
    "tui.model_availability_nux": ("", "How often news of a model was shown."),
    "tui.terminal_resize_reflow_max_rows": ("", "How much is laid out anew."),
    "notice": ("", "What you acknowledged; written by Codex."),
    "windows": ("", "Windows only."),
    "windows_wsl_setup_acknowledged": ("", "Windows only."),
    "zsh_path": ("", _NOT_USED),
    "js_repl_node_path": ("", _NOT_USED),
    "js_repl_node_module_dirs": ("", _NOT_USED),
    "audio": ("", _NOT_USED),
    "realtime": ("", _NOT_USED),
    "ghost_snapshot": ("", _NOT_USED),
    "experimental_thread_store": ("", _NOT_USED),
    "experimental_thread_store_endpoint": ("", _NOT_USED),
    "experimental_thread_config_endpoint": ("", _NOT_USED),
    "experimental_realtime_start_instructions": ("", _NOT_USED),
    "experimental_realtime_ws_base_url": ("", _NOT_USED),
    "experimental_realtime_ws_model": ("", _NOT_USED),
    "experimental_realtime_ws_backend_prompt": ("", _NOT_USED),
    "experimental_realtime_ws_startup_context": ("", _NOT_USED),
}

_AS_A_WHOLE = (
    "permissions.*.network mcp_servers apps plugins marketplaces hooks tool_suggest memories "
    "skills.config agents.* tools.web_search features otel.exporter otel.trace_exporter "
    "otel.metrics_exporter tui.keymap notice windows audio ghost_snapshot profiles"
)
AS_A_WHOLE = frozenset(_AS_A_WHOLE.split())
"""Tables told in one line: their inner keys are many, or other pages tell them."""

_UNUSED_YET = (
    "review_model oss_provider plan_mode_reasoning_effort model_catalog_json "
    "include_permissions_instructions include_apps_instructions "
    "include_collaboration_mode_instructions include_environment_context auto_review.policy "
    "mcp_servers mcp_oauth_credentials_store mcp_oauth_callback_port mcp_oauth_callback_url apps "
    "plugins marketplaces hooks skills.bundled.enabled skills.include_instructions skills.config "
    "tool_suggest agents.max_threads agents.max_depth agents.job_max_runtime_seconds "
    "agents.interrupt_message agents.* memories sqlite_home log_dir file_opener "
    "hide_agent_reasoning show_raw_agent_reasoning disable_paste_burst analytics.enabled "
    "feedback.enabled otel.environment otel.exporter otel.trace_exporter otel.metrics_exporter "
    "otel.log_user_prompt tui.notification_condition tui.animations tui.show_tooltips "
    "tui.alternate_screen tui.status_line tui.terminal_title tui.theme tui.model_availability_nux "
    "tui.terminal_resize_reflow_max_rows notice"
)
UNUSED_YET = frozenset(_UNUSED_YET.split())
"""Keys that are checked and shown, and change nothing in this release."""
