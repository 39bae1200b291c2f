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
    """What is wrong with a key; an unusual one is taken when it is given twice."""

    def __init__(self) -> None:
        self._doubted = ""

    def __call__(self, key: str) -> str:
        if not key:
            return "API key cannot be empty"
        if not key.isascii() or not key.isprintable():
            return "A key has only letters, digits and signs of ASCII: something else is in it."
        if len(key) < LEAST_CHARS:
            return "That is too short for a key."
        if not key.startswith("sk-") and key != self._doubted:
            self._doubted = key
            return "Keys of OpenAI begin with sk-. Enter once more to keep this one all the same."
        return ""
