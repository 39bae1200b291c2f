"""What the scripted server has to say: an answer in Markdown, and the models it knows."""

from typing import Any

from app_server.protocol.model import Model, ReasoningEffortOption

MARKDOWN = """# How it works

The *client* sends **requests**; see `link.py`.

1. read the file
2. change it

| name | size |
|------|-----:|
| a.py |   12 |
| b.py |  340 |

```python
def answer() -> int:
    return 42
```

> quoted, at last
"""


def _model(name: str, about: str, *, default: bool = False) -> Model:
    known: list[tuple[Any, str]] = [
        ("low", "quick answers"), ("medium", "a balance"), ("high", "thinks longest"),
    ]  # fmt: skip
    efforts = [
        ReasoningEffortOption(reasoning_effort=effort, description=what) for effort, what in known
    ]
    return Model(
        id=name, model=name, display_name=name, description=about, hidden=False,
        supported_reasoning_efforts=efforts, default_reasoning_effort="medium", is_default=default,
    )  # fmt: skip


MODELS = [
    _model("gpt-5.5", "the one to begin with", default=True),
    _model("gpt-5.5-mini", "smaller and faster"),
]
