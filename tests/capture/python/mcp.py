"""Captures `openinference-instrumentation-mcp`: `py_mcp_<scenario>.pb`.

It makes no spans: it carries the context of a trace from a client to its server. Here client and server talk over HTTP, so that
nothing else ties the span of the tool to the agent's. From 2.0 on, `mcp` carries the context itself and makes spans, so that this
is a version before it.
"""

from capture.python.recorder import record  # isort: skip

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from mcp import ClientSession
from mcp.client import streamable_http
from mcp.server import FastMCP
from openinference.instrumentation import OITracer, TraceConfig
from openinference.instrumentation.mcp import MCPInstrumentor
from opentelemetry import trace

from capture.python import prompts
from capture.python.model_api import ModelApi


def _tracer() -> OITracer:
    return OITracer(trace.get_tracer("weather"), config=TraceConfig())


def _server() -> FastMCP:
    server = FastMCP("weather")

    @server.tool(name=prompts.TOOL, description=prompts.TOOL_DESCRIPTION)
    def get_weather(city: str) -> str:
        with _tracer().start_as_current_span(prompts.TOOL, openinference_span_kind="tool") as span:
            span.set_input({"city": city})
            span.set_output(prompts.WEATHER)
        return f"{city}: {prompts.WEATHER}"

    return server


@asynccontextmanager
async def _served() -> AsyncIterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(_server().streamable_http_app(), log_level="error"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
    finally:
        server.should_exit = True
        await serving


async def _ask() -> None:
    async with _served() as url:
        with _tracer().start_as_current_span("weather_agent", openinference_span_kind="agent") as span:
            span.set_input(prompts.WEATHER_QUESTION)
            # Instrumented is the module's function, after the import.
            async with streamable_http.streamable_http_client(url) as (read, write, _), ClientSession(read, write) as client:
                await client.initialize()
                found = await client.call_tool(prompts.TOOL, {"city": "Lisbon"})
            span.set_output(found.content[0].text)


def tool(_: ModelApi) -> None:
    """An agent that calls a tool of a server, which makes a span of its own."""
    asyncio.run(_ask())


if __name__ == "__main__":
    record(
        "mcp",
        ("openinference-instrumentation-mcp", "mcp"),
        lambda provider: MCPInstrumentor().instrument(tracer_provider=provider),
        {"tool": tool},
    )
