"""Whether a sign-in on its way is still wanted.

To give it up and to keep it exclude each other, whichever comes first, on whatever thread: what was
told to be given up is never in use afterwards.
"""

from __future__ import annotations

import threading

from app_server.auth.store import StoredAuth


class Wish:
    def __init__(self) -> None:
        self._deciding = threading.Lock()
        self._is_given_up = False
        self._kept: StoredAuth | None = None

    @property
    def is_given_up(self) -> bool:
        return self._is_given_up

    @property
    def kept(self) -> StoredAuth | None:
        """The sign-in, from the moment it cannot be given up any more."""
        return self._kept

    def give_up(self) -> bool:
        """Whether it is given up; False: it is kept already."""
        with self._deciding:
            self._is_given_up = self._kept is None
            return self._is_given_up

    def keep(self, signed_in: StoredAuth) -> bool:
        """Whether it is kept; False: it was given up."""
        with self._deciding:
            if not self._is_given_up:
                self._kept = signed_in
            return not self._is_given_up
