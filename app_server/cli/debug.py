"""`codex debug config-schema`: what config.toml may hold, for editors and other programs."""

import sys

from app_server.cli.options import Options


def run(options: Options) -> int:
    """Print it; returns the exit status."""
    from app_server.config.json_schema import schema_text

    sys.stdout.write(schema_text())
    return 0
