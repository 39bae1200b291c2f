"""Every key of the interface: an id, default keys, and what it does, by context.

Ids read `context.action`, as in `[tui.keymap.composer]` `submit = "ctrl-enter"`; a value may be one
key, a list, or an empty list to unbind. Keys are written as in the configuration (`ctrl-t`,
`shift-enter`, `pgup`) and translated to Textual's names. `terminal.display` tells
how a key finds its action. Knows no widget.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Key(NamedTuple):
    """One action: Textual's name for it, its keys as the configuration writes them, its help."""

    action: str
    keys: str
    help: str


KEYS: dict[str, Key] = {
    "global.open_transcript": Key("open_transcript", "ctrl-t", "the whole transcript"),
    "global.copy": Key("copy_answer", "ctrl-o", "copy the last answer"),
    "global.clear_terminal": Key("clear_terminal", "ctrl-l", "clear the terminal"),
    "global.background_terminals": Key(
        "background_terminals", "", "commands that run in the background"
    ),
    "chat.page_up": Key("scroll_transcript(-1)", "pgup", "a page up, full screen"),
    "chat.page_down": Key("scroll_transcript(1)", "pgdn", "a page down, full screen"),
    "global.suspend": Key("suspend_process", "ctrl-z", "step back to the shell"),
    "chat.interrupt_or_quit": Key("interrupt_or_quit", "ctrl-c", "interrupt, clear, or quit"),
    "chat.escape": Key("escape", "escape", "interrupt the turn; twice: edit a previous message"),
    "chat.pull_queued": Key("pull_queued", "alt-up shift-left", "edit the last queued message"),
    "chat.cycle_mode": Key("cycle_mode", "shift-tab", "plan mode on or off"),
    "chat.less_reasoning": Key("reasoning(-1)", "alt-comma", "less reasoning"),
    "chat.more_reasoning": Key("reasoning(1)", "alt-full_stop", "more reasoning"),
    "composer.submit": Key("submit", "enter", "send"),
    "composer.queue": Key("queue", "tab", "send after the running turn"),
    "composer.external_editor": Key("external_editor", "ctrl-g", "edit in $VISUAL or $EDITOR"),
    "composer.history_search": Key("search_history", "ctrl-r", "find an earlier message"),
    "composer.paste_image": Key("paste_image", "ctrl-v", "paste a picture"),
    "editor.newline": Key("newline", "ctrl-j shift-enter alt-enter", "new line"),
    "editor.left": Key("left", "left ctrl-b", "left"),
    "editor.right": Key("right", "right ctrl-f", "right"),
    "editor.up": Key("up", "up ctrl-p", "up, or an earlier message"),
    "editor.down": Key("down", "down ctrl-n", "down, or a later message"),
    "editor.word_left": Key("word_left", "alt-b alt-left ctrl-left", "a word left"),
    "editor.word_right": Key("word_right", "alt-f alt-right ctrl-right", "a word right"),
    "editor.line_start": Key("line_start", "home ctrl-a", "start of line"),
    "editor.line_end": Key("line_end", "end ctrl-e", "end of line"),
    "editor.backspace": Key("backspace", "backspace ctrl-h", "delete to the left"),
    "editor.delete": Key("delete", "delete ctrl-d", "delete to the right; quit when empty"),
    "editor.delete_word_left": Key(
        "delete_word_left", "ctrl-w alt-backspace ctrl-backspace", "delete the word to the left"
    ),
    "editor.delete_word_right": Key(
        "delete_word_right", "alt-d alt-delete ctrl-delete", "delete the word to the right"
    ),
    "editor.kill_to_start": Key("kill_to_start", "ctrl-u", "cut to the start of the line"),
    "editor.kill_to_end": Key("kill_to_end", "ctrl-k", "cut to the end of the line"),
    "editor.yank": Key("yank", "ctrl-y", "put back what was cut"),
    "editor.undo": Key("undo", "ctrl-underscore", "undo"),
    "pager.up": Key("scroll(-1)", "up k", "up"),
    "pager.down": Key("scroll(1)", "down j", "down"),
    "pager.page_up": Key("page(-1)", "pgup shift-space ctrl-b", "a page up"),
    "pager.page_down": Key("page(1)", "pgdn space ctrl-f", "a page down"),
    "pager.half_up": Key("half(-1)", "ctrl-u", "half a page up"),
    "pager.half_down": Key("half(1)", "ctrl-d", "half a page down"),
    "pager.top": Key("top", "home g", "top"),
    "pager.bottom": Key("bottom", "end G", "bottom"),
    "pager.search": Key("search", "slash", "search"),
    "pager.next": Key("find(1)", "n", "next match"),
    "pager.previous": Key("find(-1)", "N", "previous match"),
    "pager.close": Key("close", "q escape ctrl-c ctrl-t", "close"),
    "list.up": Key("move(-1)", "up ctrl-p", "up"),
    "list.down": Key("move(1)", "down ctrl-n", "down"),
    "list.page_up": Key("move(-8)", "pgup", "a page up"),
    "list.page_down": Key("move(8)", "pgdn", "a page down"),
    "list.accept": Key("accept", "enter", "choose"),
    "list.cancel": Key("cancel", "escape ctrl-c", "go back"),
    "terminals.stop": Key("stop", "x delete", "end this command"),
    "terminals.stop_all": Key("stop_all", "a", "end all of them"),
    "login.copy": Key("copy", "ctrl-y", "copy the address to open"),
    "login.open_page": Key("open_page", "ctrl-o", "open the browser again"),
    "login.restart": Key("restart", "ctrl-r", "start the sign-in over"),
    "approval.up": Key("move(-1)", "up ctrl-p k", "up"),
    "approval.down": Key("move(1)", "down ctrl-n j", "down"),
    "approval.confirm": Key("confirm", "enter", "choose"),
    "approval.approve": Key("pick('y')", "y", "yes, once"),
    "approval.approve_session": Key("pick('a')", "a", "yes, for this session"),
    "approval.approve_prefix": Key("pick('p')", "p", "yes, and the like from now on"),
    "approval.edit": Key("edit", "e tab", "change the words of a choice first"),
    "approval.tell": Key("pick('t')", "t", "no, and say what to do instead"),
    "approval.decline": Key("pick('d')", "d", "no, go on without it"),
    "approval.cancel": Key("pick('n')", "n escape ctrl-c c", "no, and stop the turn"),
    "approval.full_view": Key("full_view", "ctrl-a", "everything, full screen"),
}

_SHOWN_NAMES = {"escape": "esc", "comma": ",", "full_stop": ".", "slash": "/", "underscore": "_"}
_TEXTUAL_NAMES = {"pgup": "pageup", "pgdn": "pagedown", "esc": "escape", "return": "enter"}


class Keymap:
    """Keys to actions, with the user's changes on top of the defaults."""

    def __init__(self, overrides: Mapping[str, str] | None = None) -> None:
        self.overrides = dict(overrides or {})
        self._actions: dict[tuple[str, str], str] = {}
        for name, key in KEYS.items():
            context = name.split(".", 1)[0]
            given = self.overrides.get(name)
            keys = given.split(",") if given is not None else map(textual_key, key.keys.split())
            for one in keys:
                if one:
                    self._actions[context, one] = key.action

    def action(self, contexts: Iterable[str], key: str) -> str | None:
        """What `key` does in the first of these contexts that knows it."""
        for context in contexts:
            action = self._actions.get((context, key))
            if action is not None:
                return action
        return None

    def shown(self, name: str) -> str:
        """The first key of an action as a person reads it: `ctrl + t`."""
        return shown_key(name, self.overrides)


def textual_key(key: str) -> str:
    """`ctrl-pgup` → `ctrl+pageup`; a key already in Textual's words stays."""
    *modifiers, last = [part for part in key.replace("+", "-").split("-") if part] or [key]
    return "+".join([*sorted(modifiers), _TEXTUAL_NAMES.get(last, last)])


def shown_key(name: str, overrides: Mapping[str, str] | None = None) -> str:
    """The first key of an action as a person reads it: `ctrl + t`; empty where it has none."""
    given = (overrides or {}).get(name)
    keys = KEYS[name].keys.split() if given is None else given.replace("+", "-").split(",")
    key = keys[0] if keys else ""
    return " + ".join(_SHOWN_NAMES.get(part, part) for part in key.split("-"))


def overrides_from(keymap: object) -> tuple[dict[str, str], list[str]]:
    """A `tui.keymap` table → Textual's keymap by id, and what is wrong with it, one line each."""
    changed: dict[str, str] = {}
    complaints: list[str] = []
    for name, value in _leaves(keymap):
        if name not in KEYS:
            complaints.append(f"tui.keymap.{name}: there is no such action")
            continue
        wanted = [value] if isinstance(value, str) else value
        if not isinstance(wanted, list) or not all(isinstance(key, str) for key in wanted):
            complaints.append(f"tui.keymap.{name}: expected a key or a list of keys")
            continue
        changed[name] = ",".join(textual_key(key) for key in wanted)
    complaints += _conflicts(changed)
    return changed, complaints


def _leaves(table: object) -> Iterable[tuple[str, Any]]:
    if not isinstance(table, dict):
        return
    for context, actions in table.items():
        if isinstance(actions, dict):
            for action, value in actions.items():
                yield f"{context}.{action}", value


def _conflicts(changed: Mapping[str, str]) -> list[str]:
    """Two actions of one context on one key, at least one of them moved there by the user."""
    complaints = []
    for name, keys in changed.items():
        context = name.split(".", 1)[0]
        for other, defaults in KEYS.items():
            if other == name or other.split(".", 1)[0] != context:
                continue
            theirs = changed.get(other) or ",".join(map(textual_key, defaults.keys.split()))
            shared = {key for key in keys.split(",") if key} & set(theirs.split(","))
            if shared and (other not in changed or name < other):
                complaints.append(f"tui.keymap.{name}: {', '.join(sorted(shared))} is also {other}")
    return complaints
