"""Captures `openinference-instrumentation-vertexai`: `py_vertexai_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

import vertexai
from google.auth.credentials import AnonymousCredentials
from openinference.instrumentation.vertexai import VertexAIInstrumentor
from vertexai.generative_models import Content, FunctionDeclaration, GenerationConfig, GenerativeModel, Part, Tool

from capture.python import prompts
from capture.python.model_api import ModelApi

_MODEL = "gemini-2.5-flash"
_DECLARATION = FunctionDeclaration(name=prompts.TOOL, description=prompts.TOOL_DESCRIPTION, parameters=prompts.TOOL_SCHEMA)


def _connect(api: ModelApi) -> None:
    vertexai.init(
        project="project", location="us-central1", api_transport="rest", api_endpoint=api.uri, credentials=AnonymousCredentials()
    )


def _said(role: str, text: str) -> Content:
    return Content(role=role, parts=[Part.from_text(text)])


def conversation(api: ModelApi) -> None:
    _connect(api)
    said = [_said("user", prompts.FIRST_QUESTION), _said("model", prompts.FIRST_ANSWER), _said("user", prompts.SECOND_QUESTION)]
    model = GenerativeModel(_MODEL, system_instruction=prompts.SYSTEM)
    with api.answering("google/generate.json"):
        model.generate_content(said, generation_config=GenerationConfig(temperature=0.2))


def tool_result(api: ModelApi) -> None:
    _connect(api)
    model = GenerativeModel(_MODEL, tools=[Tool(function_declarations=[_DECLARATION])])
    asked = [_said("user", prompts.WEATHER_QUESTION)]
    with api.answering("google/function_call.json", "google/function_result.json"):
        first = model.generate_content(asked)
        result = Content(role="user", parts=[Part.from_function_response(prompts.TOOL, {"result": prompts.WEATHER})])
        model.generate_content([*asked, first.candidates[0].content, result])


if __name__ == "__main__":
    record(
        "vertexai",
        ("openinference-instrumentation-vertexai", "google-cloud-aiplatform"),
        lambda provider: VertexAIInstrumentor().instrument(tracer_provider=provider),
        {"conversation": conversation, "tool_result": tool_result},
    )
