"""A Python side of `make bench-border`: `side.py module|component WASM LIST`. Prints each payload's microseconds."""

import json
import sys
import time
from pathlib import Path

ROUNDS = {"module": 20, "component": 3}

EMBEDDERS = Path(__file__).resolve().parents[2] / "embedders"


def translate_with(kind: str, wasm: str):
    """`translate` of the program in tests/embedders."""
    sys.path.insert(0, str(EMBEDDERS / f"python_{kind}"))
    import embedder

    translator = embedder.Translator(wasm)
    if kind == "module":
        return lambda payload: embedder.translate(translator, payload, "protobuf")
    return lambda payload: translator.translate(payload, "protobuf").payload.payload


def main() -> None:
    kind, wasm, list_file = sys.argv[1:]
    payloads = [Path(path).read_bytes() for path in Path(list_file).read_text().splitlines()]
    translate = translate_with(kind, wasm)
    fastest = [float("inf")] * len(payloads)
    for _ in range(ROUNDS[kind]):
        for place, payload in enumerate(payloads):
            # The thread's CPU time: a call of the component is longer than the machine leaves a thread alone.
            start = time.thread_time()
            translate(payload)
            fastest[place] = min(fastest[place], (time.thread_time() - start) * 1e6)
    print(json.dumps(fastest))


main()
