"""Traces of unusual size or form that are healthy all the same."""

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from capture.handbuilt.builder import SERVICE, Case, Trace, payload, request


def deep() -> Case:
    trace = Trace("deep")
    trace.span("level 0", "CHAIN")
    for level in range(1, 60):
        trace.span(f"level {level}", "CHAIN", parent=f"level {level - 1}", start_ms=level, end_ms=200 - level)
    return payload("Sixty levels.", trace)


def wide() -> Case:
    trace = Trace("wide")
    trace.span("root", "AGENT", {"input.value": "q", "output.value": "a"}, end_ms=1000)
    for number in range(300):
        trace.span(f"child {number}", "TOOL", parent="root", start_ms=number, end_ms=number + 5)
    return payload("Three hundred children of one root.", trace)


def names() -> Case:
    trace = Trace("names")
    trace.span("root 🌍 «größe»", "CHAIN")
    parent = "root 🌍 «größe»"
    for name in ("", " ", "a/b?c=d&e", "עברית", "n" * 1000, 'quote " backslash \\'):
        trace.span(name, "CHAIN", parent=parent)
    return payload("Span names that are empty, long, or not ASCII.", trace)


def otel_fields() -> Case:
    trace = Trace("otel_fields")
    kinds = (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_PRODUCER, Span.SPAN_KIND_CONSUMER, 0)
    trace.span("root", "CHAIN")
    for kind in kinds:
        span = trace.span(f"kind {kind}", "LLM", parent="root")
        span.kind = kind
        span.trace_state = "vendor=value"
        span.flags = 0x0101
        span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count = 3, 2, 1
    return payload("Span kinds, trace state, flags and dropped counts.", trace)


def scopes() -> Case:
    trace = Trace("scopes", SERVICE)
    trace.span("root", "CHAIN")
    trace.span("child", "LLM", parent="root")
    message = request(trace)
    (first,) = message.resource_spans[0].scope_spans
    second = message.resource_spans[0].scope_spans.add()
    second.scope.name, second.scope.version = "openinference.instrumentation.openai", "0.1.66"
    second.schema_url = "https://opentelemetry.io/schemas/1.37.0"
    second.scope.attributes.add(key="scope.note").value.string_value = "kept"
    second.spans.append(first.spans.pop())
    message.resource_spans[0].schema_url = "https://opentelemetry.io/schemas/1.37.0"
    message.resource_spans.add()  # a resource without spans
    return Case(
        "One trace in two scopes, schema addresses, an empty resource.", message.SerializeToString(deterministic=True)
    )


CASES = {"deep": deep, "wide": wide, "names": names, "otel_fields": otel_fields, "scopes": scopes}
