"""OpenInference beside other conventions."""

from capture.handbuilt.builder import Case, Trace, payload

_GEN_AI = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "asked-model",
    "gen_ai.response.model": "answered-model",
    "gen_ai.usage.input_tokens": 9,
    "gen_ai.usage.output_tokens": 4,
    "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]',
    "gen_ai.output.messages": (
        '[{"role": "assistant", "parts": [{"type": "text", "content": "hello"}], "finish_reason": "stop"}]'
    ),
}


def genai_only() -> Case:
    trace = Trace("genai_only")
    trace.span("chat", None, _GEN_AI)
    return payload("A span of OpenTelemetry's GenAI convention and nothing of OpenInference.", trace)


def genai_and_openinference() -> Case:
    trace = Trace("genai_and_openinference")
    trace.span("kind only", "LLM", _GEN_AI)
    full = {
        "llm.model_name": "openinference-model",
        "llm.token_count.prompt": 100,
        "llm.token_count.completion": 50,
        "input.value": "openinference input",
        "output.value": "openinference output",
    }
    trace.span("both", "LLM", _GEN_AI | full, parent="kind only")
    return payload("GenAI attributes that fill gaps, and GenAI attributes that OpenInference contradicts.", trace)


def traceloop_beside() -> Case:
    trace = Trace("traceloop_beside")
    other = {"traceloop.span.kind": "tool", "llm.request.type": "chat", "llm.usage.total_tokens": 77}
    trace.span("traceloop only", None, other | {"traceloop.entity.input": '{"a": 1}'})
    trace.span("both", "LLM", other | {"input.value": "openinference input"}, parent="traceloop only")
    return payload("Traceloop's attributes alone and beside OpenInference.", trace)


CASES = {function.__name__: function for function in (genai_only, genai_and_openinference, traceloop_beside)}
