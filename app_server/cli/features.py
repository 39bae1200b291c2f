"""`codex features`: every feature with its stage and state; one switched on or off for good."""

import sys
from typing import TYPE_CHECKING

from app_server.cli.options import Options

if TYPE_CHECKING:
    from pathlib import Path

    from app_server.config.load import LoadedConfig


def run(options: Options) -> int:
    """Do it; returns the exit status."""
    if options.action == "list":
        return _list(options)
    if options.feature is None:
        print(f"codex features {options.action}: which feature?", file=sys.stderr)
        return 2
    return _switch(options, options.feature, options.action == "enable")


def _list(options: Options) -> int:
    from app_server.config.errors import ConfigError
    from app_server.config.features import STAGES

    try:
        features = _loaded(options).checked().features
    except ConfigError as error:
        print(f"codex features: {error}", file=sys.stderr)
        return 1
    names = max(map(len, STAGES))
    stages = max(map(len, STAGES.values()))
    for name, stage in sorted(STAGES.items()):
        print(f"{name:<{names}}  {stage:<{stages}}  {str(features[name]).lower()}")
    return 0


def _switch(options: Options, name: str, on: bool) -> int:
    from app_server.config.errors import ConfigError
    from app_server.config.features import OLD_NAMES, STAGES
    from app_server.paths import codex_home

    if name not in STAGES and name not in OLD_NAMES:
        print(f"Unknown feature flag: {name}", file=sys.stderr)
        return 1
    home = codex_home()
    try:
        _write(home / "config.toml", name, on)
    except (ConfigError, OSError) as error:
        print(f"codex features: {error}", file=sys.stderr)
        return 1
    print(f"{'Enabled' if on else 'Disabled'} feature `{name}` in config.toml.")
    feature = OLD_NAMES.get(name, name)
    if (
        on
        and STAGES[feature] == "under development"
        and not _loaded(options).config.suppress_unstable_features_warning
    ):
        print(
            f"`{feature}` is still under development and may behave in unexpected ways. "
            "`suppress_unstable_features_warning = true` in config.toml ends this notice.",
            file=sys.stderr,
        )
    return 0


def _write(file: "Path", name: str, on: bool) -> None:
    """Set the switch; what is off by default needs none to be off. Other names of it go."""
    from app_server.config.edit import Edit, edit_file
    from app_server.config.features import OLD_NAMES, ON_BY_DEFAULT

    feature = OLD_NAMES.get(name, name)
    old = [Edit(("features", alias), None) for alias in OLD_NAMES if OLD_NAMES[alias] == feature]
    value = None if not on and feature not in ON_BY_DEFAULT else on
    edit_file(file, [*old, Edit(("features", feature), value)])


def _loaded(options: Options) -> "LoadedConfig":
    from pathlib import Path

    from app_server.config.load import load_config
    from app_server.paths import codex_home

    return load_config(codex_home(), Path(options.cwd), options.overrides, profile=options.profile)
