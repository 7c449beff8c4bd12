"""The golden pairs as one JSON list, which every embedder reads.

A pair is `{"payload": PATH, "encoding": WORD}`, with the key `sha256`, the digest of the translated payload, or
`malformed`, the reason why the payload cannot be read. `python pairs.py FOLDER` writes FOLDER/pairs.json, if you run an
embedder by hand.
"""

import json
import sys
from pathlib import Path

_TESTS = Path(__file__).resolve().parents[1]


def golden_pairs() -> list[dict[str, str]]:
    """One pair for each golden. `tests/src/fixtures.rs` names them: `NAME-json` is the golden of `NAME.json`."""
    pairs = []
    for golden in sorted((_TESTS / "golden").glob("*.json")):
        is_json = golden.stem.endswith("-json")
        file = golden.stem.removesuffix("-json") + ".json" if is_json else golden.stem + ".pb"
        result = json.loads(golden.read_text())
        expected = {key: result[key] for key in ("sha256", "malformed") if key in result}
        payload = str(_TESTS / "fixtures/otlp" / file)
        pairs.append({"payload": payload, "encoding": "json" if is_json else "protobuf", **expected})
    return pairs


def malformed_pair(folder: Path) -> dict[str, str]:
    """A payload that ends too early. No golden is malformed, and every embedder shall meet a payload that is."""
    payload = folder / "malformed.pb"
    payload.write_bytes(b"\x0a\x7f\x12")
    reason = "not a readable OTLP payload: expected the rest of a length-delimited field at byte 1 of the message"
    return {"payload": str(payload), "encoding": "protobuf", "malformed": reason}


def write_pairs(folder: Path) -> Path:
    path = folder / "pairs.json"
    path.write_text(json.dumps([*golden_pairs(), malformed_pair(folder)], indent=1))
    return path


if __name__ == "__main__":
    print(write_pairs(Path(sys.argv[1]).resolve()))
