"""Delivers a payload with the plain module, to a folder instead of a server.

Run it beside `embedder.py`: `python delivery.py MODULE PAYLOAD FOLDER`.
"""

import sys
import time
from pathlib import Path

from embedder import Translator

# The bridge wants a time that never runs backwards: the wall clock once, then a monotonic clock.
_START = time.time() - time.monotonic()


def now():
    return int((_START + time.monotonic()) * 1000)


def perform(folder, request, body):
    """One request of the destination "local". For a server, send it with your HTTP client and add credentials."""
    if request["method"] == "GET":
        found = list(folder.glob(request["path"].replace("traces/", "traces/*/", 1)))
        return (200, found[0].read_bytes()) if found else (404, b"")
    file = folder / request["path"]
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".new")
    temporary.write_bytes(body)
    temporary.replace(file)
    return 200, b""


def deliver(translator, payload, folder):
    settings = {"destination": "local", "settle_ms": 100}
    bridge = translator.call("open", value=settings)[0]["bridge"]
    accepted, _ = translator.call("ingest", bridge, now(), value={"encoding": "protobuf"}, payload=payload)
    done = False
    while not done:
        requests, data = translator.call("poll", bridge, now())
        for request in requests:
            offset, length = request["body"]
            status, body = perform(folder, request, data[offset : offset + length])
            answer = {"response": {"status": status, "headers": []}}
            translator.call("complete", bridge, request["id"], now(), value=answer, payload=body)
        for event in translator.call("events", bridge)[0]:
            if event == {"done": accepted["receipt"]}:
                done = True
            else:
                print(event, file=sys.stderr)
        wakeup, _ = translator.call("next_wakeup", bridge)
        if not done and wakeup is not None:
            time.sleep(max(0, wakeup - now()) / 1000)
    translator.call("close", bridge)
    return accepted["spans"]


if __name__ == "__main__":
    spans = deliver(Translator(sys.argv[1]), Path(sys.argv[2]).read_bytes(), Path(sys.argv[3]))
    print(spans, "spans")
