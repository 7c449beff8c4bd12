"""Which span type a span gets: from its kind, from what it carries, or as its producer set it."""

from capture.handbuilt.builder import Case, Trace, payload, siblings

_KINDS = (
    *("LLM", "EMBEDDING", "TOOL", "RETRIEVER", "AGENT", "CHAIN", "RERANKER"),
    *("GUARDRAIL", "EVALUATOR", "PROMPT", "UNKNOWN"),
)


def kinds_all() -> Case:
    trace = Trace("kinds_all")
    trace.span("root", "CHAIN")
    for kind in _KINDS:
        trace.span(f"kind {kind}", kind, parent="root")
    return payload("Every OpenInference span kind.", trace)


def kinds_odd() -> Case:
    trace = Trace("kinds_odd")
    trace.span("root", "CHAIN")
    for name, kind in {
        "lower case": "llm",
        "not a kind": "FANCY",
        "empty": "",
        "padded": " LLM ",
        "a number": 7,
        "in quotes": '"LLM"',
    }.items():
        trace.span(name, kind, parent="root")
    return payload("Kinds that are not one of the words OpenInference defines.", trace)


def kinds_absent() -> Case:
    trace = siblings(
        "kinds_absent",
        None,
        {
            "llm": {"llm.model_name": "gpt-4o-mini", "llm.input_messages.0.message.role": "user"},
            "retriever": {"retrieval.documents.0.document.content": "text"},
            "embedding": {"embedding.model_name": "text-embedding-3-small"},
            "tool": {"tool.name": "get_weather", "tool.parameters": '{"city": "Lisbon"}'},
            "reranker": {"reranker.query": "q", "reranker.model_name": "r"},
            "value only": {"input.value": "in", "output.value": "out"},
            "nothing": {"app.step": 3},
        },
    )
    return payload("Spans without a kind, to be inferred from their keys; the last one carries none.", trace)


def kinds_preset() -> Case:
    trace = siblings(
        "kinds_preset",
        "LLM",
        {
            "type": {"mlflow.spanType": "TOOL"},
            "type as JSON": {"mlflow.spanType": '"TOOL"'},
            "unknown type": {"mlflow.spanType": "UNKNOWN"},
        },
    )
    return payload("The producer has set mlflow.spanType itself.", trace)


CASES = {
    "kinds_all": kinds_all,
    "kinds_odd": kinds_odd,
    "kinds_absent": kinds_absent,
    "kinds_preset": kinds_preset,
}
