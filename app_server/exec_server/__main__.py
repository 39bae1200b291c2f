"""`python -m app_server.exec_server`: the service as a child of the server; see `launch`."""

import sys

from app_server.exec_server.limits import Limits
from app_server.exec_server.server import serve_stdio


def main(arguments: list[str]) -> int:
    """Arguments: the owner's pid and the bytes of output to retain per process."""
    owner_pid, retained_bytes = (int(argument) for argument in arguments)
    return serve_stdio(Limits(retained_output_bytes_per_process=retained_bytes), owner_pid)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
