"""An API key as it is pasted: what of it is the key, and whether it has the form of one.

Only the form is looked at; whether the service takes it is seen with the first message.
"""

import re

LEAST_CHARS = 8
_ASSIGNED = re.compile(r"^(?:export\s+)?[A-Z_]+=")


def bare_key(pasted: str) -> str:
    """The key alone: no blanks, quotes, or `OPENAI_API_KEY=` before it."""
    text = _ASSIGNED.sub("", pasted.strip())
    return "".join(text.split()).strip("\"'")


class KeyCheck:
    """What is wrong with a key; an unusual one is taken when it is given twice.

    So is each one where `in_the_open`: others can read what goes to the server.
    """

    def __init__(self, *, in_the_open: bool = False) -> None:
        self._doubted = ""
        self._in_the_open = in_the_open

    def __call__(self, key: str) -> str:
        if not key:
            return "API key cannot be empty"
        if not key.isascii() or not key.isprintable():
            return "A key has only letters, digits and signs of ASCII: something else is in it."
        if len(key) < LEAST_CHARS:
            return "That is too short for a key."
        doubts = []
        if not key.startswith("sk-"):
            doubts.append("Keys of OpenAI begin with sk-.")
        if self._in_the_open:
            doubts.append("The way to this server is not encrypted: others can read the key on it.")
        if not doubts or key == self._doubted:
            return ""
        self._doubted = key
        return f"{' '.join(doubts)} Enter once more to use this one all the same."
