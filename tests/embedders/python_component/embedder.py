"""An embedder of the component: Python and wasmtime, nothing else.

Run it: `python embedder.py COMPONENT PAIRS`.
"""

import hashlib
import json
import sys
from pathlib import Path

from wasmtime import Engine, Store
from wasmtime.component import Component, Linker

INTERFACE = "openinference-mlflow:translator/translate@0.2.0"


class Translator:
    def __init__(self, path):
        engine = Engine()
        self.store = Store(engine)
        component = Component.from_file(engine, path)
        # The component imports nothing: the linker is empty.
        instance = Linker(engine).instantiate(self.store, component)
        interface = instance.get_export_index(self.store, INTERFACE)
        if interface is None:
            sys.exit(f"the component does not export {INTERFACE}")
        index = instance.get_export_index(self.store, "translate", interface)
        self.function = instance.get_func(self.store, index)

    def translate(self, payload, encoding):
        """Returns `tag`, "ok" or "err", and `payload`, the record `translated` or `malformed` of the contract."""
        result = self.function(self.store, payload, encoding, "protobuf")
        self.function.post_return(self.store)
        return result


def main():
    translator = Translator(sys.argv[1])
    pairs = json.loads(Path(sys.argv[2]).read_text())
    for pair in pairs:
        result = translator.translate(Path(pair["payload"]).read_bytes(), pair["encoding"])
        if result.tag == "ok":
            found = {"sha256": hashlib.sha256(result.payload.payload).hexdigest()}
        else:
            found = {"malformed": result.payload.reason}
        if not found.items() <= pair.items():
            sys.exit(f"{pair['payload']}: {found}")
    print(len(pairs), "pairs")


if __name__ == "__main__":
    main()
