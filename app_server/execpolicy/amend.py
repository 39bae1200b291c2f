"""Which rule would let a command run unasked from now on, and writing it down.

Rules stand in `CODEX_HOME/rules/default.rules`, one `prefix_rule(…)` per line.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from app_server.execpolicy.known_safe import is_safe_command
from app_server.execpolicy.match import matching
from app_server.execpolicy.rules import NetworkRule, RuleSet
from app_server.execpolicy.shell_split import commands_of, word_set

# Programs are listed without the version at their end: `python` stands for `python3.12`, too.
_SHELLS_AND_PYTHON = word_set("ash bash csh dash fish ksh sh tcsh zsh python pypy")
_NARROWED_BY_THEIR_FIRST_WORD = _SHELLS_AND_PYTHON | word_set(
    "awk gawk mawk nawk bunx git lua luajit node nodejs npx perl php ruby sed uvx"
)
_START_WHAT_FOLLOWS = word_set(
    "busybox builtin command env exec nice nohup setsid stdbuf sudo doas time timeout toybox xargs"
)
_RUN_OR_WRITE_ANYTHING = word_set(
    "at batch bmake bun bwrap chroot crontab dd deno docker ed emacs eval ex expect fd find flock "
    "gdb gmake kubectl less make man nano nc ncat nerdctl ninja nsenter nvim osascript parallel "
    "pkexec podman powershell pwsh rlwrap rsh rsync runuser scp screen script sftp socat source "
    "sqlite ssh strace su systemd-run tar tclsh tee tmux unshare vi vim watch zip"
)
_OF_THE_SHELL_ITSELF = word_set(
    ": . alias break builtin cd continue declare exit export local popd pushd read readonly return "
    "set shift shopt source trap type typeset ulimit umask unalias unset wait"
)
_FIX_WHAT_RUNS = word_set("-c -lc -ec -ic -m")
"""Options of shells and Python after whose value no other program text can be named."""


def propose(
    argv: Sequence[str],
    suggested_prefix: Sequence[str] | None = None,
    rules: RuleSet | None = None,
) -> list[str] | None:
    """The prefix to offer to the user with a question about `argv`, None if there is none.

    `suggested_prefix` is the model's own idea (`prefix_rule`); it counts if it covers the whole
    command, no rule speaks of any of it yet, and it is not so wide that it would allow anything.
    Otherwise the first part that is not known to be harmless is offered as it stands. A script
    that is not plain gets no offer: a rule could only name that very script. Nor does a command
    whose rule would hardly ever match again or mean anything, or would allow anything.
    """
    commands = commands_of(argv)
    if commands is None:
        return None
    open_ones = [words for words in commands if not matching(rules or RuleSet(), words)]
    if suggested_prefix and open_ones == commands and not is_too_wide(suggested_prefix):
        prefix = list(suggested_prefix)
        if all(command[: len(prefix)] == prefix for command in commands):
            return prefix
    asked_for = [words for words in open_ones if not is_safe_command(words)] or open_ones
    return next(
        (words for words in asked_for if not _is_pointless(words) and not is_too_wide(words)), None
    )


def objection(argv: Sequence[str], prefix: Sequence[str]) -> str | None:
    """Why a prefix somebody chose for a question about `argv` must not become a rule; None if it
    may. The words stand after "the rule was not kept: "."""
    if is_too_wide(prefix):
        return "it would allow nearly anything to run"
    commands = commands_of(argv)
    if commands is None:
        return "no rule can cover a script that only a shell understands"
    if not any(command[: len(prefix)] == list(prefix) for command in commands):
        return "it does not cover the command it was given with"
    return None


def _is_pointless(words: Sequence[str]) -> bool:
    """Whether a rule for this very command would help nobody."""
    return words[0] in _OF_THE_SHELL_ITSELF or any("://" in word for word in words)


def is_too_wide(prefix: Sequence[str]) -> bool:
    """Whether a rule for this prefix would let nearly anything run.

    A rule allows whatever follows its prefix. So a program that runs other programs or texts must
    be tied to one of them by the prefix, and one that takes them anywhere on its line never is.
    """
    at = 0
    while at < len(prefix) and _program(prefix[at]) in _START_WHAT_FOLLOWS:
        at += 1
        started = prefix[at : at + 1]
        if not _is_operand(started) or "=" in started[0] or started[0][0].isdigit():
            return True
    if not prefix:
        return True
    program, first = _program(prefix[at]), prefix[at + 1 : at + 2]
    if program in _RUN_OR_WRITE_ANYTHING:
        return True
    if program not in _NARROWED_BY_THEIR_FIRST_WORD:
        return False
    if program in _SHELLS_AND_PYTHON and first and first[0] in _FIX_WHAT_RUNS:
        return not _is_operand(prefix[at + 2 : at + 3])
    return not _is_operand(first)


def _program(word: str) -> str:
    """The name a program is listed under."""
    name = word.rsplit("/", 1)[-1].lower()
    return name.rstrip("0123456789.") or name


def _is_operand(word: Sequence[str]) -> bool:
    """Whether there is a word, and no option."""
    return bool(word) and bool(word[0]) and not word[0].startswith(("-", "+"))


def rules_path(codex_home: Path) -> Path:
    return codex_home / "rules" / "default.rules"


def rule_line(prefix: Sequence[str]) -> str:
    """The rule that allows commands beginning with `prefix`."""
    pattern = ", ".join(msgspec.json.encode(word).decode() for word in prefix)
    return f'prefix_rule(pattern=[{pattern}], decision="allow")\n'


def network_rule_line(rule: NetworkRule) -> str:
    """The same for connections to one host."""
    host, protocol = (msgspec.json.encode(text).decode() for text in (rule.host, rule.protocol))
    return f'network_rule(host={host}, protocol={protocol}, decision="{rule.decision}")\n'


def append_network_rule(codex_home: Path, rule: NetworkRule) -> None:
    """Add a rule for a host, as `append_allow_rule` does."""
    _append(codex_home, network_rule_line(rule))


def append_allow_rule(codex_home: Path, prefix: Sequence[str]) -> None:
    """Add `prefix` to the user's rules, under a lock; an existing rule is not repeated.

    Raises OSError.
    """
    _append(codex_home, rule_line(prefix))


def _append(codex_home: Path, text: str) -> None:
    path = rules_path(codex_home)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    with open(os.open(path, flags, 0o600), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        standing = file.read()
        line = text.encode("utf-8", "replace")
        if line in standing.splitlines(keepends=True):
            return
        file.write(b"\n" + line if standing and not standing.endswith(b"\n") else line)
