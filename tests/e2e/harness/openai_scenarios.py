"""What the example application does: one function for each way of calling the API.

Capture scripts and end-to-end tests run the same ones, so that a fixture shows what a test checks.
"""

import base64
import hashlib
import struct
import zlib
from collections.abc import Callable

import openai
from openinference.instrumentation import using_attributes
from opentelemetry import trace

from e2e.harness import mock_openai_answers as answers

CHAT_MODEL = "gpt-4o-mini"
EMBEDDING_MODEL = "text-embedding-3-small"
CHAT_QUESTION = "What is the capital of France?"
SESSION, USER = "session-7", "user-42"
METADATA = {"tier": "gold", "attempt": 2}
TAGS = ["smoke", "nightly"]

_TOOLS = [
    {
        "type": "function",
        "function": {
            "name": answers.TOOL_NAME,
            "description": "The weather in a city, now.",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string"},
                    "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
                },
                "required": ["city"],
            },
        },
    }
]


def chat(client: openai.OpenAI) -> None:
    client.chat.completions.create(
        model=CHAT_MODEL,
        temperature=0.2,
        messages=[{"role": "system", "content": "Answer briefly."}, {"role": "user", "content": CHAT_QUESTION}],
    )


def tools(client: openai.OpenAI) -> None:
    """Ask, run the tool the model wants, send it the result: three spans below one of the application's own."""
    tracer = trace.get_tracer("weather-service")
    messages: list = [{"role": "user", "content": "How is the weather in Lisbon?"}]
    with tracer.start_as_current_span("answer", attributes={"openinference.span.kind": "AGENT"}):
        first = client.chat.completions.create(model=CHAT_MODEL, messages=messages, tools=_TOOLS)
        call = first.choices[0].message.tool_calls[0]
        with tracer.start_as_current_span(call.function.name) as span:
            span.set_attribute("openinference.span.kind", "TOOL")
            span.set_attribute("tool.name", call.function.name)
            span.set_attribute("input.value", call.function.arguments)
            span.set_attribute("input.mime_type", "application/json")
            span.set_attribute("output.value", "21 °C, sunny")
        messages += [
            first.choices[0].message.model_dump(exclude_none=True),
            {"role": "tool", "tool_call_id": call.id, "content": "21 °C, sunny"},
        ]
        client.chat.completions.create(model=CHAT_MODEL, messages=messages, tools=_TOOLS)


def streaming(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model=CHAT_MODEL,
        messages=[{"role": "user", "content": "Count to three."}],
        stream=True,
        stream_options={"include_usage": True},
    )
    for _ in stream:
        pass


def embeddings(client: openai.OpenAI) -> None:
    client.embeddings.create(model=EMBEDDING_MODEL, input=["first text", "second text"])


def error(client: openai.OpenAI) -> None:
    try:
        client.chat.completions.create(model="no-such-model", messages=[{"role": "user", "content": "Hello?"}])
    except openai.NotFoundError:
        return
    raise SystemExit("the mock model API should have refused this model")


def responses(client: openai.OpenAI) -> None:
    client.responses.create(model=CHAT_MODEL, instructions="One sentence.", input="What is a span?")


def context(client: openai.OpenAI) -> None:
    """Session, user, metadata and tags, as OpenInference lets an application set them for everything in a block."""
    with using_attributes(session_id=SESSION, user_id=USER, metadata=METADATA, tags=TAGS):
        chat(client)


def picture(client: openai.OpenAI) -> None:
    """A conversation about a picture: the second call repeats the first one's messages, as chats do."""
    url = f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}"
    parts: list = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": url}}]
    messages: list = [{"role": "user", "content": parts}]
    with trace.get_tracer("weather-service").start_as_current_span("look"):
        first = client.chat.completions.create(model=CHAT_MODEL, messages=messages)
        messages += [
            first.choices[0].message.model_dump(exclude_none=True),
            {"role": "user", "content": "Are you sure?"},
        ]
        client.chat.completions.create(model=CHAT_MODEL, messages=messages)


def _noise(side: int) -> bytes:
    """A PNG of as many pixels a side, which compress badly."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + hashlib.shake_256(bytes([row])).digest(3 * side) for row in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


# 64 pixels a side: 12 KB.
PICTURE = _noise(64)

# What the application does when it is asked for nothing else.
SCENARIOS: dict[str, Callable[[openai.OpenAI], None]] = {
    "chat": chat,
    "tools": tools,
    "streaming": streaming,
    "embeddings": embeddings,
    "error": error,
    "responses": responses,
    "context": context,
}
ON_REQUEST = {"picture": picture}
