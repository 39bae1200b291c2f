"""The input area: the editor, what pops up under it, history, pastes and pictures.

Knows what Enter, Tab, Up and a paste mean for a draft, and posts what comes of it. Never talks to
the server: files to suggest are asked for by `FilesWanted` and come back through `offer_files`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from tui.text.palette import TERMINAL, Palette
from tui.widgets.composer.attachments import pasted_image
from tui.widgets.composer.buffer import Expanded
from tui.widgets.composer.editor import Editor
from tui.widgets.composer.history import History
from tui.widgets.composer.slash_popup import Popup, Suggestion

Suggest = Callable[[str], Sequence[Suggestion]]


class Composer(Vertical):
    """Where one writes."""

    KEY_CONTEXTS = ("composer",)

    @dataclass
    class Submitted(Message):
        """Enter, or Tab when `queued`. Placeholders are written out."""

        text: str
        images: tuple[str, ...]
        queued: bool

    @dataclass
    class CommandGiven(Message):
        """A slash command with what follows it."""

        name: str
        arguments: str
        queued: bool

    @dataclass
    class ShellLine(Message):
        command: str

    @dataclass
    class FilesWanted(Message):
        """The user is typing `@query`."""

        query: str

    @dataclass
    class EditorWanted(Message):
        text: str

    @dataclass
    class DraftChanged(Message):
        """Empty or not, shell line or not: the footer may want to say something else."""

        is_empty: bool

    def __init__(self, placeholder: str, commands: Suggest, palette: Palette = TERMINAL) -> None:
        super().__init__(id="composer")
        self._palette = palette
        self._placeholder = placeholder
        self._commands = commands
        self._file_token: tuple[int, str] | None = None
        self._closed_for: str | None = None
        self._search: tuple[str, int, str] | None = None
        """While searching the history: query, position, the draft to come back to."""
        self.history = History()

    def compose(self) -> ComposeResult:
        editor = Editor(self, self._placeholder, id="editor")
        editor.palette = self._palette
        yield editor
        yield Popup(self._palette, id="popup")

    @property
    def editor(self) -> Editor:
        return self.query_one("#editor", Editor)

    @property
    def popup(self) -> Popup:
        return self.query_one("#popup", Popup)

    @property
    def text(self) -> str:
        return self.editor.text

    @property
    def is_empty(self) -> bool:
        return not self.editor.text

    @property
    def search_query(self) -> str | None:
        """What is being looked for in the history; None while nothing is."""
        return None if self._search is None else self._search[0]

    def put_back(self, text: str, images: Sequence[str] = ()) -> None:
        """Text that could not be sent, before whatever is written here now."""
        buffer = self.editor.buffer
        draft = buffer.expanded().text if buffer.elements else buffer.text
        buffer.set("\n".join(part for part in (text, draft) if part))
        for path in images:
            if "[Image #" in text:
                self._restore_image(path)
            else:
                buffer.insert_element("image", path)
        self.editor.changed()

    def type_ahead(self, text: str) -> None:
        """Keys that were meant for the draft but reached something else."""
        if not text:
            return
        self.editor.buffer.insert(text)
        self.editor.changed()

    def clear_to_history(self) -> None:
        """Empty the draft, keeping it within reach of Up."""
        self.history.add(self.editor.buffer.expanded().text)
        self.editor.set_text("")

    def offer_files(self, query: str, files: Sequence[Suggestion]) -> None:
        """Matches for `@query`, if that is still what is being typed."""
        if self._file_token is not None and self._file_token[1] == query:
            self.popup.offer(files, "no matches" if query else "type to find a file")

    def escape(self) -> bool:
        """Close what is open; False where there is nothing to close."""
        if self._search is not None:
            self._end_search(keep=False)
            return True
        if self.popup.is_open:
            self._closed_for = self.editor.text
            self.popup.close_popup()
            return True
        return False

    # What the editor tells

    def text_changed(self) -> None:
        text = self.editor.text
        if self._search is not None and text != self._search_shown:
            self._search = None
            self.editor.highlight = None
        if text != self._closed_for:
            self._closed_for = None
            self._suggest(text)
        self.post_message(self.DraftChanged(not text))

    def _suggest(self, text: str) -> None:
        self._file_token = None
        if self._search is not None:
            return
        if text.startswith("/") and "\n" not in text and " " not in text:
            self.popup.offer(self._commands(text[1:]))
            return
        token = self.editor.buffer.token_before_cursor("@")
        if token is not None:
            self._file_token = token
            self.post_message(self.FilesWanted(token[1]))
            return
        if self.popup.is_open:
            self.popup.close_popup()

    def edge_reached(self, step: int) -> None:
        if self.popup.is_open:
            self.popup.move(step)
            return
        recalled = self.history.recall(step, self.editor.text)
        if recalled is not None:
            self._closed_for = recalled
            self.editor.set_text(recalled)

    def pasted(self, text: str) -> None:
        self._search = None
        path = pasted_image(text)
        if path is not None:
            self.editor.buffer.insert_element("image", path)
            self.editor.buffer.insert(" ")
        else:
            self.editor.buffer.paste(text)
        self.editor.changed()

    def action_submit(self) -> None:
        if self._search is not None:
            self._end_search(keep=True)
            return
        if self._take_suggestion(run=True):
            return
        self._send(queued=False)

    def action_queue(self) -> None:
        if self._take_suggestion(run=False):
            return
        self._send(queued=True)

    def action_external_editor(self) -> None:
        self.post_message(self.EditorWanted(self.editor.buffer.expanded().text))

    def action_search_history(self) -> None:
        """Ctrl+R: begin to search, or go on to an older match."""
        if self._search is None:
            self._search = ("", 0, self.editor.text)
            self.popup.close_popup()
            self.post_message(self.DraftChanged(self.is_empty))
            return
        query, position, draft = self._search
        found = self.history.find(query, position)
        if found is not None:
            self._show_match(query, found, draft)

    async def action_paste_image(self) -> None:
        from tui.terminal.clipboard import image_from_clipboard

        path, problem = await image_from_clipboard()
        if path is None:
            self.post_message(self.PasteFailed(problem))
            return
        self.editor.buffer.insert_element("image", path)
        self.editor.buffer.insert(" ")
        self.editor.changed()

    @dataclass
    class PasteFailed(Message):
        reason: str

    def end_of_input(self) -> None:
        self.post_message(self.EndOfInput())

    @dataclass
    class EndOfInput(Message):
        """Ctrl+D on an empty draft."""

    def takes_key(self, event: events.Key) -> bool:
        """With a popup open Up and Down move in it; while searching, letters are the query."""
        if self._search is None:
            if self.popup.choice is None or event.key not in ("up", "down"):
                return False
            self.popup.move(-1 if event.key == "up" else 1)
            return True
        query, _, draft = self._search
        if event.key == "backspace":
            query = query[:-1]
        elif event.is_printable and event.character is not None:
            query += event.character
        else:
            return False
        found = self.history.find(query) if query else None
        if found is None:
            self._search = (query, 0, draft)
            self.post_message(self.DraftChanged(self.is_empty))
        else:
            self._show_match(query, found, draft)
        return True

    @property
    def _search_shown(self) -> str:
        return self.editor.text if self._search is not None else ""

    def _show_match(self, query: str, found: tuple[int, str], draft: str) -> None:
        position, text = found
        self._search = (query, position, draft)
        start = text.casefold().find(query.casefold())
        self.editor.highlight = (start, start + len(query)) if start >= 0 else None
        self._closed_for = text
        self.editor.set_text(text)

    def _end_search(self, *, keep: bool) -> None:
        assert self._search is not None
        draft = self._search[2]
        self._search = None
        self.editor.highlight = None
        self._closed_for = self.editor.text if keep else draft
        self.editor.set_text(self.editor.text if keep else draft)

    def _take_suggestion(self, *, run: bool) -> bool:
        choice = self.popup.choice
        if not self.popup.is_open or choice is None:
            return False
        buffer = self.editor.buffer
        if self._file_token is not None:
            start = self._file_token[0]
            path = f'"{choice.name}"' if " " in choice.name else choice.name
            buffer.replace(start, buffer.cursor, path + " ")
            self._file_token = None
            self.popup.close_popup()
            self.editor.changed()
            return True
        if run:
            self.popup.close_popup()
            self._sent(f"/{choice.name}")
            self.post_message(self.CommandGiven(choice.name, "", queued=False))
        else:
            self.editor.set_text(f"/{choice.name} ")
            self.popup.close_popup()
        return True

    def _send(self, *, queued: bool) -> None:
        draft = self.editor.buffer.expanded()
        text = draft.text
        if not text.strip() and not draft.images:
            return
        self.popup.close_popup()
        if text.startswith("/") and text[1:2].isalpha():
            name, _, arguments = text[1:].partition(" ")
            if self._commands(name) and any(one.name == name for one in self._commands(name)):
                self._sent(text)
                self.post_message(self.CommandGiven(name, arguments.strip(), queued))
                return
            if "/" not in name and "\n" not in text:
                self.post_message(self.UnknownCommand(name))
                return
        self._sent(text)
        if text.startswith("!") and text[1:].strip():
            self.post_message(self.ShellLine(text[1:].strip()))
        else:
            self.post_message(self._message(draft, queued=queued))

    @dataclass
    class UnknownCommand(Message):
        name: str

    def _message(self, draft: Expanded, *, queued: bool) -> Message:
        return self.Submitted(draft.text, draft.images, queued)

    def _sent(self, text: str) -> None:
        self.history.add(text)
        if not text.startswith("/"):
            self.post_message(self.Remembered(text))
        self.editor.set_text("")

    @dataclass
    class Remembered(Message):
        """Keep this for later sessions."""

        text: str

    def _restore_image(self, path: str) -> None:
        """Make the first label in the text that is plain again what it was."""
        from tui.widgets.composer.buffer import Element

        buffer = self.editor.buffer
        number = 1 + sum(element.kind == "image" for element in buffer.elements)
        label = f"[Image #{number}]"
        start = buffer.text.find(label)
        if start >= 0:
            element = Element(start, start + len(label), "image", path)
            buffer.elements = tuple(sorted((*buffer.elements, element)))
