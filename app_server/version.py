"""The version, readable without importlib.metadata."""

__version__ = "0.1.0"

COMPATIBLE_WITH = "0.128.0"
"""The release of the Codex CLI whose wire protocol, rollout files and settings we speak.

Clients read it from the user agent to learn which requests they may send.
"""
