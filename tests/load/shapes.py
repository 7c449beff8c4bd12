"""What the traces look like. A shape is a payload whose ids are replaced in each copy, so that encoding costs nothing."""

import random
from dataclasses import dataclass

from capture.handbuilt.builder import Trace, request

# The number of model calls, tool calls and documents of each shape.
SHAPES = {"chat": (1, 0, 0), "agent": (4, 3, 0), "rag": (1, 0, 5), "long": (60, 40, 0)}


@dataclass(frozen=True)
class Template:
    """One trace. `copy` makes another one of it."""

    body: bytes
    trace_id: bytes
    span_ids: tuple[bytes, ...]

    @property
    def spans(self) -> int:
        return len(self.span_ids)

    def copy(self, ids: random.Random) -> tuple[bytes, bytes]:
        """The payload and the id of a new trace."""
        trace_id = ids.randbytes(16)
        body = self.body.replace(self.trace_id, trace_id)
        for span_id in self.span_ids:
            body = body.replace(span_id, ids.randbytes(8))
        return body, trace_id


def template(shape: str, text_bytes: int) -> Template:
    """`text_bytes` is the size of each text: a message, an answer, a document."""
    calls, tools, documents = SHAPES[shape]
    trace = Trace(f"load/{shape}", {"service.name": "load", "openinference.project.name": "load"})
    text = ("word " * (text_bytes // 5 + 1))[:text_bytes]
    trace.span("agent", "AGENT", {"input.value": text, "output.value": text})
    for call in range(calls):
        trace.span(f"call {call}", "LLM", _model_call(text), parent="agent")
    for tool in range(tools):
        values = {"tool.name": "search", "input.value": '{"query": "weather"}', "output.value": text}
        trace.span(f"tool {tool}", "TOOL", values, parent="agent")
    if documents:
        found = {f"retrieval.documents.{place}.document.content": text for place in range(documents)}
        trace.span("retrieve", "RETRIEVER", {"input.value": "question", **found}, parent="agent")
    span_ids = tuple(span.span_id for span in trace.spans)
    return Template(request(trace).SerializeToString(), trace.trace_id, span_ids)


def _model_call(text: str) -> dict[str, object]:
    return {
        "llm.model_name": "a-model",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": text,
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": text,
        "llm.token_count.prompt": 100,
        "llm.token_count.completion": 50,
    }
