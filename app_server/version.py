"""The version, readable without importlib.metadata."""

__version__ = "0.1.0"
