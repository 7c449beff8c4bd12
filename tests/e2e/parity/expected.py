"""Expected results of the mapping rules, computed independently from what MLflow shows of a span.

Written from the rules and in another language than the gateway, so that one mistake is not made twice.
"""

import json
import math
from collections.abc import Iterator

from mlflow.tracing.utils.truncation import _get_truncated_preview

_KINDS = ("LLM", "EMBEDDING", "TOOL", "RETRIEVER", "AGENT", "CHAIN", "RERANKER", "GUARDRAIL", "EVALUATOR")
# MLflow has no such types. It draws its own LangChain prompts as chains; a decision is a call to a model.
_CLOSEST = {"PROMPT": "CHAIN", "DECISION": "LLM"}
# Without a usable kind, the attribute keys decide, in this order.
_FAMILIES = {
    "llm.": "LLM",
    "reranker.": "RERANKER",
    "retrieval.": "RETRIEVER",
    "embedding.": "EMBEDDING",
    "tool.": "TOOL",
}
_TOKENS = "llm.token_count."
_COUNTS = {
    "input_tokens": _TOKENS + "prompt",
    "output_tokens": _TOKENS + "completion",
    "total_tokens": _TOKENS + "total",
    "cache_read_input_tokens": _TOKENS + "prompt_details.cache_read",
    "cache_creation_input_tokens": _TOKENS + "prompt_details.cache_write",
}
_COSTS = {
    "input_cost": "llm.cost.prompt",
    "output_cost": "llm.cost.completion",
    "total_cost": "llm.cost.total",
}


def span_type(attributes: dict) -> str:
    kind = str(attributes.get("openinference.span.kind", "")).strip().upper()
    if kind in _CLOSEST:
        return _CLOSEST[kind]
    if kind in _KINDS:
        return kind
    families = (found for prefix, found in _FAMILIES.items() if any(key.startswith(prefix) for key in attributes))
    return next(families, "UNKNOWN")


def count(value: object) -> int | None:
    """A token count: a whole number of at least 0, or the text of one; never a boolean."""
    if isinstance(value, str):
        try:
            value = json.loads(value.strip())
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or value != math.floor(value):
        return None
    return int(value)


def token_usage(attributes: dict) -> dict[str, int] | None:
    found = {name: count(attributes.get(key)) for name, key in _COUNTS.items()}
    sends_main_count = found["input_tokens"] is not None or found["output_tokens"] is not None
    for name, number in _raw_usage(attributes).items():
        if found[name] is None and not (name == "total_tokens" and sends_main_count):
            found[name] = number
    if found["total_tokens"] is None and None not in (found["input_tokens"], found["output_tokens"]):
        found["total_tokens"] = found["input_tokens"] + found["output_tokens"]
    known = {name: number for name, number in found.items() if number is not None}
    return known if known.keys() & {"input_tokens", "output_tokens", "total_tokens"} else None


def _raw_usage(attributes: dict) -> dict[str, int]:
    """The counts in a model's raw answer; of a stream, those of the last event that has some."""
    if span_type(attributes) not in {"LLM", "CHAT_MODEL", "EMBEDDING"}:
        return {}
    answer = attributes.get("output.value")
    if isinstance(answer, str):
        try:
            answer = json.loads(answer)
        except ValueError:
            return {}
    events = answer if isinstance(answer, list) else [answer]
    found = [usage for event in events if isinstance(event, dict) and (usage := _usage_of(event))]
    return found[-1] if found else {}


def _usage_of(event: dict) -> dict[str, int]:
    places = [event, *(event.get(name) for name in ("response", "message", "metadata"))]
    held = [place.get(name) for place in places if isinstance(place, dict) for name in ("usage", "usageMetadata", "usage_metadata")]
    usage = next((each for each in held if isinstance(each, dict)), {})
    details = usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}

    def total(*names: str) -> int | None:
        numbers = [usage[name] for name in names if isinstance(usage.get(name), int)]
        return sum(numbers) if numbers else None

    # Anthropic and Bedrock count what the cache holds apart, Gemini what the model thinks.
    cache_read = ("cache_read_input_tokens", "cacheReadInputTokens")
    cache_creation = ("cache_creation_input_tokens", "cacheWriteInputTokens")
    counts = {
        "input_tokens": total(
            *("prompt_tokens", "input_tokens", "inputTokens", "promptTokenCount", "prompt_token_count"),
            *(*cache_read, *cache_creation, "toolUsePromptTokenCount", "tool_use_prompt_token_count"),
        ),
        "output_tokens": total(
            *("completion_tokens", "output_tokens", "outputTokens", "candidatesTokenCount", "candidates_token_count"),
            *("thoughtsTokenCount", "thoughts_token_count"),
        ),
        "total_tokens": total("total_tokens", "totalTokens", "totalTokenCount", "total_token_count"),
        "cache_read_input_tokens": details.get("cached_tokens")
        or total(*cache_read, "cachedContentTokenCount", "cached_content_token_count")
        or None,
        "cache_creation_input_tokens": total(*cache_creation) or None,
    }
    return {name: number for name, number in counts.items() if number is not None}


def cost(attributes: dict) -> dict[str, float] | None:
    """All three or none. A missing one follows from the other two; of what one alone leaves open, nothing was paid."""
    given = {name: _number(attributes.get(key)) for name, key in _COSTS.items()}
    part, other, total = given.values()
    if part is None and other is None and total is None:
        return None
    if total is None:
        part, other = part or 0.0, other or 0.0
        total = part + other
    elif part is None and other is None:
        part = other = 0.0
    elif part is None:
        part = max(total - other, 0.0)
    elif other is None:
        other = max(total - part, 0.0)
    return dict(zip(given, (part, other, total), strict=True))


def _number(value: object) -> float | None:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def tags(attributes: dict) -> dict[str, str]:
    """Trace tags from `tag.tags` (each a tag of that name, `true`) and from the entries of `metadata`."""
    found = {tag: "true" for tag in _texts(attributes.get("tag.tags", []))}
    metadata = attributes.get("metadata", {})
    if isinstance(metadata, dict):
        found |= {key: value if isinstance(value, str) else json.dumps(value) for key, value in metadata.items()}
    return found


def _texts(value: object) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [item if isinstance(item, str) else json.dumps(item) for item in items]


def is_openinference(span: dict) -> bool:
    families = ("openinference.", "llm.", "input.", "output.", "retrieval.", "embedding.", "tool.", "reranker.")
    # Traceloop's, though they begin like OpenInference's.
    others = ("llm.usage.", "llm.request.type")
    return any(key.startswith(families) and not key.startswith(others) for key in span["attributes"])


def outermost_span(trace: dict) -> dict | None:
    """The outermost OpenInference span, the earliest of several: it names the trace."""
    spans = trace["spans"]

    def is_outermost(span: dict) -> bool:
        return is_openinference(span) and not any(is_openinference(each) for each in ancestors(span, spans))

    outermost = [span for span in spans.values() if is_outermost(span)]
    return min(outermost, key=lambda span: span["start_ns"], default=None)


def roots(trace: dict) -> list[dict]:
    return [span for span in trace["spans"].values() if span["parent_id"] is None]


def ancestors(span: dict, spans: dict[str, dict]) -> Iterator[dict]:
    """Those that are stored, nearest first; a cycle ends the walk."""
    seen: set[str] = set()
    parent = span["parent_id"]
    while parent in spans and parent not in seen:
        seen.add(parent)
        yield spans[parent]
        parent = spans[parent]["parent_id"]


def preview(value: object, role: str) -> str | None:
    """What MLflow itself would show of these inputs (`user`) or outputs (`assistant`) in the list of traces."""
    return None if value is None else _get_truncated_preview(json.dumps(value, ensure_ascii=False), role)


def tree_sum(trace: dict, attribute: str, keys: tuple[str, ...]) -> dict[str, float] | None:
    """The sum of a per-span object over the trace: `keys` in any case, others where they occur.

    A span does not count below one that has the object itself.
    """
    spans = trace["spans"]

    def of(span: dict) -> dict | None:
        return span["attributes"].get(attribute)

    counted = [of(span) for span in spans.values() if of(span) and not any(map(of, ancestors(span, spans)))]
    found = dict.fromkeys((*keys, *(key for each in counted for key in each)))
    return {key: sum(each.get(key, 0) for each in counted) for key in found} if counted else None
