"""Captures `openinference-instrumentation-bedrock`: `py_bedrock_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

import json

import boto3
from openinference.instrumentation.bedrock import BedrockInstrumentor

from capture.python import prompts, event_stream
from capture.python.model_api import ModelApi

_MODEL = "anthropic.claude-3-5-sonnet-20240620-v1:0"
_TOOL_CONFIG = {
    "tools": [
        {
            "toolSpec": {
                "name": prompts.TOOL,
                "description": prompts.TOOL_DESCRIPTION,
                "inputSchema": {"json": prompts.TOOL_SCHEMA},
            }
        }
    ]
}


def _client(api: ModelApi):
    return boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=api.uri,
        aws_access_key_id="not-a-real-key",
        aws_secret_access_key="not-a-real-key",
    )


def conversation(api: ModelApi) -> None:
    with api.answering("bedrock/converse.json"):
        _client(api).converse(
            modelId=_MODEL,
            system=[{"text": prompts.SYSTEM}],
            messages=[
                {"role": "user", "content": [{"text": prompts.FIRST_QUESTION}]},
                {"role": "assistant", "content": [{"text": prompts.FIRST_ANSWER}]},
                {"role": "user", "content": [{"text": prompts.SECOND_QUESTION}]},
            ],
            inferenceConfig={"maxTokens": 256, "temperature": 0.2},
        )


def tool_result(api: ModelApi) -> None:
    client = _client(api)
    messages: list = [{"role": "user", "content": [{"text": prompts.WEATHER_QUESTION}]}]
    with api.answering("bedrock/tool_use.json", "bedrock/tool_result.json"):
        first = client.converse(modelId=_MODEL, messages=messages, toolConfig=_TOOL_CONFIG)
        reply = first["output"]["message"]
        call = next(block["toolUse"] for block in reply["content"] if "toolUse" in block)
        result = {"toolUseId": call["toolUseId"], "content": [{"text": prompts.WEATHER}], "status": "success"}
        messages += [reply, {"role": "user", "content": [{"toolResult": result}]}]
        client.converse(modelId=_MODEL, messages=messages, toolConfig=_TOOL_CONFIG)


def streaming(api: ModelApi) -> None:
    with api.answering(event_stream.from_file("bedrock/tool_use.events.json")):
        answer = _client(api).converse_stream(
            modelId=_MODEL,
            system=[{"text": prompts.SYSTEM}],
            messages=[{"role": "user", "content": [{"text": prompts.WEATHER_QUESTION}]}],
            toolConfig=_TOOL_CONFIG,
        )
        for _ in answer["stream"]:
            pass


def image(api: ModelApi) -> None:
    content = [{"text": prompts.IMAGE_QUESTION}, {"image": {"format": "png", "source": {"bytes": prompts.PNG}}}]
    with api.answering("bedrock/image.json"):
        _client(api).converse(modelId=_MODEL, messages=[{"role": "user", "content": content}])


def invoke_model(api: ModelApi) -> None:
    """The older call, whose body is the provider's own."""
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 256,
        "system": prompts.SYSTEM,
        "messages": [{"role": "user", "content": [{"type": "text", "text": prompts.FIRST_QUESTION}]}],
    }
    with api.answering("anthropic/message.json"):
        _client(api).invoke_model(modelId=_MODEL, body=json.dumps(body))["body"].read()


if __name__ == "__main__":
    record(
        "bedrock",
        ("openinference-instrumentation-bedrock", "boto3"),
        lambda provider: BedrockInstrumentor().instrument(tracer_provider=provider),
        {
            "conversation": conversation,
            "tool_result": tool_result,
            "streaming": streaming,
            "image": image,
            "invoke_model": invoke_model,
        },
    )
