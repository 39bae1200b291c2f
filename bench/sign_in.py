"""Who is signed in, from auth.json: what that costs once the settings are read."""

import subprocess
import sys
import tempfile
from pathlib import Path

from app_server.auth.store import FileStore, StoredAuth, Tokens
from bench.figures import Figure
from bench.programs import Model, Program

RUNS = 15

LOOK_UP = """
import sys, time
from pathlib import Path
from app_server.config.load import load_config

home = Path(sys.argv[1])
mode = load_config(home, home, (), {}).config.cli_auth_credentials_store
begun = time.process_time()
from app_server.auth.manager import AuthManager
from app_server.auth.store import open_store

found = AuthManager(home, environment={}, store=open_store(mode, home)).credentials
took = time.process_time() - begun
assert found.email == "user@example.com"
assert not {"httpx", "keyring"} & set(sys.modules)
print(took * 1000)
"""

ID_TOKEN = "x.eyJlbWFpbCI6InVzZXJAZXhhbXBsZS5jb20ifQ.x"


def measure(programs: list[Program], model: Model) -> list[Figure]:
    budget = "<= 5 ms, no keyring, no httpx"
    known = Figure("sign-in known after the settings, CPU", "ms", budget)
    with tempfile.TemporaryDirectory() as home:
        tokens = Tokens(id_token=ID_TOKEN, access_token=ID_TOKEN, refresh_token="r")
        FileStore(Path(home)).save(StoredAuth(auth_mode="chatgpt", tokens=tokens))
        for _ in range(RUNS):
            done = subprocess.run(
                [sys.executable, "-c", LOOK_UP, home], capture_output=True, text=True, check=True
            )
            known.add("ours", float(done.stdout))
    return [known]
