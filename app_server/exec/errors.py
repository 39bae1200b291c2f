"""What can go wrong between a command and its output.

ExecError
├── CommandNotStarted      the program could not be started; says why
├── EnvironmentLost        the process service is gone, and with it everything it ran
├── UnknownSession         no such terminal, or its end was already reported
└── StdinClosed            the command was started without an input
"""

STDIN_CLOSED_ADVICE = (
    "stdin is closed for this session; rerun exec_command with tty=true to keep stdin open"
)


class ExecError(Exception):
    """A command could not be run or reached. The message is one sentence for a person."""


class CommandNotStarted(ExecError):
    """The program could not be started."""


class EnvironmentLost(ExecError):
    """The process service is gone; what it ran has been ended."""

    def __init__(self, reason: str = "the process service has ended") -> None:
        super().__init__(reason)


class UnknownSession(ExecError):
    """No terminal has this id."""

    def __init__(self, session_id: int) -> None:
        self.session_id = session_id
        super().__init__(f"Unknown process id {session_id}")


class StdinClosed(ExecError):
    """The command has no input to write to."""

    def __init__(self) -> None:
        super().__init__(STDIN_CLOSED_ADVICE)
