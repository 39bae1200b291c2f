"""The command line as data: one parser, one frozen value.

Standard library only, and the light part of it, since this runs before the first paint. Knows no
command's inside: `main` maps the command's name to its module.
"""

import argparse
import os
from typing import Any, NamedTuple

NOT_YET = {
    "apply": "applying a cloud task's diff",
    "cloud": "cloud tasks",
    "completion": "shell completion",
    "exec": "one task without an interface",
    "fork": "forking a stored thread",
    "mcp": "managing MCP servers",
    "mcp-server": "Codex as an MCP server",
    "plugin": "plugins",
    "review": "code review",
}
"""Commands of Codex that this release does not have; named so that none is taken for a prompt."""


class Options(NamedTuple):
    """What the user asked for on the command line. Paths are strings as given, `cwd` absolute."""

    command: str = "interactive"
    prompt: str | None = None
    images: tuple[str, ...] = ()
    overrides: tuple[tuple[str, Any], ...] = ()
    """Settings from -c and friends, dotted key and TOML value, in the order given."""
    profile: str | None = None
    cwd: str = "."
    named_folder: bool = False
    """Whether the folder was chosen with --cd."""
    alternate_screen: bool | None = None
    """Full screen or inline; None: as the settings say."""
    demo: bool = False
    remote: str | None = None
    """The address of the server to use instead of one of our own."""
    remote_token_variable: str | None = None
    """The environment variable that holds what opens it."""
    listen: tuple[str, ...] = ("stdio://",)
    """Each --listen URL, in the order given; the process service takes one."""
    resume_id: str | None = None
    resume_last: bool = False
    resume_any_folder: bool = False
    action: str | None = None
    """The word after the command: `login status`, `app-server generate-json-schema`."""
    socket: str | None = None
    """The socket file that `app-server proxy` connects to; None for the usual one."""
    out: str | None = None
    experimental: bool = False
    strict_config: bool = False
    """Whether a key nobody knows in a settings file ends the program."""
    feature: str | None = None
    """What `features enable` and `disable` are about."""
    api_key_from_stdin: bool = False
    api_key_in_the_open: bool = False
    """The key stood on the command line itself, which is refused."""
    by_browser: bool = False
    """Sign in through a browser even where none can open."""
    device_auth: bool = False
    """Sign in with a code typed on another device."""
    issuer: str | None = None
    """Where to sign in, other than at OpenAI; for tests."""
    as_json: bool = False
    """`doctor`: tell it to a program."""
    arguments: tuple[str, ...] = ()
    """All words after a command that reads them itself."""
    ws_auth: tuple[tuple[str, Any], ...] = ()
    """The `--ws-…` flags that were given: field of `rpc.ws_auth.WsAuthFlags` and value."""


def parse(argv: list[str]) -> Options:
    """Read `argv` (without the program's name); a mistake ends the program with status 2."""
    for position, word in enumerate(argv):
        if word in NOT_YET and not _is_a_value(argv, position):
            _parser().error(f"`codex {word}` ({NOT_YET[word]}) is not part of this release yet")
        if word in _READ_THEMSELVES and not _is_a_value(argv, position):
            before = parse(argv[:position])
            return before._replace(command=word, arguments=tuple(argv[position + 1 :]))
        if not word.startswith("-") and not _is_a_value(argv, position):
            break
    argv = _command_first(argv)
    parser = _parser(argv[0] if argv and argv[0] in (*_COMMANDS, "interactive") else None)
    given = parser.parse_args(argv)
    cwd = os.path.abspath(given.cd or ".")
    if given.remote:
        _check_remote(parser, given)
    elif not os.path.isdir(cwd):
        parser.error(f"--cd {given.cd}: there is no such folder")
    images = tuple(name for names in given.image for name in names.split(",") if name)
    return Options(
        command=given.command,
        prompt=getattr(given, "prompt", None),
        images=images,
        overrides=_overrides(parser, given),
        profile=given.profile,
        cwd=cwd,
        named_folder=bool(given.cd),
        alternate_screen=given.alt_screen,
        demo=given.demo,
        remote=given.remote,
        remote_token_variable=given.remote_auth_token_env,
        listen=tuple(getattr(given, "listen", ())) or ("stdio://",),
        resume_id=getattr(given, "thread", None),
        resume_last=getattr(given, "last", False),
        resume_any_folder=getattr(given, "all", False),
        action=getattr(given, "action", None),
        socket=getattr(given, "sock", None),
        out=getattr(given, "out", None),
        experimental=getattr(given, "experimental", False),
        as_json=getattr(given, "as_json", False),
        strict_config=given.strict_config,
        feature=getattr(given, "feature", None),
        api_key_from_stdin=getattr(given, "with_api_key", False),
        api_key_in_the_open=getattr(given, "api_key", None) is not None,
        by_browser=getattr(given, "browser", False),
        device_auth=getattr(given, "device_auth", False),
        issuer=getattr(given, "experimental_issuer", None),
        ws_auth=_ws_auth(given),
    )


_TAKES_A_VALUE = {
    "-c", "--config", "-m", "--model", "-p", "--profile", "-s", "--sandbox", "-a",
    "--ask-for-approval", "-C", "--cd", "-i", "--image", "--enable", "--disable", "--listen",
    "--add-dir", "--local-provider", "--out", "-o", "--sock", "--ws-auth", "--ws-token-file",
    "--experimental_issuer", "--api-key", "--remote", "--remote-auth-token-env",
    "--ws-token-sha256", "--ws-shared-secret-file", "--ws-issuer", "--ws-audience",
    "--ws-max-clock-skew-seconds",
}  # fmt: skip
_USAGE = "codex [OPTIONS] [PROMPT]\n       codex [OPTIONS] COMMAND [ARGS]"
_READ_THEMSELVES = ("execpolicy", "sandbox")
"""Commands whose words end in a command of the user's, with options of its own."""
_COMMANDS = (
    "app-server",
    "debug",
    "doctor",
    "exec-server",
    "features",
    "resume",
    "login",
    "logout",
)


def _is_a_value(argv: list[str], position: int) -> bool:
    return position > 0 and argv[position - 1] in _TAKES_A_VALUE


def _command_first(argv: list[str]) -> list[str]:
    """Name the command explicitly, so that `codex fix it` and `codex -m x resume` both parse."""
    for position, word in enumerate(argv):
        if word == "--":
            break
        if word == "--headless":
            rest = argv[:position] + argv[position + 1 :]
            return ["app-server", *(other for other in rest if other != "app-server")]
        if not word.startswith("-") and not _is_a_value(argv, position):
            if word in _COMMANDS:
                rest = argv[:position] + argv[position + 1 :]
                if word == "app-server":
                    rest = [other for other in rest if other != "--headless"]
                return [word, *rest]
            break
    if "--headless" in argv:
        return ["app-server", *(word for word in argv if word != "--headless")]
    if {"-h", "--help"} & set(argv):
        return argv
    return ["interactive", *argv]


class _NoParser:
    """Stands in for the parser of a command that was not given."""

    def add_argument(self, *_names: str, **_config: Any) -> None:
        """Nobody asks for it."""


def _formatter(prog: str) -> argparse.HelpFormatter:
    """With the width given: argparse would import shutil and its archives to find it, 3 ms."""
    try:
        width = os.get_terminal_size(1).columns
    except (OSError, ValueError):
        width = 80
    return argparse.HelpFormatter(prog, width=max(40, width - 2))


def _parser(only: str | None = None) -> argparse.ArgumentParser:
    """The parser of all commands, or of one alone: the others would cost half of the start."""
    shared = argparse.ArgumentParser(add_help=False, formatter_class=_formatter)
    add = shared.add_argument
    add(
        "-c",
        "--config",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="set one setting; the value is TOML, or plain text where it is not",
    )
    add("--strict-config", action="store_true",
        help="refuse settings files with keys nobody knows")  # fmt: skip
    add("--enable", action="append", default=[], metavar="FEATURE", help="switch a feature on")
    add("--disable", action="append", default=[], metavar="FEATURE", help="switch a feature off")
    add("-m", "--model", help="the model to talk to")
    add("-p", "--profile", help="a [profiles.NAME] table of config.toml")
    add(
        "-s",
        "--sandbox",
        choices=("read-only", "workspace-write", "danger-full-access"),
        help="what commands may touch",
    )
    add(
        "-a",
        "--ask-for-approval",
        choices=("untrusted", "on-failure", "on-request", "never"),
        help="when to ask before running a command",
    )
    add(
        "--full-auto",
        action="store_true",
        help="work in the folder without asking (-s workspace-write -a on-request)",
    )
    add(
        "--dangerously-bypass-approvals-and-sandbox",
        "--yolo",
        dest="yolo",
        action="store_true",
        help="no sandbox and no questions; only where something else confines Codex",
    )
    add("--oss", action="store_true", help="use a model served on this machine")
    add("--local-provider", choices=("ollama", "lmstudio"), help="which one, with --oss")
    add("-C", "--cd", metavar="FOLDER", help="the folder to work in")
    add(
        "--add-dir",
        action="append",
        default=[],
        metavar="FOLDER",
        help="one more folder that may be written",
    )
    add("-i", "--image", action="append", default=[], metavar="FILE", help="attach a picture")
    add("--search", action="store_true", help="let the model search the live web")
    add("--alt-screen", action="store_true", default=None, help="full screen instead of inline")
    add("--no-alt-screen", dest="alt_screen", action="store_false", help=argparse.SUPPRESS)
    add("--demo", action="store_true", help="try it offline: a scripted demo, no model behind it")
    add("--remote", metavar="ADDRESS",
        help="use a server elsewhere: ws://HOST:PORT, wss://… or unix://[PATH]")  # fmt: skip
    add("--remote-auth-token-env", metavar="VARIABLE",
        help="the environment variable with the bearer token it asks for")  # fmt: skip

    parser = argparse.ArgumentParser(
        prog="codex",
        parents=[shared],
        formatter_class=_formatter,
        description="A coding agent in your terminal. Without a command: a session, "
        "beginning with PROMPT where one is given.",
        usage=_USAGE,
    )
    parser.add_argument("-V", "--version", action="store_true", help="print the version and exit")
    parser.add_argument("--headless", action="store_true",
                        help="the server alone, the same as `codex app-server`")  # fmt: skip
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", prog="codex")

    def command(
        name: str, help_text: str | None = None, usage: str | None = None
    ) -> argparse.ArgumentParser | _NoParser:
        if only not in (None, name):
            return _NoParser()
        words: dict[str, Any] = {} if help_text is None else {"help": help_text}
        return commands.add_parser(
            name, parents=[shared], usage=usage, formatter_class=_formatter, **words
        )

    session = command("interactive", usage=_USAGE)
    session.add_argument("prompt", nargs="?", metavar="PROMPT")
    resume = command("resume", "go on with an earlier thread")
    resume.add_argument("thread", nargs="?", metavar="ID", help="a thread's id or name")
    resume.add_argument("prompt", nargs="?", metavar="PROMPT")
    resume.add_argument("--last", action="store_true", help="the most recent one of this folder")
    resume.add_argument("--all", action="store_true", help="of any folder")
    server = command("app-server", "the server alone, for editors, SDKs and other terminals")
    server.add_argument("--listen", action="append", default=[], metavar="URL",
                        help="stdio:// (default), ws://IP:PORT, unix://[PATH] or off; "
                        "may be given several times")  # fmt: skip
    server.add_argument(
        "action", nargs="?", choices=("generate-json-schema", "generate-ts", "proxy")
    )
    server.add_argument("--out", "-o", metavar="FOLDER")
    server.add_argument("--experimental", action="store_true")
    server.add_argument("--sock", metavar="PATH",
                        help="the socket `proxy` copies stdin and stdout to and from")  # fmt: skip
    server.add_argument("--analytics-default-enabled", action="store_true", help=argparse.SUPPRESS)
    _add_ws_auth(server)
    process = command("exec-server", "the process service alone, for remote environments")
    process.add_argument("--listen", action="append", default=[], metavar="URL",
                         help="stdio:// (default) or ws://IP:PORT")  # fmt: skip
    _add_ws_auth(process)
    login = command("login", "sign in")
    login.add_argument("action", nargs="?", choices=("status",))
    login.add_argument("--with-api-key", action="store_true", help="read the key from stdin")
    login.add_argument("--api-key", nargs="?", const="", help=argparse.SUPPRESS)
    login.add_argument("--browser", action="store_true",
                       help="sign in through a browser, also one on another machine")  # fmt: skip
    login.add_argument("--device-auth", action="store_true",
                       help="sign in with a code typed on another device")  # fmt: skip
    login.add_argument("--experimental_issuer", metavar="URL", help=argparse.SUPPRESS)
    command("logout", "remove the stored sign-in")
    doctor = command("doctor", "look at this machine and say what is wrong and what would help")
    doctor.add_argument("--json", dest="as_json", action="store_true", help="for programs")
    features = command("features", "list features, switch one on or off for good")
    features.add_argument("action", choices=("list", "enable", "disable"))
    features.add_argument("feature", nargs="?", metavar="NAME")
    debug = command("debug", "helpers: config-schema prints the JSON Schema of config.toml")
    debug.add_argument("action", choices=("config-schema",))
    command("execpolicy", "say what files of rules decide about a command")
    command("sandbox", "run one command as the agent's are run: codex sandbox linux -- COMMAND")
    return parser


_WS_AUTH = {
    "--ws-auth": ("ws_mode", "who may connect: capability-token or signed-bearer-token"),
    "--ws-token-file": ("ws_token_file", "the shared token"),
    "--ws-token-sha256": ("ws_token_sha256", "or its SHA-256, in hexadecimal"),
    "--ws-shared-secret-file": ("ws_shared_secret_file", "the key that signs bearer tokens"),
    "--ws-issuer": ("ws_issuer", "the issuer a signed token must name"),
    "--ws-audience": ("ws_audience", "the audience a signed token must name"),
    "--ws-max-clock-skew-seconds": ("ws_max_clock_skew_seconds", "default 30"),
}


def _add_ws_auth(server: argparse.ArgumentParser | _NoParser) -> None:
    for flag, (name, told) in _WS_AUTH.items():
        kind = int if name.endswith("_seconds") else str
        choices = ("capability-token", "signed-bearer-token") if name == "ws_mode" else None
        server.add_argument(flag, dest=name, type=kind, choices=choices, help=told)


def _check_remote(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    """Only sessions go elsewhere, and folders are then those of the other machine."""
    if given.command not in ("interactive", "resume"):
        parser.error(
            f"`--remote {given.remote}` is only supported for interactive TUI commands, not "
            f"`codex {given.command}`"
        )
    if given.demo:
        parser.error("--demo has a server of its own; leave out --remote")
    if given.cd and not os.path.isabs(given.cd):
        parser.error(f"--cd {given.cd}: with --remote it is a whole path of the other machine")


def _ws_auth(given: argparse.Namespace) -> tuple[tuple[str, Any], ...]:
    names = [name for name, _ in _WS_AUTH.values()]
    pairs = ((name.removeprefix("ws_"), getattr(given, name, None)) for name in names)
    return tuple(pair for pair in pairs if pair[1] is not None)


def _overrides(
    parser: argparse.ArgumentParser, given: argparse.Namespace
) -> tuple[tuple[str, Any], ...]:
    pairs: list[tuple[str, Any]] = []
    if given.config or given.enable or given.disable:
        from app_server.config.overrides import OverrideError, feature_override, parse_override

        try:
            pairs += [parse_override(setting) for setting in given.config]
            pairs += [feature_override(name, True) for name in given.enable]
            pairs += [feature_override(name, False) for name in given.disable]
        except OverrideError as error:
            parser.error(str(error))
    if given.oss or given.local_provider:
        pairs.append(("model_provider", given.local_provider or "oss"))
    if given.model:
        pairs.append(("model", given.model))
    if given.full_auto:
        pairs += [("sandbox_mode", "workspace-write"), ("approval_policy", "on-request")]
    if given.sandbox:
        pairs.append(("sandbox_mode", given.sandbox))
    if given.ask_for_approval:
        pairs.append(("approval_policy", given.ask_for_approval))
    if given.yolo:
        pairs += [("sandbox_mode", "danger-full-access"), ("approval_policy", "never")]
    if given.add_dir:
        folders = [os.path.abspath(folder) for folder in given.add_dir]
        pairs.append(("sandbox_workspace_write.writable_roots", folders))
    if given.search:
        pairs.append(("web_search", "live"))
    return tuple(pairs)
