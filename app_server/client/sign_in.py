"""What is shown to somebody who signs in at a terminal: a browser, or a code and its picture.

Used by the command line and by the interface. Knows neither wire nor services.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

DEVICE_CODE_SECONDS = 15 * 60
"""How long a device code may be typed after it was given out."""

_FAR_AWAY = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")
_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")

QUIET_MODULES = 2
"""Around a QR code; the standard asks for four, every camera is content with two."""

_HALVES = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}
"""Two modules above each other, light ones drawn; for dark text on a light ground invert them."""


def can_open_browser(environment: Mapping[str, str]) -> bool:
    """Whether a browser opened here would be seen by whoever sits at this terminal."""
    if any(environment.get(name) for name in _FAR_AWAY):
        return False
    return sys.platform == "darwin" or any(environment.get(name) for name in _SCREENS)


def qr_code(text: str) -> list[str]:
    """Lines of half blocks that a camera reads as `text`, where they are drawn white on black."""
    import segno  # 40 ms

    size = QUIET_MODULES
    modules = [
        [bool(module) for module in row]
        for row in segno.make(text, micro=False, error="l").matrix_iter(border=size)
    ]
    if len(modules) % 2:
        modules.append([False] * len(modules[0]))
    pairs = zip(modules[::2], modules[1::2], strict=True)
    return ["".join(_HALVES[top, low] for top, low in zip(*pair, strict=True)) for pair in pairs]


def time_left(seconds: float) -> str:
    """As `14:05`."""
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02d}"
