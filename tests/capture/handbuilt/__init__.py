"""Payloads built by hand, for rules that a real instrumentor rarely reaches.

Guarantees that building twice gives the same bytes: ids come from names, times from one fixed instant.
"""

from collections.abc import Callable

from capture.handbuilt import (
    chat,
    context,
    damaged,
    events,
    field,
    feedback,
    io,
    json_text,
    kinds,
    mixed,
    models,
    shapes,
    trace_level,
    usage,
)
from capture.handbuilt.builder import Case

# Every case by the name of its file without the ending.
CASES: dict[str, Callable[[], Case]] = {
    f"hand_{name}": build
    for module in (kinds, io, chat, usage, models, trace_level, context, events, shapes, mixed, damaged, json_text, feedback, field)
    for name, build in module.CASES.items()
}
