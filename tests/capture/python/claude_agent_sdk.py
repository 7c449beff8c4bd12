"""Captures `openinference-instrumentation-claude-agent-sdk`: `py_claude_agent_sdk_<scenario>.pb`.

The SDK runs the agent's command line, which it brings with it, as a process of its own. It knows no other API than the one here.
"""

from capture.python.recorder import record  # isort: skip

import asyncio
import os
import tempfile

import claude_agent_sdk
from openinference.instrumentation.claude_agent_sdk import ClaudeAgentSDKInstrumentor

from capture.python import prompts
from capture.python.model_api import ModelApi

_SERVER = "weather"


@claude_agent_sdk.tool(prompts.TOOL, prompts.TOOL_DESCRIPTION, prompts.TOOL_SCHEMA)
async def get_weather(arguments: dict) -> dict:
    return {"content": [{"type": "text", "text": f"{arguments['city']}: {prompts.WEATHER}"}]}


async def _ask(api: ModelApi, folder: str) -> None:
    options = claude_agent_sdk.ClaudeAgentOptions(
        model="claude-sonnet-5-5",
        system_prompt=prompts.SYSTEM,
        mcp_servers={_SERVER: claude_agent_sdk.create_sdk_mcp_server(_SERVER, tools=[get_weather])},
        allowed_tools=[f"mcp__{_SERVER}__{prompts.TOOL}"],
        tools=[],
        setting_sources=[],
        cwd=folder,
        env={
            "ANTHROPIC_API_KEY": "not-a-real-key",
            "ANTHROPIC_BASE_URL": api.uri,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        },
    )
    async for _ in claude_agent_sdk.query(prompt=prompts.WEATHER_QUESTION, options=options):
        pass


def agent(api: ModelApi) -> None:
    """An agent that calls a tool of this process and answers."""
    # The command line reads nobody's settings, and gets no variables that belong to another one.
    with tempfile.TemporaryDirectory() as folder, api.answering("anthropic/agent_tool_use.sse", "anthropic/tool_result.sse"):
        kept = {key: value for key, value in os.environ.items() if key in {"PATH", "NO_PROXY", "DO_NOT_TRACK"}}
        os.environ.clear()
        os.environ.update(kept, HOME=folder, CLAUDE_CONFIG_DIR=folder)
        asyncio.run(_ask(api, folder))


if __name__ == "__main__":
    record(
        "claude_agent_sdk",
        ("openinference-instrumentation-claude-agent-sdk", "claude-agent-sdk"),
        lambda provider: ClaudeAgentSDKInstrumentor().instrument(tracer_provider=provider),
        {"agent": agent},
    )
