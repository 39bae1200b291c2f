"""`codex execpolicy check`: what files of rules say of a command, as JSON.

The command is taken word by word as given; a script handed to a shell is not looked into.
"""

import argparse
import json
import sys
from pathlib import Path

from app_server.cli.options import Options


def run(options: Options) -> int:
    """Print the answer; returns 1 when a file cannot be used, 2 for a mistake in the call."""
    parser = argparse.ArgumentParser(
        prog="codex execpolicy check",
        description="Say which rules of some files match a command, and what they decide.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("-r", "--rules", action="append", required=True, metavar="FILE", help="repeatable")
    add("--pretty", action="store_true", help="on several lines")
    add(
        "--resolve-host-executables",
        action="store_true",
        help="let rules for a bare name match absolute paths, as host_executable() allows",
    )
    for ignored in ("-c", "--enable", "--disable"):
        add(ignored, action="append", help=argparse.SUPPRESS)
    add("command", nargs=argparse.REMAINDER, metavar="COMMAND")
    words = list(options.arguments)
    if words[:1] != ["check"]:
        parser.print_usage(sys.stderr)
        return 0 if words[:1] in (["-h"], ["--help"]) else 2
    given = parser.parse_args(words[1:])
    command = given.command[1:] if given.command[:1] == ["--"] else given.command
    if not command:
        parser.error("the following arguments are required: COMMAND")
    return _check(given.rules, command, given.resolve_host_executables, given.pretty)


def _check(files: list[str], command: list[str], resolves: bool, pretty: bool) -> int:
    import msgspec

    from app_server.execpolicy.errors import RulesError
    from app_server.execpolicy.match import judge
    from app_server.execpolicy.parse import parse_rules
    from app_server.execpolicy.rules import RuleSet

    rules = RuleSet()
    for file in files:
        try:
            rules = rules.joined(parse_rules(Path(file).read_text("utf-8"), file))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            return _failed(f"failed to read policy at {file}", reason)
        except RulesError as error:
            return _failed(f"failed to parse policy at {file}", str(error))
    verdict = judge(rules, [command], resolve_host_executables=resolves)
    answer: dict[str, object] = {
        "matchedRules": [
            {"prefixRuleMatch": msgspec.to_builtins(match)} for match in verdict.matches
        ]
    }
    if verdict.decision is not None:
        answer["decision"] = verdict.decision
    layout = {"indent": 2} if pretty else {"separators": (",", ":")}
    print(json.dumps(answer, ensure_ascii=False, **layout))
    return 0


def _failed(what: str, cause: str) -> int:
    print(f"Error: {what}\n\nCaused by:\n    {cause}", file=sys.stderr)
    return 1
