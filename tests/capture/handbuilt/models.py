"""Which model and provider a span names."""

from capture.handbuilt.builder import Case, payload, siblings

_RESPONSE, _MODEL, _REQUEST, _EMBEDDING = (
    *("llm.response.model_name", "llm.model_name"),
    *("llm.request.model_name", "embedding.model_name"),
)


def model_precedence() -> Case:
    trace = siblings(
        "model_precedence",
        "LLM",
        {
            "all": {_REQUEST: "asked", _EMBEDDING: "embed", _MODEL: "named", _RESPONSE: "answered"},
            "named over asked": {_REQUEST: "asked", _MODEL: "named"},
            "asked over embed": {_EMBEDDING: "embed", _REQUEST: "asked"},
            "embed": {_EMBEDDING: "embed"},
            "in the inputs": {"input.value": '{"model": "from inputs"}', "output.value": '{"model": "from outputs"}'},
            "in the outputs": {"input.value": '{"q": 1}', "output.value": '{"model": "from outputs"}'},
            "not a string in the inputs": {"input.value": '{"model": {"name": "x"}}'},
            "empty": {_MODEL: "", _REQUEST: "asked"},
            "a number": {_MODEL: 4},
            "nowhere": {"input.value": "text"},
        },
    )
    return payload("Every place for a model name, alone and beside others.", trace)


def model_provider() -> Case:
    trace = siblings(
        "model_provider",
        "LLM",
        {
            "provider": {"llm.provider": "anthropic", _MODEL: "claude-sonnet-4-5"},
            "system only": {"llm.system": "openai", _MODEL: "gpt-4o-mini"},
            "preset": {"llm.provider": "openai", "mlflow.llm.provider": "azure", "mlflow.llm.model": "deployment-1"},
        },
    )
    return payload("Provider, system, and both set by the producer for MLflow.", trace)


CASES = {"model_precedence": model_precedence, "model_provider": model_provider}
