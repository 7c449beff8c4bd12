"""Captures `openinference-instrumentation-bedrock`: `py_bedrock_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

import json

import boto3
from openinference.instrumentation.bedrock import BedrockInstrumentor

from capture.python import asked, event_stream
from capture.python.model_api import ModelApi

_MODEL = "anthropic.claude-3-5-sonnet-20240620-v1:0"
_TOOL_CONFIG = {
    "tools": [
        {
            "toolSpec": {
                "name": asked.TOOL,
                "description": asked.TOOL_DESCRIPTION,
                "inputSchema": {"json": asked.TOOL_SCHEMA},
            }
        }
    ]
}


def _client(api: ModelApi):
    return boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=api.url,
        aws_access_key_id="not-a-real-key",
        aws_secret_access_key="not-a-real-key",
    )


def conversation(api: ModelApi) -> None:
    with api.answering("bedrock/converse.json"):
        _client(api).converse(
            modelId=_MODEL,
            system=[{"text": asked.SYSTEM}],
            messages=[
                {"role": "user", "content": [{"text": asked.FIRST_QUESTION}]},
                {"role": "assistant", "content": [{"text": asked.FIRST_ANSWER}]},
                {"role": "user", "content": [{"text": asked.SECOND_QUESTION}]},
            ],
            inferenceConfig={"maxTokens": 256, "temperature": 0.2},
        )


def tool_result(api: ModelApi) -> None:
    client = _client(api)
    messages: list = [{"role": "user", "content": [{"text": asked.WEATHER_QUESTION}]}]
    with api.answering("bedrock/tool_use.json", "bedrock/tool_result.json"):
        first = client.converse(modelId=_MODEL, messages=messages, toolConfig=_TOOL_CONFIG)
        reply = first["output"]["message"]
        call = next(block["toolUse"] for block in reply["content"] if "toolUse" in block)
        result = {"toolUseId": call["toolUseId"], "content": [{"text": asked.WEATHER}], "status": "success"}
        messages += [reply, {"role": "user", "content": [{"toolResult": result}]}]
        client.converse(modelId=_MODEL, messages=messages, toolConfig=_TOOL_CONFIG)


def streaming(api: ModelApi) -> None:
    with api.answering(event_stream.from_file("bedrock/tool_use.events.json")):
        answer = _client(api).converse_stream(
            modelId=_MODEL,
            system=[{"text": asked.SYSTEM}],
            messages=[{"role": "user", "content": [{"text": asked.WEATHER_QUESTION}]}],
            toolConfig=_TOOL_CONFIG,
        )
        for _ in answer["stream"]:
            pass


def image(api: ModelApi) -> None:
    content = [{"text": asked.IMAGE_QUESTION}, {"image": {"format": "png", "source": {"bytes": asked.PNG}}}]
    with api.answering("bedrock/image.json"):
        _client(api).converse(modelId=_MODEL, messages=[{"role": "user", "content": content}])


def invoke_model(api: ModelApi) -> None:
    """The older call, whose body is the provider's own."""
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 256,
        "system": asked.SYSTEM,
        "messages": [{"role": "user", "content": [{"type": "text", "text": asked.FIRST_QUESTION}]}],
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
