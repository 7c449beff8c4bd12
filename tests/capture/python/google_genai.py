"""Captures `openinference-instrumentation-google-genai`: `py_google_genai_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

from google import genai
from google.genai import types
from openinference.instrumentation.google_genai import GoogleGenAIInstrumentor

from capture.python import prompts
from capture.python.model_api import ModelApi

_MODEL = "gemini-2.5-flash"
_DECLARATION = types.FunctionDeclaration(
    name=prompts.TOOL, description=prompts.TOOL_DESCRIPTION, parameters_json_schema=prompts.TOOL_SCHEMA
)


def _client(api: ModelApi) -> genai.Client:
    """To be kept while it is used: it closes its connections when nothing refers to it any more."""
    return genai.Client(api_key="not-a-real-key", http_options=types.HttpOptions(base_url=api.uri))


def _said(role: str, text: str) -> types.Content:
    return types.Content(role=role, parts=[types.Part(text=text)])


def _conversation() -> dict:
    return {
        "model": _MODEL,
        "contents": [
            _said("user", prompts.FIRST_QUESTION),
            _said("model", prompts.FIRST_ANSWER),
            _said("user", prompts.SECOND_QUESTION),
        ],
        "config": types.GenerateContentConfig(system_instruction=prompts.SYSTEM, temperature=0.2),
    }


def conversation(api: ModelApi) -> None:
    client = _client(api)
    with api.answering("google/generate.json"):
        client.models.generate_content(**_conversation())


def streaming(api: ModelApi) -> None:
    client = _client(api)
    with api.answering("google/generate.sse"):
        for _ in client.models.generate_content_stream(**_conversation()):
            pass


def tool_result(api: ModelApi) -> None:
    client = _client(api)
    contents = [_said("user", prompts.WEATHER_QUESTION)]
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[_DECLARATION])])
    with api.answering("google/function_call.json", "google/function_result.json"):
        first = client.models.generate_content(model=_MODEL, contents=contents, config=config)
        answer = types.Part.from_function_response(name=prompts.TOOL, response={"result": prompts.WEATHER})
        contents += [first.candidates[0].content, types.Content(role="user", parts=[answer])]
        client.models.generate_content(model=_MODEL, contents=contents, config=config)


def image(api: ModelApi) -> None:
    picture = types.Part.from_bytes(data=prompts.PNG, mime_type="image/png")
    client = _client(api)
    with api.answering("google/image.json"):
        client.models.generate_content(model=_MODEL, contents=[picture, prompts.IMAGE_QUESTION])


if __name__ == "__main__":
    record(
        "google_genai",
        ("openinference-instrumentation-google-genai", "google-genai"),
        lambda provider: GoogleGenAIInstrumentor().instrument(tracer_provider=provider),
        {"conversation": conversation, "streaming": streaming, "tool_result": tool_result, "image": image},
    )
