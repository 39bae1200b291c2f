"""What may be done without asking, and what is asked for: sandboxes, approvals, permissions."""

from typing import Literal, TypeAlias

from app_server.protocol.shared import AbsolutePathBuf, Unsigned
from app_server.protocol.wire import SnakeWire, Wire, always_null

ApprovalsReviewer: TypeAlias = Literal["user", "auto_review", "guardian_subagent"]

SandboxMode: TypeAlias = Literal["read-only", "workspace-write", "danger-full-access"]

NetworkAccess: TypeAlias = Literal["restricted", "enabled"]


class DangerFullAccessSandboxPolicy(Wire, tag="dangerFullAccess"): ...


class ReadOnlySandboxPolicy(Wire, tag="readOnly"):
    network_access: bool = False


class ExternalSandboxSandboxPolicy(Wire, tag="externalSandbox"):
    """The server already runs inside somebody else's sandbox."""

    network_access: NetworkAccess = "restricted"


class WorkspaceWriteSandboxPolicy(Wire, tag="workspaceWrite"):
    writable_roots: list[AbsolutePathBuf] = []
    network_access: bool = False
    exclude_tmpdir_env_var: bool = False
    exclude_slash_tmp: bool = False


SandboxPolicy: TypeAlias = (
    DangerFullAccessSandboxPolicy
    | ReadOnlySandboxPolicy
    | ExternalSandboxSandboxPolicy
    | WorkspaceWriteSandboxPolicy
)
"""What commands may write and reach."""

FileSystemAccessMode: TypeAlias = Literal["read", "write", "none"]


class RootFileSystemSpecialPath(Wire, tag_field="kind", tag="root"): ...


class MinimalFileSystemSpecialPath(Wire, tag_field="kind", tag="minimal"): ...


class ProjectRootsFileSystemSpecialPath(Wire, tag_field="kind", tag="project_roots"):
    subpath: str | None = None


class TmpdirFileSystemSpecialPath(Wire, tag_field="kind", tag="tmpdir"): ...


class SlashTmpFileSystemSpecialPath(Wire, tag_field="kind", tag="slash_tmp"): ...


class UnknownFileSystemSpecialPath(Wire, tag_field="kind", tag="unknown"):
    path: str
    subpath: str | None = None


FileSystemSpecialPath: TypeAlias = (
    RootFileSystemSpecialPath
    | MinimalFileSystemSpecialPath
    | ProjectRootsFileSystemSpecialPath
    | TmpdirFileSystemSpecialPath
    | SlashTmpFileSystemSpecialPath
    | UnknownFileSystemSpecialPath
)


class PathFileSystemPath(Wire, tag="path"):
    path: AbsolutePathBuf


class GlobPatternFileSystemPath(Wire, tag="glob_pattern"):
    pattern: str


class SpecialFileSystemPath(Wire, tag="special"):
    value: FileSystemSpecialPath


FileSystemPath: TypeAlias = PathFileSystemPath | GlobPatternFileSystemPath | SpecialFileSystemPath


class FileSystemSandboxEntry(Wire):
    path: FileSystemPath
    access: FileSystemAccessMode


class PermissionProfileNetworkPermissions(Wire):
    enabled: bool


class RestrictedPermissionProfileFileSystemPermissions(Wire, tag="restricted", omit_defaults=True):
    entries: list[FileSystemSandboxEntry]
    glob_scan_max_depth: Unsigned | None = None


class UnrestrictedPermissionProfileFileSystemPermissions(Wire, tag="unrestricted"): ...


PermissionProfileFileSystemPermissions: TypeAlias = (
    RestrictedPermissionProfileFileSystemPermissions
    | UnrestrictedPermissionProfileFileSystemPermissions
)


class ManagedPermissionProfile(Wire, tag="managed"):
    network: PermissionProfileNetworkPermissions
    file_system: PermissionProfileFileSystemPermissions


class DisabledPermissionProfile(Wire, tag="disabled"): ...


class ExternalPermissionProfile(Wire, tag="external"):
    network: PermissionProfileNetworkPermissions


PermissionProfile: TypeAlias = (
    ManagedPermissionProfile | DisabledPermissionProfile | ExternalPermissionProfile
)
"""What commands may read, write and reach, in full detail."""


class AdditionalWritableRootPermissionProfileModificationParams(Wire, tag="additionalWritableRoot"):
    path: AbsolutePathBuf


PermissionProfileModificationParams: TypeAlias = (
    AdditionalWritableRootPermissionProfileModificationParams
)


class ProfilePermissionProfileSelectionParams(Wire, tag="profile"):
    id: str
    modifications: list[PermissionProfileModificationParams] | None = None


PermissionProfileSelectionParams: TypeAlias = ProfilePermissionProfileSelectionParams


class AdditionalWritableRootActivePermissionProfileModification(Wire, tag="additionalWritableRoot"):
    path: AbsolutePathBuf


ActivePermissionProfileModification: TypeAlias = (
    AdditionalWritableRootActivePermissionProfileModification
)


class ActivePermissionProfile(Wire):
    """The named profile in force, and what was added to it."""

    id: str
    extends: str | None = None
    modifications: list[ActivePermissionProfileModification] = []


class AdditionalFileSystemPermissions(Wire, omit_defaults=True):
    read: list[AbsolutePathBuf] | None = always_null()
    write: list[AbsolutePathBuf] | None = always_null()
    entries: list[FileSystemSandboxEntry] | None = None
    glob_scan_max_depth: Unsigned | None = None


class AdditionalNetworkPermissions(Wire):
    enabled: bool | None = None


class AdditionalPermissionProfile(Wire):
    file_system: AdditionalFileSystemPermissions | None = None
    network: AdditionalNetworkPermissions | None = None


class RequestPermissionProfile(Wire):
    file_system: AdditionalFileSystemPermissions | None = None
    network: AdditionalNetworkPermissions | None = None


class GrantedPermissionProfile(Wire, omit_defaults=True):
    file_system: AdditionalFileSystemPermissions | None = None
    network: AdditionalNetworkPermissions | None = None


PermissionGrantScope: TypeAlias = Literal["turn", "session"]

NetworkApprovalProtocol: TypeAlias = Literal["http", "https", "socks5Tcp", "socks5Udp"]


class NetworkApprovalContext(Wire):
    host: str
    protocol: NetworkApprovalProtocol


NetworkPolicyRuleAction: TypeAlias = Literal["allow", "deny"]


class NetworkPolicyAmendment(Wire):
    host: str
    action: NetworkPolicyRuleAction


class GranularApprovals(SnakeWire):
    """Which kinds of approval questions reach the user; the others are refused at once."""

    mcp_elicitations: bool
    rules: bool
    sandbox_approval: bool
    request_permissions: bool = False
    skill_approval: bool = False


class GranularAskForApproval(Wire):
    granular: GranularApprovals


AskForApproval: TypeAlias = (
    Literal["untrusted", "on-failure", "on-request", "never"] | GranularAskForApproval
)
"""When the user is asked before something runs."""
