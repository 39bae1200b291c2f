"""The scripted model server alone: prints its URL, then takes a script a line on stdin."""

import json
import sys

from app_server.demo.script import reply_from
from app_server.demo.thread import ModelThread

with ModelThread() as model:
    print(model.url, flush=True)
    for line in sys.stdin:
        model.script(*[reply_from(reply) for reply in json.loads(line)])
        print("ready", flush=True)
