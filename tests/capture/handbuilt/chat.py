"""Conversations: what the convention names and instrumentors rarely send, and parts that only the raw value still has."""

import json

from capture.handbuilt.builder import Case, Trace, payload

_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_HIDDEN = "__REDACTED__"


def _messages(side: str, *messages: dict) -> dict:
    """`{"content": "hi"}` below `llm.<side>_messages.0.message.`"""
    return {
        f"llm.{side}_messages.{number}.message.{key}": value
        for number, message in enumerate(messages)
        for key, value in message.items()
    }


def _parts(*parts: dict) -> dict:
    return {
        f"contents.{number}.message_content.{key}": value
        for number, part in enumerate(parts)
        for key, value in part.items()
    }


def audio_parts() -> Case:
    trace = Trace("audio_parts")
    wav = {"type": "audio", "audio.audio.url": "data:audio/wav;base64,UklGRg=="}
    mp3 = {"type": "audio", "audio.audio.url": "SUQz", "audio.audio.mime_type": "audio/mpeg"}
    far = {"type": "audio", "audio.audio.url": "http://127.0.0.1/a.ogg", "audio.audio.mime_type": "audio/ogg"}
    said = {"type": "text", "text": "What is said here?"}
    asked = {"role": "user"} | _parts(said, wav | {"audio.audio.transcript": "It is sunny."}, mp3, far)
    answered = {"role": "assistant", "content": "It is sunny."}
    trace.span("listen", "LLM", _messages("input", asked) | _messages("output", answered))
    return payload("Audio as a data URL with its transcript, as bare base64, and at an address.", trace)


def redacted() -> Case:
    trace = Trace("redacted")
    raw = [{"role": "user", "content": [{"type": "text", "text": "secret"}]}, {"role": "developer", "content": "secret"}]
    hidden_text = {"role": "user"} | _parts({"type": "text", "text": _HIDDEN})
    hidden_image = {"role": "user"} | _parts({"type": "image", "image.image.url": _HIDDEN})
    answered = _messages("output", {"role": "assistant", "content": _HIDDEN})
    trace.span(
        "messages",
        "LLM",
        {"input.value": json.dumps(raw)} | _messages("input", hidden_text, hidden_image) | answered,
    )
    values = {"input.value": _HIDDEN, "output.value": _HIDDEN}
    trace.span("values", "LLM", values, parent="messages")
    trace.span("prompts", "LLM", {"llm.prompts": [_HIDDEN]}, parent="messages")
    return payload("Values, texts, pictures and prompts that are hidden, some beside raw values that show them.", trace)


def odd_calls() -> Case:
    trace = Trace("odd_calls")
    call = "tool_calls.{}.tool_call."
    asked = _messages(
        "input",
        {"role": "user", "content": "go"},
        {
            "role": "assistant",
            call.format(0) + "function.name": "add",
            call.format(0) + "function.arguments": {"a": 1, "b": [2.5, True]},
            call.format(1) + "id": 7,
            call.format(1) + "function.name": "wait",
            call.format(1) + "function.arguments": 3,
            call.format(2) + "id": "named_by_nobody",
        },
        {"role": "tool", "name": "add", "content": "4.5"},
        {"role": "tool", "tool_call_id": "7", "content": "waited"},
    )
    trace.span("call", "LLM", asked | _messages("output", {"role": "assistant", "content": "done"}))
    return payload("Calls with arguments that are no text, without an id, with a number for one, and without a name.", trace)


_GEN_AI = {
    "gen_ai.operation.name": "chat",
    "gen_ai.system_instructions": '[{"type": "text", "content": "Be brief."}]',
    "gen_ai.tool.definitions": json.dumps(
        [{"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}}]
    ),
    "gen_ai.input.messages": json.dumps(
        [
            {
                "role": "user",
                "parts": [
                    {"type": "text", "content": "How is the weather here?"},
                    {"type": "blob", "modality": "image", "mime_type": "image/png", "content": _PNG},
                    {"type": "uri", "modality": "image", "uri": "http://127.0.0.1/map.png"},
                    {"type": "file", "modality": "image", "file_id": "file-1"},
                ],
            },
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "This is Lisbon."},
                    {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Lisbon"}},
                ],
            },
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "sunny"}]},
        ]
    ),
    "gen_ai.output.messages": json.dumps(
        [{"role": "assistant", "parts": [{"type": "text", "content": "Sunny."}], "finish_reason": "stop"}]
    ),
}


def genai_messages() -> Case:
    trace = Trace("genai_messages")
    trace.span("alone", "LLM", _GEN_AI)
    rebuilt = _messages("input", {"role": "user", "content": "How is the weather here?"})
    rebuilt |= _messages("output", {"role": "assistant", "content": "Sunny."})
    trace.span("told in part", "LLM", _GEN_AI | rebuilt, parent="alone")
    return payload("Messages of OpenTelemetry's GenAI convention, alone and beside others that lack parts of them.", trace)


def lost_parts() -> Case:
    trace = Trace("lost_parts")
    results = [
        {"toolResult": {"toolUseId": "c1", "content": [{"text": "sunny"}]}},
        {"toolResult": {"toolUseId": "c2", "content": [{"json": {"rain": 3}}]}},
    ]
    uses = [{"toolUse": {"toolUseId": f"c{n}", "name": "weather", "input": {"day": n}}} for n in (1, 2)]
    bedrock = [
        {"role": "user", "content": [{"text": "How is it?"}]},
        {"role": "assistant", "content": uses},
        {"role": "user", "content": results},
    ]
    answer = {"output": {"message": {"role": "assistant", "content": [{"text": "Mixed."}]}}}
    rebuilt = _messages("input", {"role": "user", "content": "How is it?"}, {"role": "assistant"}, {"role": "user"})
    trace.span("Bedrock", "LLM", {"input.value": json.dumps({"messages": bedrock}), "output.value": json.dumps(answer)} | rebuilt)
    contents = [{"role": "user", "parts": [{"text": "Look."}, {"inline_data": {"mime_type": "image/png", "data": _PNG}}]}]
    candidate = {"content": {"role": "model", "parts": [{"text": "A dot."}]}}
    gemini = {
        "input.value": json.dumps({"contents": contents}),
        "output.value": json.dumps({"candidates": [candidate]}),
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "Look.",
    }
    trace.span("Gemini", "LLM", gemini, parent="Bedrock")
    return payload("What tools found, a picture and answers that are in the raw values alone.", trace)


CASES = {
    function.__name__: function for function in (audio_parts, redacted, odd_calls, genai_messages, lost_parts)
}
