"""Confinement of commands: what they may write and reach, and how the kernel is told so."""
