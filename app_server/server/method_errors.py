"""What each method refuses, in the words its callers read; `…` stands for what varies.

For docs/protocol.md. Refusals that every method shares are not repeated: see `SHARED`.
"""

SHARED: tuple[tuple[int, str, str], ...] = (
    (-32600, "Not initialized", "any request before `initialize`"),
    (-32600, "Already initialized", "a second `initialize`"),
    (-32600, "Invalid request: …", "an unknown method, or params that do not fit; names the field"),
    (-32600, "… requires experimentalApi capability", "an experimental method, field or variant"),
    (-32600, "invalid thread id: …", "a thread id that is no UUID"),
    (-32600, "thread not found: …", "the method needs a loaded thread"),
    (-32600, "`…` is not implemented yet in this release", "see the status column"),
    (-32600, "`…` is not offered by this server", "see the status column"),
    (-32001, "Server overloaded; retry later.", "too much waits; `data` says `server_overloaded`"),
    (-32603, "`…` failed inside the server; its log says why", "a defect of ours"),
)

ERRORS: dict[str, tuple[str, ...]] = {
    "initialize": ("Invalid clientInfo.name: '…'. Must be a valid HTTP header value.",),
    "thread/start": (
        "`permissions` cannot be combined with `sandbox`",
        "failed to load configuration: …",
    ),
    "thread/resume": (
        "no … found for thread id …",
        "cannot resume thread … with history while it is already running",
        "cannot resume running thread … with mismatched path: …",
    ),
    "thread/fork": ("did not include persisted history",),
    "thread/archive": ("no … found for thread id …",),
    "thread/unarchive": ("no … found for thread id …",),
    "thread/name/set": (
        "thread name must not be empty",
        "ephemeral thread does not support names: …",
    ),
    "thread/metadata/update": (
        "gitInfo must include at least one field",
        "ephemeral thread does not support metadata updates: …",
    ),
    "thread/compact/start": ("Cannot compact while a turn is in progress.",),
    "thread/shellCommand": ("command must not be empty",),
    "thread/rollback": (
        "numTurns must be >= 1",
        "Cannot rollback while a turn is in progress.",
        "thread rollback requires persisted thread history",
    ),
    "thread/list": ("invalid cursor: …",),
    "thread/loaded/list": ("invalid cursor: …",),
    "thread/read": (
        "thread not loaded: …",
        "ephemeral threads do not support includeTurns",
        "is not materialized yet; …",
    ),
    "thread/turns/list": ("invalid cursor: anchor turn is no longer present",),
    "thread/inject_items": ("items must not be empty", "is not a valid response item: …"),
    "thread/decrement_elicitation": ("out-of-band elicitation count is already zero",),
    "turn/start": (
        "Input exceeds the maximum length of … characters.",
        "collaborationMode `plan` is not implemented yet in this release; …",
    ),
    "turn/steer": ("no active turn to …", "expected active turn id … but found …"),
    "turn/interrupt": ("no active turn to …", "expected active turn id … but found …"),
    "skills/list": ("skills/list perCwdExtraUserRoots extraUserRoots paths must be absolute: …",),
    "skills/config/write": ("skills/config/write requires exactly one of path or name",),
    "fs/readFile": ("fs/readFile only reads regular files",),
    "fs/writeFile": ("fs/writeFile requires valid base64 dataBase64: …",),
    "fs/copy": (
        "fs/copy requires recursive: true when sourcePath is a directory",
        "fs/copy cannot copy a directory to itself or one of its descendants",
        "fs/copy only supports regular files, directories, and symlinks",
    ),
    "fs/watch": ("watchId already exists: …",),
    "model/list": ("invalid cursor: …", "cursor … exceeds total … …"),
    "mcpServerStatus/list": ("invalid cursor: …",),
    "mcpServer/oauth/login": (
        "No MCP server named '…' found.",
        "OAuth login is only supported for streamable HTTP servers.",
    ),
    "mcpServer/resource/read": ("unknown MCP server '…'",),
    "mcpServer/tool/call": ("unknown MCP server '…'",),
    "marketplace/remove": ("is not configured or installed",),
    "marketplace/upgrade": ("is not configured or installed",),
    "account/login/start": ("failed to start login server: …", "failed to request device code: …"),
    "account/login/cancel": ("invalid login id: …",),
    "account/rateLimits/read": ("failed to fetch codex rate limits: …",),
    "feedback/upload": (
        "sending feedback is disabled by configuration",
        "classification must not be empty",
    ),
    "command/exec": (
        "command must not be empty",
        "command/exec tty or streaming requires a client-supplied processId",
        "command/exec cannot set both timeoutMs and disableTimeout",
        "command/exec cannot set both outputBytesCap and disableOutputCap",
        "command/exec timeoutMs must be non-negative, got …",
        "command/exec size requires tty: true",
        "failed to spawn command: …",
    ),
    "command/exec/write": (
        "command/exec/write requires deltaBase64 or closeStdin",
        "invalid deltaBase64: …",
        "stdin streaming is not enabled for this command/exec",
        "stdin is already closed",
    ),
    "config/value/write": (
        "keyPath must not be empty",
        "Only writes to the user config are allowed",
    ),
    "config/batchWrite": ("Configuration was modified since last read.",),
    "getConversationSummary": ("no rollout found for conversation id …",),
    "gitDiffToRemote": ("failed to compute git diff to remote for cwd: …",),
    "fuzzyFileSearch/sessionStart": ("sessionId must not be empty",),
    "fuzzyFileSearch/sessionUpdate": ("fuzzy file search session not found: …",),
}
