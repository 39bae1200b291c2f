"""What a command could touch after a yes, in one plain line.

Says the most that may happen, never less: whether a command leaves the sandbox is decided by the
server once it runs.
"""

from app_server.protocol.permissions import (
    AdditionalFileSystemPermissions,
    AdditionalNetworkPermissions,
    AdditionalPermissionProfile,
    AskForApproval,
    DangerFullAccessSandboxPolicy,
    ExternalSandboxSandboxPolicy,
    FileSystemPath,
    FileSystemSpecialPath,
    GlobPatternFileSystemPath,
    MinimalFileSystemSpecialPath,
    PathFileSystemPath,
    ProjectRootsFileSystemSpecialPath,
    ReadOnlySandboxPolicy,
    RootFileSystemSpecialPath,
    SandboxPolicy,
    SlashTmpFileSystemSpecialPath,
    TmpdirFileSystemSpecialPath,
    UnknownFileSystemSpecialPath,
    WorkspaceWriteSandboxPolicy,
)

EVERYTHING = "any of your files, and the network"


def reach(
    sandbox: SandboxPolicy | None,
    policy: AskForApproval,
    more: AdditionalPermissionProfile | None,
) -> str:
    """What a yes allows at most; empty while the sandbox is not known."""
    match sandbox:
        case None:
            return ""
        case DangerFullAccessSandboxPolicy():
            return f"no sandbox: {EVERYTHING}"
        case ExternalSandboxSandboxPolicy():
            return "only the sandbox around Codex confines it"
    inside = confined_to(sandbox)
    if more is not None:
        besides = [*wishes(more.file_system, more.network)]
        return f"in the sandbox, where it {inside}; besides: {', '.join(besides) or 'nothing'}"
    if policy == "on-request":
        return f"may leave the sandbox: {EVERYTHING}"
    return f"first in the sandbox, where it {inside}; if that fails, {EVERYTHING}"


def confined_to(sandbox: SandboxPolicy) -> str:
    """What a command may do inside the sandbox; completes "it …"."""
    match sandbox:
        case WorkspaceWriteSandboxPolicy():
            places = ["this folder", *sandbox.writable_roots]
            if not sandbox.exclude_slash_tmp:
                places.append("/tmp")
            network = "reaches the network" if sandbox.network_access else "has no network"
            return f"writes in {', '.join(places)} and {network}"
        case ReadOnlySandboxPolicy(network_access=True):
            return "writes nothing but reaches the network"
        case _:
            return "writes nothing and has no network"


def wishes(
    files: AdditionalFileSystemPermissions | None, network: AdditionalNetworkPermissions | None
) -> list[str]:
    """Room that is asked for, one thing a line."""
    wanted = []
    if network is not None and network.enabled:
        wanted.append("reach the network")
    if files is not None:
        wanted += [f"read {path}" for path in files.read or ()]
        wanted += [f"write {path}" for path in files.write or ()]
        access = {"read": "read", "write": "write", "none": "keep away from"}
        wanted += [f"{access[one.access]} {_place(one.path)}" for one in files.entries or ()]
    return wanted


def _place(path: FileSystemPath) -> str:
    match path:
        case PathFileSystemPath(path=text) | GlobPatternFileSystemPath(pattern=text):
            return text
        case _:
            return _special_place(path.value)


def _special_place(place: FileSystemSpecialPath) -> str:
    match place:
        case RootFileSystemSpecialPath():
            return "all files of this machine"
        case MinimalFileSystemSpecialPath():
            return "what programs need to start"
        case ProjectRootsFileSystemSpecialPath(subpath=below):
            return f"{below} in this folder" if below else "this folder"
        case TmpdirFileSystemSpecialPath():
            return "the temporary folder"
        case SlashTmpFileSystemSpecialPath():
            return "/tmp"
        case UnknownFileSystemSpecialPath(path=path, subpath=below):
            return f"{path}/{below}" if below else path
