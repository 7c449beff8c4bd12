"""Token counts and costs."""

from capture.handbuilt.builder import Case, Trace, payload, siblings

_PROMPT, _COMPLETION, _TOTAL = (f"llm.token_count.{part}" for part in ("prompt", "completion", "total"))
_CACHE_READ, _CACHE_WRITE = (f"llm.token_count.prompt_details.{part}" for part in ("cache_read", "cache_write"))

_COUNTS = {
    "int": 12,
    "integral double": 12.0,
    "fraction": 12.5,
    "text": "12",
    "text of a double": "12.0",
    "text of a text": '"12"',
    "padded text": " 12 ",
    "a word": "many",
    "true": True,
    "zero": 0,
    "negative": -3,
    "large": 2**53 + 1,
    "empty text": "",
}


def usage_odd_types() -> Case:
    variants = {name: {_PROMPT: count, _COMPLETION: 1} for name, count in _COUNTS.items()}
    return payload("Prompt counts in every form they are sent.", siblings("usage_odd_types", "LLM", variants))


def usage_partial() -> Case:
    trace = siblings(
        "usage_partial",
        "LLM",
        {
            "prompt": {_PROMPT: 5},
            "completion": {_COMPLETION: 6},
            "total": {_TOTAL: 11},
            "total disagrees": {_PROMPT: 5, _COMPLETION: 6, _TOTAL: 99},
            "cache beside prompt": {_PROMPT: 5, _CACHE_READ: 4, _CACHE_WRITE: 3},
            "cache alone": {_CACHE_READ: 4, _CACHE_WRITE: 3},
            "details": {
                _PROMPT: 5,
                "llm.token_count.completion_details.reasoning": 2,
                "llm.token_count.prompt_details.audio": 1,
            },
        },
    )
    return payload("Some counts without the others.", trace)


def usage_rollup() -> Case:
    trace = Trace("usage_rollup")
    trace.span("agent", "AGENT", {_PROMPT: 30, _COMPLETION: 12, _TOTAL: 42})
    trace.span("step", "CHAIN", parent="agent")
    trace.span("first", "LLM", {_PROMPT: 10, _COMPLETION: 4}, parent="step")
    trace.span("second", "LLM", {_PROMPT: 20, _COMPLETION: 8}, parent="step")
    return payload("A parent that repeats the sum of its descendants, two levels down.", trace)


def usage_preset() -> Case:
    trace = siblings(
        "usage_preset",
        "LLM",
        {
            "usage": {
                _PROMPT: 5,
                "mlflow.chat.tokenUsage": '{"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}',
            },
            "cost": {
                "llm.cost.total": 0.5,
                "mlflow.llm.cost": '{"input_cost": 0.1, "output_cost": 0.2, "total_cost": 0.3}',
            },
        },
    )
    return payload("The producer has set mlflow.chat.tokenUsage and mlflow.llm.cost itself.", trace)


def cost_sent() -> Case:
    trace = siblings(
        "cost_sent",
        "LLM",
        {
            "all three": {"llm.cost.prompt": 0.001, "llm.cost.completion": 0.002, "llm.cost.total": 0.003},
            "parts": {"llm.cost.prompt": 0.001, "llm.cost.completion": 0.002},
            "total": {"llm.cost.total": 0.0066},
            "prompt": {"llm.cost.prompt": 0.001},
            "text": {"llm.cost.prompt": "0.001", "llm.cost.completion": "0.002", "llm.cost.total": "0.003"},
            "whole number": {"llm.cost.prompt": 1, "llm.cost.completion": 2, "llm.cost.total": 3},
            "zero": {"llm.cost.prompt": 0.0, "llm.cost.completion": 0.0, "llm.cost.total": 0.0},
            "a word": {"llm.cost.total": "cheap"},
            "negative": {"llm.cost.total": -1.0},
        },
    )
    return payload("Costs that the producer knows.", trace)


def cost_beats_price_list() -> Case:
    trace = Trace("cost_beats_price_list")
    counted = {"llm.model_name": "gpt-4o-mini", "llm.provider": "openai", _PROMPT: 100, _COMPLETION: 50}
    trace.span(
        "root", "LLM", counted | {"llm.cost.prompt": 0.002, "llm.cost.completion": 0.0046, "llm.cost.total": 0.0066}
    )
    trace.span("listed", "LLM", counted, parent="root")
    return payload(
        "A cost beside tokens and a model for which MLflow has a price of its own; a child without a cost.", trace
    )


def cost_rollup() -> Case:
    trace = Trace("cost_rollup")
    trace.span("agent", "AGENT", {"llm.cost.prompt": 0.3, "llm.cost.completion": 0.6, "llm.cost.total": 0.9})
    for child, share in (("first", 0.1), ("second", 0.2)):
        costs = {"llm.cost.prompt": share, "llm.cost.completion": share * 2, "llm.cost.total": share * 3}
        trace.span(child, "LLM", costs, parent="agent")
    return payload("A parent that repeats the cost of its children.", trace)


CASES = {
    "usage_odd_types": usage_odd_types,
    "usage_partial": usage_partial,
    "usage_rollup": usage_rollup,
    "usage_preset": usage_preset,
    "cost_sent": cost_sent,
    "cost_beats_price_list": cost_beats_price_list,
    "cost_rollup": cost_rollup,
}
