"""`python -m bench [NAME …]`: run the measurements named, or all of them."""

import importlib
import sys

from bench.figures import header
from bench.programs import model_server, programs

NAMES = (
    "cold_start",
    "first_paint",
    "sign_in",
    "keystroke",
    "headless_ready",
    "many_clients",
    "streaming",
    "commands",
    "sandbox_start",
    "judging",
    "resume",
)


def main(names: list[str]) -> int:
    unknown = set(names) - set(NAMES)
    if unknown:
        print(f"no such measurement: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
        return 2
    print(header())
    with model_server() as model, programs(model.url) as both:
        for name in names or NAMES:
            for figure in importlib.import_module(f"bench.{name}").measure(both, model):
                print(figure.line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
