"""Why a command cannot be confined as promised.

SandboxError
└── SandboxUnavailable     this machine, or this folder, does not allow the promised confinement
"""


class SandboxError(Exception):
    """A command cannot be confined."""


class SandboxUnavailable(SandboxError):
    """The promised confinement cannot be set up, so the command must not run as if it were."""

    def __init__(self, missing: str, remedy: str) -> None:
        self.missing = missing
        """What is missing, as a clause: "bubblewrap is not installed"."""
        self.remedy = remedy
        """What the user can do about it, as a sentence."""
        super().__init__(f"Commands cannot be confined here: {missing}. {remedy}")
