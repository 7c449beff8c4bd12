"""Spans as applications in the field send them: unflattened families, usage in raw answers alone, tool calls, other units."""

import json

from capture.handbuilt.builder import MILLISECOND_NS, Case, Trace, payload, siblings

_ASKED = [{"role": "user", "content": "fix the bug"}]
_ANSWERED = [
    {
        "role": "assistant",
        "content": "done",
        "tool_calls": [{"id": "c1", "function": {"name": "shell", "arguments": {"cmd": "ls"}}}],
    }
]
_DOCUMENTS = [{"content": "doc one", "id": "1", "score": 0.5, "metadata": json.dumps({"source": "a.md"})}]
_TOOLS = [{"type": "function", "function": {"name": "shell", "parameters": {"type": "object", "properties": {}}}}]


def _prefixed(items: list[dict], prefix: str) -> list[dict]:
    return [{f"{prefix}.{key}": value for key, value in item.items()} for item in items]


def _forms(items: list[dict], prefix: str) -> dict[str, object]:
    return {
        "JSON": json.dumps(items),
        "JSON with prefixes": json.dumps(_prefixed(items, prefix)),
        "array": items,
        "array of JSON": [json.dumps(item) for item in items],
    }


def unflattened_messages() -> Case:
    asked, answered = _forms(_ASKED, "message"), _forms(_ANSWERED, "message")
    variants = {
        name: {
            "llm.input_messages": asked[name],
            "llm.output_messages": answered[name],
            "llm.tools": _forms(_TOOLS, "tool")["JSON" if name.startswith("JSON") else "array"],
        }
        for name in asked
    }
    return payload("Messages and tools as one attribute.", siblings("unflattened_messages", "LLM", variants))


def unflattened_documents() -> Case:
    variants = {
        name: {"input.value": "q", "retrieval.documents": form} for name, form in _forms(_DOCUMENTS, "document").items()
    }
    return payload("Documents as one attribute.", siblings("unflattened_documents", "RETRIEVER", variants))


def raw_usage() -> Case:
    answers = {
        "chat": {"usage": {"prompt_tokens": 21, "completion_tokens": 8, "total_tokens": 29}},
        "responses": {"usage": {"input_tokens": 15, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 11}},
        "anthropic": {
            "usage": {
                "input_tokens": 20,
                "cache_read_input_tokens": 900,
                "cache_creation_input_tokens": 80,
                "output_tokens": 5,
            }
        },
        "bedrock": {"usage": {"inputTokens": 20, "outputTokens": 5, "totalTokens": 25}},
        "gemini": {"usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 2, "thoughtsTokenCount": 3}},
    }
    variants: dict[str, dict] = {name: {"output.value": json.dumps(answer)} for name, answer in answers.items()}
    counted = {"llm.token_count.prompt": 1000, "llm.token_count.completion": 5}
    variants["cache alone"] = variants["anthropic"] | counted
    return payload("Token usage that only the raw answer has.", siblings("raw_usage", "LLM", variants))


def tool_calls() -> Case:
    failed = json.dumps({"content": [{"type": "text", "text": "not found"}], "isError": True})
    arguments = {"tool.name": "search", "tool_call.function.arguments": json.dumps({"q": "x"})}
    schema = {"tool.parameters": json.dumps({"type": "object"})}
    variants = {
        "arguments": arguments | schema | {"output.value": "found"},
        "schema": {"tool.name": "search"} | schema | {"output.value": "found"},
        "error": arguments | {"output.value": failed},
    }
    return payload("What a tool was called with, and an error in its result.", siblings("tool_calls", "TOOL", variants))


def time_units() -> Case:
    traces = []
    for name, unit in {"seconds": 1000 * MILLISECOND_NS, "milliseconds": MILLISECOND_NS, "microseconds": 1000}.items():
        trace = Trace(f"time_units {name}")
        span = trace.span(name, "LLM", {"input.value": "hi", "output.value": "yo"}, end_ms=2000)
        span.start_time_unix_nano //= unit
        span.end_time_unix_nano //= unit
        traces.append(trace)
    return payload("Times in other units than nanoseconds.", *traces)


CASES = {
    "unflattened_messages": unflattened_messages,
    "unflattened_documents": unflattened_documents,
    "raw_usage": raw_usage,
    "tool_calls": tool_calls,
    "time_units": time_units,
}
