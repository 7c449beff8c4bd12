"""Events and status."""

from capture.handbuilt.builder import ERROR, OK, Case, Trace, add_attributes, at, payload

_EXCEPTION = {
    "exception.type": "ValueError",
    "exception.message": "bad value",
    "exception.stacktrace": (
        'Traceback (most recent call last):\n  File "/srv/app/main.py", line 3, in run\nValueError: bad value\n'
    ),
}


def exception() -> Case:
    trace = Trace("exception")
    root = trace.span("root", "CHAIN", status=ERROR, message="ValueError: bad value")
    event = root.events.add(name="exception", time_unix_nano=at(60))
    add_attributes(event.attributes, _EXCEPTION | {"exception.escaped": "True"})
    child = trace.span("child", "TOOL", parent="root", status=ERROR)
    add_attributes(child.events.add(name="exception", time_unix_nano=at(55)).attributes, {"exception.type": "OSError"})
    return payload("Exceptions, a full one and one that has a type alone.", trace)


def events_typed() -> Case:
    trace = Trace("events_typed")
    span = trace.span("root", "CHAIN")
    values = {"text": "t", "int": 1, "double": 0.5, "bool": True, "list": ["a", "b"], "map": {"k": 1}, "bytes": b"\x01"}
    add_attributes(span.events.add(name="every type", time_unix_nano=at(10)).attributes, values)
    span.events.add(name="no attributes", time_unix_nano=at(20))
    span.events.add(name="no time")
    span.events.add(name="", time_unix_nano=at(30))
    return payload("Events with attributes of every type, with none, without a time, without a name.", trace)


def status() -> Case:
    trace = Trace("status")
    trace.span("root", "CHAIN", status=OK, message="said although it is OK")
    trace.span("unset", "CHAIN", parent="root")
    trace.span("ok", "CHAIN", parent="root", status=OK)
    trace.span("failed", "CHAIN", parent="root", status=ERROR, message="what went wrong")
    trace.span("failed silently", "CHAIN", parent="root", status=ERROR)
    return payload("Every status below a root that is OK.", trace)


def root_failed() -> Case:
    trace = Trace("root_failed")
    trace.span("root", "CHAIN", status=ERROR, message="no")
    trace.span("child", "LLM", parent="root", status=OK)
    return payload("A failed root above a child that is OK.", trace)


CASES = {"exception": exception, "events_typed": events_typed, "status": status, "root_failed": root_failed}
