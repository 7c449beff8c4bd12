"""An embedder of the plain module: Python and wasmtime, nothing else.

Run it: `python embedder.py MODULE PAIRS`.
"""

import hashlib
import json
import struct
import sys
from pathlib import Path

import wasmtime


class Refused(Exception):
    """The translator answered with an error. `kind` is a word of the ABI."""

    def __init__(self, error):
        super().__init__(error["reason"])
        self.kind = error["kind"]


class Translator:
    def __init__(self, path):
        engine = wasmtime.Engine()
        self.store = wasmtime.Store(engine)
        # The module imports nothing: the list of imports is empty.
        self.exports = wasmtime.Instance(self.store, wasmtime.Module.from_file(engine, path), []).exports(self.store)
        if (abi := self.exports["abi"](self.store)) != 1:
            sys.exit(f"this program knows ABI 1, the module has {abi}")

    def call(self, name, *arguments, value=None, payload=b""):
        """Calls an export, with an input frame if `value` is given. Returns the answer's result and bytes."""
        memory = self.exports["memory"]
        if value is not None:
            text = json.dumps(value).encode()
            frame = struct.pack("<II", len(text), len(payload)) + text + payload
            # wasmtime returns signed numbers; pointers are unsigned.
            pointer = self.exports["input"](self.store, len(frame)) & 0xFFFFFFFF
            memory.write(self.store, frame, pointer)
        answer = self.exports[name](self.store, *arguments) & 0xFFFFFFFF
        json_length, bytes_length = struct.unpack("<II", memory.read(self.store, answer, answer + 8))
        end = answer + 8 + json_length
        outcome = json.loads(memory.read(self.store, answer + 8, end))
        if "err" in outcome:
            raise Refused(outcome["err"])
        return outcome["ok"], bytes(memory.read(self.store, end, end + bytes_length))


def translate(translator, payload, encoding):
    result, data = translator.call("translate", value={"from": encoding, "to": "protobuf"}, payload=payload)
    offset, length = result["payload"]
    return data[offset : offset + length]


def main():
    translator = Translator(sys.argv[1])
    pairs = json.loads(Path(sys.argv[2]).read_text())
    for pair in pairs:
        try:
            translated = translate(translator, Path(pair["payload"]).read_bytes(), pair["encoding"])
            found = {"sha256": hashlib.sha256(translated).hexdigest()}
        except Refused as refused:
            found = {refused.kind: str(refused)}
        if not found.items() <= pair.items():
            sys.exit(f"{pair['payload']}: {found}")
    print(len(pairs), "pairs")


if __name__ == "__main__":
    main()
