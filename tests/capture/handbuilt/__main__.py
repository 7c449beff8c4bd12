"""Writes every hand-built payload. Run in `tests/`: `../.venv/bin/python -m capture.handbuilt`."""

from capture import fixture_files
from capture.handbuilt import CASES

entries = {}
for name, build in CASES.items():
    case = build()
    entries[f"{name}{case.suffix}"] = (case.body, {"source": "built by hand", "about": case.about})
fixture_files.write(entries)
