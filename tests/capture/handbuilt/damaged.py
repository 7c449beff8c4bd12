"""Values that MLflow cannot store, each beside a healthy trace that must not suffer for it."""

import json

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from capture.handbuilt.builder import Case, Trace, add_attributes, at, payload

_NAN, _INFINITY = float("nan"), float("inf")


def _beside_healthy(about: str, name: str, damage) -> Case:
    trace, healthy = Trace(name), Trace(f"{name}/healthy")
    damage(trace.span("damaged", "LLM", {"input.value": "question", "output.value": "answer"}))
    healthy.span("healthy", "LLM", {"input.value": "question", "output.value": "answer"})
    return payload(about, trace, healthy)


def not_finite() -> Case:
    values = {
        "nan": _NAN,
        "infinity": _INFINITY,
        "minus": -_INFINITY,
        "list": [1.0, _NAN],
        "map": {"deep": [_INFINITY]},
    }
    return _beside_healthy(
        "NaN and infinities in attributes.", "not_finite", lambda span: add_attributes(span.attributes, values)
    )


def not_finite_event() -> Case:
    def damage(span: Span) -> None:
        add_attributes(span.events.add(name="measured", time_unix_nano=at(5)).attributes, {"score": _NAN})

    return _beside_healthy("NaN in an event.", "not_finite_event", damage)


def not_finite_meaning() -> Case:
    values = {"llm.token_count.prompt": _NAN, "llm.cost.total": _INFINITY, "session.id": _NAN}
    return _beside_healthy(
        "NaN where a count, a cost and a session belong.",
        "not_finite_meaning",
        lambda span: add_attributes(span.attributes, values),
    )


def end_zero() -> Case:
    def damage(span: Span) -> None:
        span.end_time_unix_nano = 0

    return _beside_healthy("A span without an end time.", "end_zero", damage)


def end_before_start() -> Case:
    def damage(span: Span) -> None:
        span.end_time_unix_nano = at(-500)

    return _beside_healthy("A span that ends before it starts.", "end_before_start", damage)


def end_overflow() -> Case:
    def damage(span: Span) -> None:
        span.end_time_unix_nano = 2**63

    return _beside_healthy("An end time that a signed 64-bit number cannot hold.", "end_overflow", damage)


def start_zero() -> Case:
    def damage(span: Span) -> None:
        span.start_time_unix_nano = 0

    return _beside_healthy("A span without a start time.", "start_zero", damage)


def span_id_empty() -> Case:
    def damage(span: Span) -> None:
        span.span_id = b""

    return _beside_healthy("A span without an id.", "span_id_empty", damage)


def span_id_long() -> Case:
    def damage(span: Span) -> None:
        span.span_id = span.span_id + b"\xff\xff"

    return _beside_healthy("A span id of ten bytes.", "span_id_long", damage)


def span_id_zero() -> Case:
    def damage(span: Span) -> None:
        span.span_id = bytes(8)

    return _beside_healthy("A span id of zeros, which OTLP calls invalid.", "span_id_zero", damage)


def trace_id_short() -> Case:
    def damage(span: Span) -> None:
        span.trace_id = span.trace_id[:8]

    return _beside_healthy("A trace id of eight bytes.", "trace_id_short", damage)


def trace_id_long() -> Case:
    def damage(span: Span) -> None:
        span.trace_id = span.trace_id + b"\xff"

    return _beside_healthy("A trace id of seventeen bytes.", "trace_id_long", damage)


def trace_id_empty() -> Case:
    def damage(span: Span) -> None:
        span.trace_id = b""

    return _beside_healthy("A span without a trace id.", "trace_id_empty", damage)


def parent_self() -> Case:
    def damage(span: Span) -> None:
        span.parent_span_id = span.span_id

    return _beside_healthy("A span that is its own parent.", "parent_self", damage)


def parent_cycle() -> Case:
    trace = Trace("parent_cycle")
    trace.span("a", "CHAIN", parent="b")
    trace.span("b", "CHAIN", parent="a")
    return payload("Two spans that are each other's parent.", trace)


def invalid_utf8() -> Case:
    placeholder = "XXinvalidXX"
    case = _beside_healthy(
        "Bytes in a string attribute that are no UTF-8.",
        "invalid_utf8",
        lambda span: add_attributes(span.attributes, {"note": placeholder}),
    )
    return Case(case.about, case.body.replace(placeholder.encode(), b"\xff\xfeinvalid\xc3\x28"))


def duplicate_same() -> Case:
    trace = Trace("duplicate_same")
    for _ in range(2):
        trace.span(
            "root", "LLM", {"llm.token_count.prompt": 10, "llm.token_count.completion": 5}, start_ms=0, end_ms=50
        )
    return payload("One span twice in one request.", trace)


def duplicate_versions() -> Case:
    trace = Trace("duplicate_versions")
    trace.span("root", "LLM", {"output.value": "final", "llm.token_count.prompt": 20}, start_ms=0, end_ms=90)
    trace.span("root", "LLM", {"output.value": "draft", "llm.token_count.prompt": 10}, start_ms=0, end_ms=40)
    return payload("One span in two versions, the one that ends later first.", trace)


def key_twice() -> Case:
    trace = Trace("key_twice")
    span = trace.span("root", "LLM", {"input.value": "first"})
    add_attributes(span.attributes, {"input.value": "second", "": "no key"})
    return payload("One attribute key twice on a span, and one that is empty.", trace)


def nul_character() -> Case:
    return _beside_healthy(
        "A NUL character in a value.",
        "nul_character",
        lambda span: add_attributes(span.attributes, {"note": "a\x00b"}),
    )


def json_lone_surrogate() -> Case:
    trace = Trace("json_lone_surrogate")
    spans = [
        {
            "traceId": trace.trace_id.hex(),
            "spanId": trace.span_id("root").hex(),
            "name": "root",
            "kind": 1,
            "startTimeUnixNano": str(at(0)),
            "endTimeUnixNano": str(at(10)),
            "attributes": [
                {"key": "openinference.span.kind", "value": {"stringValue": "CHAIN"}},
                {"key": "input.value", "value": {"stringValue": "broken \ud83d emoji"}},
            ],
        }
    ]
    body = {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": spans}]}]}
    return Case("OTLP/JSON with half of a surrogate pair.", json.dumps(body).encode(), ".json")


def json_lenient() -> Case:
    trace = Trace("json_lenient")
    span = {
        "traceId": trace.trace_id.hex().upper(),
        "spanId": trace.span_id("root").hex().upper(),
        "parentSpanId": "",
        "name": "root",
        "kind": "SPAN_KIND_CLIENT",
        "start_time_unix_nano": at(0),
        "endTimeUnixNano": at(10),
        "status": {"code": "STATUS_CODE_OK"},
        "events": None,
        "links": [],
        "unknownField": {"a": [1]},
        "attributes": [
            {"key": "openinference.span.kind", "value": {"stringValue": "LLM"}},
            {"key": "llm.token_count.prompt", "value": {"intValue": 7}},
            {"key": "llm.token_count.completion", "value": {"int_value": "3"}},
            {"key": "score", "value": {"doubleValue": "NaN"}},
            {"key": "nothing", "value": {"arrayValue": {}}},
            {"key": "unset", "value": None},
        ],
    }
    body = {"resource_spans": [{"resource": {"attributes": None}, "scope_spans": [{"spans": [span]}]}]}
    return Case(
        "OTLP/JSON as hand-written clients send it: upper-case ids, snake_case, enum names, null, unknown fields.",
        json.dumps(body).encode(),
        ".json",
    )


CASES = {
    function.__name__: function
    for function in (
        *(not_finite, not_finite_event, not_finite_meaning, end_zero, end_before_start, end_overflow, start_zero),
        *(span_id_empty, span_id_long, span_id_zero, trace_id_short, trace_id_long, trace_id_empty),
        *(parent_self, parent_cycle, invalid_utf8, duplicate_same, duplicate_versions, key_twice, nul_character),
        *(json_lone_surrogate, json_lenient),
    )
}
