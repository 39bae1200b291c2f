"""One of every kind of cell, in the states in which it looks different."""

from app_server.protocol.item import (
    CollabAgentState,
    FindInPageWebSearchAction,
    ListFilesCommandAction,
    OpenPageWebSearchAction,
    ReadCommandAction,
    SearchCommandAction,
    SearchWebSearchAction,
)
from tui.state.cells import (
    AgentMessageCell,
    AnsweredQuestion,
    AnyCell,
    ApprovalCell,
    CardCell,
    CommandCell,
    CompactionCell,
    ExploringCell,
    HookCell,
    ImageCell,
    NoticeCell,
    PatchCell,
    PatchedFile,
    PlanCell,
    PlanStep,
    ProposedPlanCell,
    QuestionsCell,
    ReasoningCell,
    ReviewCell,
    SeparatorCell,
    SessionHeaderCell,
    SubAgentCell,
    TerminalInputCell,
    ToolCell,
    UserMessageCell,
    WebSearchCell,
)
from tui.state.output import output_of

MARKDOWN = """\
# What I found

The **parser** in `app/parse.py` drops the *last* line; see [the notes](https://example.org/notes).

1. Read the file
2. Fix the loop
   - keep the old name
   - add a test

| Case | Lines | What happens |
|---|--:|---|
| empty file | 0 | nothing |
| one line, no line feed | 1 | the line is lost, although it is complete |

```python
def parse(text: str) -> list[str]:
    return text.splitlines()  # keeps the last line
```

> Checked with 3 files.
"""

UPDATE = """\
@@ -1,3 +1,3 @@
 one
-two
+TWO
 three
@@ -120,2 +120,3 @@
 near the end
+added
 end
"""

STEPS = (
    PlanStep(text="Read the parser", status="completed"),
    PlanStep(text="Fix the loop that drops the last line of a file", status="inProgress"),
    PlanStep(text="Run the tests", status="pending"),
)


def command(cell_id: str, line: str, **fields: object) -> CommandCell:
    made: dict[str, object] = {"status": "ok", "exit_code": 0, "duration_ms": 1_240, **fields}
    if isinstance(made.get("output"), str):
        made["output"] = output_of(str(made["output"]))
    return CommandCell(id=cell_id, command=line, **made)  # type: ignore[arg-type]


def looked(cell_id: str, *actions: object, **fields: object) -> CommandCell:
    return command(cell_id, "look", actions=tuple(actions), **fields)


SAMPLES: dict[str, AnyCell] = {
    "header": SessionHeaderCell(
        id="h",
        version="0.1.0",
        model="gpt-5.5",
        effort="medium",
        directory="/home/me/projects/some-rather-long-name/with/parts",
        home="/home/me",
    ),
    "header of the demo": SessionHeaderCell(
        id="hd", version="0.1.0", model="demo", directory="/tmp/x", demo=True
    ),
    "user": UserMessageCell(id="u", text="Fix the parser.\n\nIt drops the last line of a file."),
    "user with pictures": UserMessageCell(
        id="ui", text="Look at [Image #1]", images=("/tmp/shot.png",)
    ),
    "agent": AgentMessageCell(id="a", text=MARKDOWN, complete=True),
    "agent cut off": AgentMessageCell(id="ac", text="half of", complete=True, cut_off=True),
    "reasoning": ReasoningCell(
        id="r", summary=("**Looking at the loop**\n\nThe loop stops one early.",), complete=True
    ),
    "command": command("c", "make test", output="ran 12 tests\nall passed\n"),
    "command with much output": command(
        "cm", "seq 100", output="".join(f"{n}\n" for n in range(1, 101)), duration_ms=20
    ),
    "command without output": command("cn", "true"),
    "command that failed": command(
        "cf",
        "cat missing",
        status="failed",
        exit_code=1,
        output="cat: missing: No such file or directory\n",
    ),
    "command in colour": command(
        "cc", "ls --color", output="\x1b[1;34msrc\x1b[0m\n\x1b[38;5;208mwarn\x1b[0m\n"
    ),
    "long command": command(
        "cl", "for name in a b c; do\n  echo one\n  echo two\n  echo three\ndone\nexit 0"
    ),
    "command running": command("cr", "sleep 9", status="running", exit_code=None, duration_ms=None),
    "command declined": command("cd", "rm -rf /", status="declined", exit_code=None),
    "command waiting": command("cw", "git push", status="waiting", exit_code=None),
    "command in the background": command(
        "cb", "make serve", status="background", output="listening on 8000\n", process_id="1"
    ),
    "command interrupted": command("ci", "make", status="interrupted", process_id="1"),
    "own command": command("co", "git status", source="userShell", output="clean\n"),
    "exploring": ExploringCell(
        id="e",
        calls=(
            looked("e1", ListFilesCommandAction(command="ls -la", path=None)),
            looked(
                "e2",
                ReadCommandAction(name="README.md", command="cat README.md", path="/w/README.md"),
            ),
            looked("e3", ReadCommandAction(name="app.py", command="cat app.py", path="/w/app.py")),
            looked(
                "e4",
                SearchCommandAction(command="rg main src", query="main", path="src"),
                status="failed",
                exit_code=2,
            ),
        ),
        closed=True,
    ),
    "typed into a terminal": TerminalInputCell(id="ti", command="python", stdin="1 + 1\n\x03"),
    "patch of one file": PatchCell(
        id="p1",
        files=(PatchedFile(path="/w/src/parse.py", kind="update", diff=UPDATE),),
        status="ok",
        cwd="/w",
    ),
    "patch of several": PatchCell(
        id="p2",
        files=(
            PatchedFile(path="/w/new.txt", kind="add", diff="alpha\nbeta\n"),
            PatchedFile(path="/w/old.txt", kind="delete", diff="bye\n"),
            PatchedFile(
                path="/w/a.txt", kind="update", diff="@@ -1 +1 @@\n-a\n+b\n", move_path="/w/b.txt"
            ),
        ),
        status="ok",
        cwd="/w",
    ),
    "patch being written": PatchCell(
        id="pwr",
        files=(PatchedFile(path="/w/new.txt", kind="add", diff="line\n" * 9),),
        writing=True,
        cwd="/w",
    ),
    "patch waiting": PatchCell(
        id="pw",
        files=(PatchedFile(path="/w/new.txt", kind="add", diff="alpha\n"),),
        status="waiting",
        cwd="/w",
    ),
    "patch declined": PatchCell(
        id="pd",
        files=(PatchedFile(path="/w/new.txt", kind="add", diff="alpha\n"),),
        status="declined",
        cwd="/w",
    ),
    "patch that failed": PatchCell(
        id="pf",
        files=(PatchedFile(path="/w/new.txt", kind="update", diff="@@ -1 +1 @@\n-a\n+b\n"),),
        status="failed",
        cwd="/w",
        error="Failed to find expected lines in new.txt\n",
    ),
    "plan": PlanCell(id="pl", steps=STEPS, explanation="Three small steps."),
    "plan again": PlanCell(
        id="pl2",
        steps=(
            STEPS[0],
            PlanStep(text=STEPS[1].text, status="completed"),
            PlanStep(text=STEPS[2].text, status="inProgress"),
        ),
        before=STEPS,
    ),
    "proposed plan": ProposedPlanCell(id="pp", text="## Steps\n\n- one\n- two\n", complete=True),
    "tool": ToolCell(
        id="t",
        server="tiny",
        tool="echo",
        arguments='{"text":"hey"}',
        status="ok",
        result="one\ntwo\nthree\nfour\nfive\nsix\n",
    ),
    "tool that failed": ToolCell(id="tf", server="tiny", tool="x", status="failed", error="broke"),
    "tool running": ToolCell(id="tr", tool="look", status="running", progress="half way"),
    "search": WebSearchCell(
        id="w", action=SearchWebSearchAction(query="weather in Oslo"), complete=True
    ),
    "search in a page": WebSearchCell(
        id="wf",
        action=FindInPageWebSearchAction(pattern="rain", url="https://example.org/oslo"),
        complete=True,
    ),
    "page opened": WebSearchCell(
        id="wo", action=OpenPageWebSearchAction(url="https://example.org"), complete=True
    ),
    "searching": WebSearchCell(id="ws"),
    "image": ImageCell(id="i", path="/w/dot.png"),
    "agent spawned": SubAgentCell(
        id="s",
        tool="spawnAgent",
        status="ok",
        names=("Ada",),
        prompt="Look at the tests.",
        model="gpt-5.5",
        effort="low",
    ),
    "agents waited for": SubAgentCell(
        id="sw",
        tool="wait",
        status="ok",
        names=("Ada",),
        states=(("Ada", CollabAgentState(status="completed", message="All fine.\nReally.")),),
    ),
    "review started": ReviewCell(id="rs", stage="started", text="current changes"),
    "review": ReviewCell(
        id="rf",
        stage="finished",
        text="One issue.\n\n- Wrong number — a.py:1-1\n  It prints 2.",
    ),
    "compaction": CompactionCell(id="co2"),
    "hook": HookCell(id="hk", texts=("Remember the style guide.",)),
    "info": NoticeCell(id="n1", level="info", text="The model is now gpt-5.5 high."),
    "tip": NoticeCell(id="n2", level="tip", text="/diff shows what has changed."),
    "warning": NoticeCell(
        id="n3", level="warning", text="Unknown key in config.toml", details="config.toml:3:1"
    ),
    "error": NoticeCell(id="n4", level="error", text="The service could not be reached."),
    "card": CardCell(
        id="cd2",
        title="Status",
        rows=(
            ("Model", "gpt-5.5 medium"),
            ("Directory", "/home/me/projects/a-rather-long-directory-name/inside"),
            ("Context", "71% left (79,000 of 258,400 used)"),
        ),
    ),
    "separator": SeparatorCell(id="sep", duration_ms=65_000),
    "approved": ApprovalCell(id="ap", granted=True, what="command", subject="make test"),
    "approved for good": ApprovalCell(
        id="ap2", granted=True, what="command", subject="git push", lasts="always"
    ),
    "not approved": ApprovalCell(
        id="ap3", granted=False, what="command", subject="rm x", cancelled=True
    ),
    "allowed by the reviewer": ApprovalCell(
        id="ap4",
        by="reviewer",
        granted=True,
        what="command",
        subject="make test",
        risk="low",
        why="It only runs the tests.",
    ),
    "refused by the reviewer": ApprovalCell(
        id="ap5",
        by="reviewer",
        granted=False,
        what="network",
        subject="example.org",
        risk="high",
        why="Nobody asked for it.",
    ),
    "questions": QuestionsCell(
        id="q",
        questions=(
            AnsweredQuestion(question="Which database?", answers=("SQLite",), note="for now"),
            AnsweredQuestion(question="Your password?", answers=("hunter2",), secret=True),
            AnsweredQuestion(question="Anything else?"),
        ),
    ),
}
