"""What is kept of a command's output: a head and a tail, so that a flood costs no memory.

The parts are cut at characters; the middle is counted. Adding is linear in what is added: the head
is written once, the tail is trimmed only when it has grown to twice its limit.
"""

import msgspec

from tui.state.cells import CommandOutput

HEAD_CHARS = 64 * 1024
TAIL_CHARS = 64 * 1024


def output_of(text: str) -> CommandOutput:
    """The output of a finished command."""
    return added(CommandOutput(), text)


def added(output: CommandOutput, text: str) -> CommandOutput:
    """The output with more at its end."""
    if not output.tail and len(output.head) < HEAD_CHARS:
        room = HEAD_CHARS - len(output.head)
        output = msgspec.structs.replace(output, head=output.head + text[:room])
        text = text[room:]
    if not text:
        return output
    tail = output.tail + text
    if len(tail) <= 2 * TAIL_CHARS:
        return msgspec.structs.replace(output, tail=tail)
    dropped = tail[:-TAIL_CHARS]
    return msgspec.structs.replace(
        output,
        tail=tail[-TAIL_CHARS:],
        omitted_chars=output.omitted_chars + len(dropped),
        omitted_lines=output.omitted_lines + dropped.count("\n"),
    )


def is_empty(output: CommandOutput) -> bool:
    return not output.head.strip() and not output.tail.strip() and not output.omitted_chars
