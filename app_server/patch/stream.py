"""A patch while it is still arriving: what can already be said of each file."""

from __future__ import annotations

from app_server.protocol.item import FileUpdateChange


class PatchStream:
    """Fed with the pieces of a patch; gives the changes as far as they are known."""

    def feed(self, piece: str) -> list[FileUpdateChange] | None:
        """The changes so far when a whole line added to them, None when nothing new is known.

        Paths are as the patch spells them, diffs are the lines received so far.
        """
        raise NotImplementedError
