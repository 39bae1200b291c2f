"""Is what was pasted the path of a picture?"""

import os
from urllib.parse import unquote, urlparse

EXTENSIONS = (".png", ".jpg", ".jpeg", ".gif", ".webp")
_LONGEST_PATH = 1024


def pasted_image(text: str) -> str | None:
    """The absolute path if `text` names one existing picture, quoted, escaped or as file://."""
    candidate = text.strip()
    if not candidate or "\n" in candidate or len(candidate) > _LONGEST_PATH:
        return None
    if candidate[0] in "'\"" and candidate[-1:] == candidate[0]:
        candidate = candidate[1:-1]
    elif candidate.startswith("file://"):
        candidate = unquote(urlparse(candidate).path)
    else:
        candidate = candidate.replace("\\ ", " ")
    if not candidate.lower().endswith(EXTENSIONS):
        return None
    path = os.path.abspath(os.path.expanduser(candidate))
    return path if os.path.isfile(path) else None
