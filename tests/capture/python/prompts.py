"""The prompts of every capture script: the same for each provider, so that fixtures differ only by instrumentation."""

import base64

from capture.python.model_api import ANSWERS

SYSTEM = "Answer in one sentence."
FIRST_QUESTION = "What is the capital of France?"
FIRST_ANSWER = "Paris is the capital of France."
SECOND_QUESTION = "And how many people live there?"
WEATHER_QUESTION = "How is the weather in Lisbon?"
WEATHER = "21 °C, sunny"
IMAGE_QUESTION = "What is in this picture?"

TOOL = "get_weather"
TOOL_DESCRIPTION = "The weather in a city, now."
TOOL_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "Name of the city."}},
    "required": ["city"],
}

# The tool and the conversation as OpenAI's API takes them, and the APIs that follow it.
CHAT_TOOL: dict = {
    "type": "function",
    "function": {"name": TOOL, "description": TOOL_DESCRIPTION, "parameters": TOOL_SCHEMA},
}
CHAT_DIALOGUE: list = [
    {"role": "system", "content": SYSTEM},
    {"role": "user", "content": FIRST_QUESTION},
    {"role": "assistant", "content": FIRST_ANSWER},
    {"role": "user", "content": SECOND_QUESTION},
]

DOCUMENTS = {
    "spans.md": "A span is one timed operation of a trace.",
    "traces.md": "A trace is the path of one request through an application.",
}
DOCUMENT_QUESTION = "What is a span?"

PNG = (ANSWERS / "red.png").read_bytes()
PNG_BASE64 = base64.b64encode(PNG).decode()
