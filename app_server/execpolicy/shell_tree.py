"""A shell script as a syntax tree, read within bounds.

Grammar and parser are tree-sitter's. A few scripts are written to take a parser minutes; those are
given up by the processor time they cost, so that load on the machine changes no answer.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Language, Node

LONGEST_SCRIPT_BYTES = 128 * 1024
"""Linux starts nothing with a longer argument."""
LONGEST_PARSE_SECONDS = 0.2
"""Of processor time. An ordinary line takes 0.05 ms, the longest ordinary script 80 ms; garbage may
be collected meanwhile.
"""


class Unreadable(Exception):
    """The script is too long, or takes too long to read."""


class Script(NamedTuple):
    """A script and its tree. Positions count bytes of UTF-8."""

    source: bytes
    root: Node
    """Its `has_error` says whether all of the script was understood."""

    def text_of(self, node: Node) -> bytes:
        return self.source[node.start_byte : node.end_byte]

    def every_node(self) -> Iterator[Node]:
        """All nodes in the order of the text, however deep the tree is."""
        waiting = [self.root]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))


def read_script(script: str) -> Script:
    """Read a script; raises `Unreadable`."""
    from tree_sitter import Parser

    source = script.encode("utf-8", "replace")
    if len(source) > LONGEST_SCRIPT_BYTES:
        raise Unreadable
    parser = Parser(_bash())
    give_up_at = time.thread_time() + LONGEST_PARSE_SECONDS
    try:
        tree = parser.parse(
            lambda offset, _point: source[offset:],
            progress_callback=lambda _offset, _failed: time.thread_time() > give_up_at,
        )
    except ValueError as error:
        raise Unreadable from error
    return Script(source, tree.root_node)


@cache
def _bash() -> Language:
    import tree_sitter_bash
    from tree_sitter import Language

    return Language(tree_sitter_bash.language())
