"""File changes as diffs, with what became of them."""

from rich.segment import Segment
from rich.style import Style

from tui.cells.canvas import BULLET, CORNER, MORE, UNDER, Canvas
from tui.state.cells import PatchCell, PatchedFile
from tui.state.reduce_questions import shown_path
from tui.text.diff import Hunk, beginning, counts, draw_hunks, parse_unified, whole_file
from tui.text.highlight import language_of
from tui.text.palette import Palette
from tui.text.sanitize import marked_line
from tui.text.spans import Spans, flagged
from tui.text.wrap import wrap

MOST_DIFF_ROWS = 200
"""Rows of a patch in the conversation; the full view has them all."""

LATEST_ROWS = 6
"""Rows of a patch that grows: enough to see what is being written."""

_VERBS = {"add": ("Added", "Add"), "delete": ("Deleted", "Delete"), "update": ("Edited", "Edit")}


def hunks_of(file: PatchedFile) -> list[Hunk]:
    """The change of one file; content of added and deleted files may come as a diff, too."""
    if file.kind == "update" or file.diff.startswith(("@@ ", "--- ", "diff --git ")):
        return parse_unified(file.diff)
    return whole_file(file.diff, "+" if file.kind == "add" else "-")


def draw_patch(cell: PatchCell, canvas: Canvas) -> list[Spans]:
    palette = canvas.palette
    hunks = [hunks_of(file) for file in cell.files]
    lines = _draw_title(cell, hunks, canvas)
    if canvas.mode == "title":
        return lines[:1]
    if cell.status == "failed":
        error = cell.error.strip() or "It could not be applied."
        lines += canvas.text_under(error, palette.failure)
    if cell.status in ("declined", "interrupted", "failed") and canvas.mode == "brief":
        return lines
    if cell.writing and canvas.mode == "brief":
        return [*lines, *_latest(cell, hunks, canvas)]
    many = len(cell.files) > 1
    body: list[Spans] = []
    left = MOST_DIFF_ROWS if canvas.mode == "brief" else None
    left_out = 0
    for file, all_hunks in zip(cell.files, hunks, strict=True):
        file_hunks = all_hunks
        if left is not None:
            file_hunks, dropped = beginning(all_hunks, left)
            left_out += dropped
            left -= sum(map(len, file_hunks))
        if many:
            lead = [Segment(UNDER if body else CORNER, palette.dim)]
            name = _named(file, cell.cwd, all_hunks, palette)
            body += wrap(name, canvas.width, first=lead, rest=[Segment(UNDER)])
        body += draw_hunks(
            file_hunks,
            canvas.width,
            palette,
            language=language_of(file.move_path or file.path),
            indent=UNDER,
            fold_long=canvas.fold_long,
        )
    if left_out:
        mark = [Segment(f"{UNDER}… +{left_out} lines {MORE}", palette.dim)]
        body += wrap(mark, canvas.width, rest=[Segment(UNDER)])
    return [*lines, *body]


def _latest(cell: PatchCell, hunks: list[list[Hunk]], canvas: Canvas) -> list[Spans]:
    """The last rows of a patch that is still being written."""
    if not hunks or not hunks[-1]:
        return []
    rows = hunks[-1][-1][-LATEST_ROWS:]
    left_out = sum(len(hunk) for file_hunks in hunks for hunk in file_hunks) - len(rows)
    mark: list[Spans] = []
    if left_out:
        mark = [[Segment(f"{UNDER}… +{left_out} lines", canvas.palette.dim)]]
    language = language_of(cell.files[-1].path)
    drawn = draw_hunks([rows], canvas.width, canvas.palette, language=language, indent=UNDER)
    return [*mark, *drawn]


def _draw_title(cell: PatchCell, hunks: list[list[Hunk]], canvas: Canvas) -> list[Spans]:
    palette = canvas.palette
    bullet, style, says = _state(cell, palette)
    kinds = {file.kind for file in cell.files}
    done, wanted = _VERBS[kinds.pop()] if len(kinds) == 1 else ("Edited", "Edit")
    if says == "wants":
        verb = f"Wants to {wanted.lower()}"
    elif says == "not":
        verb = f"Did not {wanted.lower()}"
    elif says == "doing":
        verb = {"Add": "Adding", "Delete": "Deleting", "Edit": "Editing"}[wanted]
        if cell.writing:
            verb = f"Writing a patch: {verb.lower()}"
    else:
        verb = done
    title: Spans = [Segment(f"{verb} ", palette.strong)]
    if cell.status == "failed":
        title = [Segment("Failed to apply patch ", palette.strong)]
    if len(cell.files) == 1:
        title += _named(cell.files[0], cell.cwd, hunks[0], palette)
    elif cell.files or cell.status != "failed":
        flat = [hunk for file_hunks in hunks for hunk in file_hunks]
        title += [Segment(f"{len(cell.files)} files"), *_counted(flat, palette)]
    if cell.status in ("declined", "interrupted"):
        title.append(Segment(f" ({cell.status})", palette.dim))
    return canvas.titled(title, bullet=bullet, style=style)


def _state(cell: PatchCell, palette: Palette) -> tuple[str, Style, str]:
    match cell.status:
        case "ok":
            return BULLET, palette.success, "done"
        case "failed":
            return "✘ ", palette.failure, "done"
        case "declined":
            return "✗ ", palette.failure, "not"
        case "interrupted":
            return BULLET, palette.failure, "not"
        case "waiting":
            return BULLET, palette.warning, "wants"
        case _:
            return BULLET, palette.running, "doing"


def _named(file: PatchedFile, cwd: str, hunks: list[Hunk], palette: Palette) -> Spans:
    spans: Spans = [Segment(marked_line(shown_path(file.path, cwd)))]
    if file.move_path:
        target = marked_line(shown_path(file.move_path, cwd))
        spans += [Segment(" → ", palette.dim), Segment(target)]
    return [*flagged(spans, palette.warning), *_counted(hunks, palette)]


def _counted(hunks: list[Hunk], palette: Palette) -> Spans:
    added, removed = counts(hunks)
    return [
        Segment(" ("),
        Segment(f"+{added}", palette.added),
        Segment(" "),
        Segment(f"-{removed}", palette.removed),
        Segment(")"),
    ]
