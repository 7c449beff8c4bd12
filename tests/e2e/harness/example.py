"""Small traces for tests that are about delivery: an agent above one model call, named after the test."""

from e2e.harness.payloads import Payload, from_message

from capture.handbuilt.builder import Trace, request


def agent(name: str, project: str | None = None) -> Trace:
    """`name` decides the trace id, so two tests on one server need two names."""
    resource = {"service.name": "example"} | ({"openinference.project.name": project} if project else {})
    trace = Trace(f"example/{name}", resource)
    trace.span(name, "AGENT", {"input.value": "question", "output.value": "answer"})
    counted = {"llm.token_count.prompt": 3, "llm.token_count.completion": 2, "llm.model_name": "example-model"}
    trace.span("generate", "LLM", counted, parent=name)
    return trace


def payload(*traces: Trace) -> Payload:
    return from_message("example", request(*traces))


def part(trace: Trace, *span_names: str) -> Payload:
    """The trace's spans of these names alone."""
    spans = [span for span in trace.spans if span.name in span_names]
    return payload(Trace(trace.name, trace.resource, spans))
