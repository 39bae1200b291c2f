"""`--strict-config`: whether the settings files hold only keys that are known."""

import sys

from app_server.cli.options import Options


def refuses(options: Options) -> bool:
    """Whether the program must not start; says why on stderr. Reads files."""
    if not options.strict_config:
        return False
    from pathlib import Path

    from app_server.config.load import load_config
    from app_server.paths import codex_home

    loaded = load_config(
        codex_home(), Path(options.cwd), options.overrides, profile=options.profile, strict=True
    )
    if loaded.error is None:
        return False
    print(f"Error loading config.toml:\n{loaded.error}", file=sys.stderr)
    return True
