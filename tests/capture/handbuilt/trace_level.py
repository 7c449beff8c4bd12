"""What a trace takes from its spans: root, name, previews, time, resources."""

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from capture.handbuilt.builder import ERROR, SERVICE, Case, Trace, at, payload

_HTTP = {"http.request.method": "POST", "url.path": "/chat", "http.response.status_code": 200}


def no_root() -> Case:
    trace = Trace("no_root")
    trace.span("orphan", "AGENT", {"input.value": "question", "output.value": "answer"}, parent="never sent")
    trace.span("child", "LLM", {"llm.token_count.prompt": 3}, parent="orphan")
    return payload("A trace whose root never arrives.", trace)


def no_root_failed() -> Case:
    trace = Trace("no_root_failed")
    trace.span("orphan", "AGENT", parent="never sent", status=ERROR, message="it broke")
    return payload("A trace whose root never arrives, with a failed span on top of what did.", trace)


def two_resources() -> Case:
    front = Trace("two_resources", {"service.name": "front", "openinference.project.name": "shop", "host.name": "a"})
    front.span("request", "CHAIN", {"input.value": "hello", "output.value": "bye"})
    back = Trace("two_resources", {"service.name": "back", "service.version": "1.2", "host.name": "b"})
    back.span("generate", "LLM", {"llm.model_name": "gpt-4o-mini"}, parent="request", start_ms=10, end_ms=90)
    return payload("One trace across two services.", front, back)


def http_root() -> Case:
    trace = Trace("http_root")
    trace.span("POST /chat", None, _HTTP).kind = Span.SPAN_KIND_SERVER
    trace.span("SELECT", None, {"db.system.name": "postgresql"}, parent="POST /chat")
    trace.span("answer", "AGENT", {"input.value": "question", "output.value": "answer"}, parent="POST /chat")
    trace.span("generate", "LLM", {"input.value": "prompt", "output.value": "text"}, parent="answer")
    return payload("An HTTP handler and a database call around an agent.", trace)


def http_root_failed() -> Case:
    trace = Trace("http_root_failed")
    trace.span("POST /chat", None, _HTTP | {"http.response.status_code": 500}, status=ERROR)
    trace.span("answer", "AGENT", {"input.value": "question"}, parent="POST /chat", status=ERROR, message="no")
    return payload("A failed HTTP handler above a failed agent.", trace)


def http_only() -> Case:
    trace = Trace("http_only")
    trace.span("GET /health", None, _HTTP).kind = Span.SPAN_KIND_SERVER
    return payload("A trace with no OpenInference span in it.", trace)


def noise() -> Case:
    trace = Trace("noise")
    trace.span("agent", "AGENT", {"input.value": "q", "output.value": "a"})
    trace.span("POST", None, _HTTP, parent="agent")
    trace.span("retry", None, {"attempt": 1}, parent="POST")
    trace.span("generate", "LLM", {"input.value": "p", "output.value": "t"}, parent="retry")
    return payload("Two spans of a plain HTTP client between an agent and its model call.", trace)


def several_roots() -> Case:
    trace = Trace("several_roots")
    trace.span("first", "CHAIN", {"input.value": "one", "output.value": "1"})
    trace.span("second", "AGENT", {"input.value": "two", "output.value": "2"}, status=ERROR, message="late")
    return payload("Two spans without a parent in one trace, the second failed.", trace)


def trace_times() -> Case:
    trace = Trace("trace_times")
    trace.span("root", "CHAIN", start_ms=50, end_ms=100)
    trace.span("before the root", "TOOL", parent="root", start_ms=20, end_ms=60)
    trace.span("after the root", "TOOL", parent="root", start_ms=90, end_ms=400)
    return payload("Children that start before their root and end after it.", trace)


def trace_tags_preset() -> Case:
    trace = Trace("trace_tags_preset")
    preset = {"mlflow.traceTag.mlflow.traceName": "named by the producer", "mlflow.traceTag.team": "search"}
    trace.span("root", "CHAIN", preset | {"tag.tags": ["a", "b"], "metadata": '{"team": "other"}'})
    return payload("The producer has set trace tags itself.", trace)


def project_absent() -> Case:
    trace = Trace("project_absent", {"service.name": "hand-built"})
    trace.span("root", "CHAIN", {"input.value": "q"})
    return payload("No openinference.project.name on the resource.", trace)


def project_on_span() -> Case:
    trace = Trace("project_on_span", SERVICE | {"openinference.project.name": "project of the resource"})
    trace.span("root", "CHAIN", {"openinference.project.name": "project of the span"})
    return payload("A project name on the resource and another one on the span.", trace)


def linked() -> Case:
    earlier = Trace("linked/earlier")
    earlier.span("target", "CHAIN")
    later = Trace("linked/later")
    span = later.span("root", "CHAIN")
    for target in (earlier, Trace("linked/elsewhere")):
        link = span.links.add(trace_id=target.trace_id, span_id=target.span_id("target"))
        link.attributes.add(key="reason").value.string_value = "follows"
    span.end_time_unix_nano = at(120)
    return payload("Links to a span in the same payload and to one that is nowhere.", earlier, later)


CASES = {
    function.__name__: function
    for function in (
        *(no_root, no_root_failed, two_resources, http_root, http_root_failed, http_only, noise),
        *(several_roots, trace_times, trace_tags_preset, project_absent, project_on_span, linked),
    )
}
