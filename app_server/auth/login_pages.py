"""The two pages a browser ends on after signing in. Plain HTML without scripts."""

from __future__ import annotations

from html import escape

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 32em; margin: 20vh auto; padding: 0 1em }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{text}</p>
</body>
</html>
"""


def success_page() -> str:
    """Shown when the sign-in is stored."""
    return _PAGE.format(
        title="Signed in to Codex",
        text="You can close this page and go back to your terminal.",
    )


def error_page(problem: str) -> str:
    """Shown when it is not; the problem may come from outside and is escaped."""
    return _PAGE.format(title="Signing in did not work", text=escape(problem))
