"""Whatever stands in a field of a request: it is answered, and nothing else is disturbed."""

from typing import Any

from tests.exec_server.stdio_peer import StdioPeer

VALUES: list[Any] = [
    {"type": "graceful", "timeoutMs": 10**400},
    None,
    True,
    -1,
    1.5,
    2**63,
    10**400,
    "",
    "\0",
    "!",
    "x" * 10_000,
    "file://",
    "file:///%00",
    [],
    {},
    [["a"]],
    {"type": "pty", "rows": 10**9, "cols": 1},
]
START = {"processId": "p", "argv": ["true"], "cwd": "/", "env": {}, "tty": False, "arg0": None}
OPTIONS = {
    "maxDepth": 1,
    "maxDirectories": 1,
    "maxEntries": 1,
    "followDirectorySymlinks": False,
}
NEW = ("io", "inheritedData", "mountPoints", "envPolicy", "pipeStdin", "sandbox", "request")
LIVE, ENDED = {"processId": "live"}, {"processId": "ended"}
METHODS: dict[str, dict[str, Any]] = {
    "initialize": {"clientName": "again", "resumeSessionId": None},
    "process/start": START | dict.fromkeys(NEW),
    "process/read": {**LIVE, "afterSeq": 0, "maxBytes": 1, "waitMs": 1},
    "process/write": {**LIVE, "chunk": "YQ==", "writeId": "1"},
    "process/terminate": {**LIVE, "mode": None},
    "process/closeStdin": LIVE,
    "process/resize": {**LIVE, "rows": 5, "cols": 5},
    "process/wait": ENDED,
    "process/snapshot": ENDED,
    "process/holdOutput": {**LIVE, "hold": True},
    "process/signal": {**LIVE, "signal": "interrupt"},
    "fs/readFile": {"path": "/none", "sandbox": None},
    "fs/writeFile": {"path": "/none/none", "dataBase64": ""},
    "fs/getMetadata": {"path": "/none"},
    "fs/readDirectory": {"path": "/none"},
    "fs/canonicalize": {"path": "/none"},
    "fs/walk": {"path": "/none", "options": OPTIONS},
    "fs/open": {"handleId": "h", "path": "/none"},
    "fs/readBlock": {"handleId": "h", "offset": 0, "len": 1},
    "fs/close": {"handleId": "h"},
    "fs/watchMissing": {"watchId": 1, "missing": ["/"], "present": None},
    "http/request": {"method": "GET", "url": "ftp://x", "requestId": "r", "timeoutMs": 1},
    "environment/info": {"any": 1},
    "environmentConfig/read": {"cwd": "x", "configPaths": [["a"]], "requirementsPaths": []},
}


def test_any_value_in_any_field_is_answered(bare_peer: StdioPeer) -> None:
    bare_peer.call("initialize", {"clientName": "test", "resumeSessionId": None})
    bare_peer.send({"method": "initialized"})
    bare_peer.start("ended", "true")
    bare_peer.exited("ended")
    bare_peer.start("live", "sleep", "60", tty=True)
    bare_peer.shell("other", "read line; echo $line", pipeStdin=True)
    asked = [
        bare_peer.ask(method, usual | {field: value} | _own_id(method, f"{field} {number}", field))
        for method, usual in METHODS.items()
        for field in usual
        for number, value in enumerate(VALUES)
    ]
    for request_id in asked:
        answer = bare_peer.answer(request_id)
        assert ("result" in answer) != ("error" in answer)
    bare_peer.call("process/write", {"processId": "other", "chunk": "aGkK"})
    bare_peer.exited("other")
    assert bare_peer.output("other") == b"hi\n"


def _own_id(method: str, name: str, field: str) -> dict[str, str]:
    """Processes that are started have ids of their own."""
    return {"processId": name} if method == "process/start" and field != "processId" else {}
