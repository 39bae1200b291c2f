"""The keys of what may be done without asking: approvals, sandboxes, permission profiles."""

from __future__ import annotations

from app_server.config.kinds import (
    FLAG,
    SIZE,
    TEXT,
    TEXTS,
    Either,
    MapOf,
    NameOrTable,
    OneOf,
    Section,
)

SANDBOX_MODE = OneOf(("read-only", "workspace-write", "danger-full-access"))
REVIEWER = OneOf(("user", "auto_review", "guardian_subagent"))
APPROVAL_POLICY = NameOrTable(
    OneOf(("untrusted", "on-failure", "on-request", "granular", "never")),
    {
        "granular": Section(
            "GranularApprovalConfig",
            {
                "sandbox_approval": FLAG,
                "rules": FLAG,
                "mcp_elicitations": FLAG,
                "request_permissions": FLAG,
                "skill_approval": FLAG,
            },
            required=("sandbox_approval", "rules", "mcp_elicitations"),
        )
    },
)

SANDBOX_WORKSPACE_WRITE = Section(
    "SandboxWorkspaceWrite",
    {
        "writable_roots": TEXTS,
        "network_access": FLAG,
        "exclude_tmpdir_env_var": FLAG,
        "exclude_slash_tmp": FLAG,
    },
    defaults={
        "writable_roots": [],
        "network_access": False,
        "exclude_tmpdir_env_var": False,
        "exclude_slash_tmp": False,
    },
)

_ACCESS = OneOf(("read", "write", "none"))

NETWORK = Section(
    "NetworkToml",
    {
        "enabled": FLAG,
        "mode": OneOf(("limited", "full")),
        "domains": MapOf(OneOf(("allow", "deny")), "struct NetworkDomainPermissionsToml"),
        "unix_sockets": MapOf(OneOf(("allow", "none")), "struct NetworkUnixSocketPermissionsToml"),
        "allow_local_binding": FLAG,
        "allow_upstream_proxy": FLAG,
        "proxy_url": TEXT,
        "enable_socks5": FLAG,
        "socks_url": TEXT,
        "enable_socks5_udp": FLAG,
        "dangerously_allow_non_loopback_proxy": FLAG,
        "dangerously_allow_all_unix_sockets": FLAG,
    },
)

PERMISSION_PROFILES = MapOf(
    Section(
        "PermissionProfileToml",
        {
            "filesystem": Section(
                "FilesystemPermissionsToml",
                {"glob_scan_max_depth": SIZE},
                rest=Either(
                    (_ACCESS, MapOf(_ACCESS)),
                    "data did not match any variant of untagged enum FilesystemPermissionToml",
                ),
            ),
            "network": NETWORK,
        },
    )
)
