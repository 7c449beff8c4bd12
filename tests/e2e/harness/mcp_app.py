"""An agent and the MCP server of its tool: two programs that talk over stdio, and each sends its own spans.

    python -m e2e.harness.mcp_app agent ENDPOINT|TRACKING_URI EXPERIMENT [--autolog] [--instrumented]

The agent starts the server with the same options. `ENDPOINT` is a traces URL of OTLP; with `--autolog` the Python package sends to
`TRACKING_URI` instead. Only with `--instrumented` is `openinference-instrumentation-mcp` there, in both.
"""

import argparse
import asyncio
import os
import sys

from openinference.instrumentation import OITracer, TraceConfig
from openinference.instrumentation.mcp import MCPInstrumentor
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from e2e.harness.mcp_scenario import AGENT, CITY, QUESTION, TOOL, WEATHER


def main() -> None:
    given = _arguments()
    provider = TracerProvider()
    trace.set_tracer_provider(provider)
    if given.autolog:
        # Most environments of the tests do not have what it needs.
        from e2e.harness import autolog

        autolog.start(given.destination, given.experiment)
    else:
        provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(given.destination)))
    if given.instrumented:
        # Before `mcp` is imported: a function that a module has taken from another is not wrapped any more.
        MCPInstrumentor().instrument()
    if given.role == "server":
        _serve(given.autolog)
    else:
        asyncio.run(_ask(["server", *sys.argv[2:]]))
        if given.autolog:
            autolog.require_delivered()


def _tracer() -> OITracer:
    return OITracer(trace.get_tracer("weather"), config=TraceConfig())


def _serve(has_autolog: bool) -> None:
    from mcp.server import FastMCP

    server = FastMCP("weather")

    @server.tool(name=TOOL)
    def get_weather(city: str) -> str:
        with _tracer().start_as_current_span(TOOL, openinference_span_kind="tool") as span:
            span.set_input({"city": city})
            span.set_output(WEATHER)
        if has_autolog:
            from e2e.harness import autolog

            # An agent does not wait long for the end of a server that it started.
            autolog.require_delivered()
        return WEATHER

    server.run()


async def _ask(server: list[str]) -> None:
    from mcp import ClientSession, StdioServerParameters
    from mcp.client import stdio

    program = StdioServerParameters(command=sys.executable, args=["-m", "e2e.harness.mcp_app", *server], env=dict(os.environ))
    with _tracer().start_as_current_span(AGENT, openinference_span_kind="agent") as span:
        span.set_input(QUESTION)
        async with stdio.stdio_client(program) as (read, write), ClientSession(read, write) as client:
            await client.initialize()
            found = await client.call_tool(TOOL, {"city": CITY})
        assert not found.isError, found
        span.set_output(found.content[0].text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("role", choices=("agent", "server"))
    parser.add_argument("destination", metavar="ENDPOINT|TRACKING_URI")
    parser.add_argument("experiment", metavar="EXPERIMENT", help="its name; an endpoint has one of its own")
    parser.add_argument("--autolog", action="store_true", help="send with the Python package")
    parser.add_argument("--instrumented", action="store_true", help="with openinference-instrumentation-mcp")
    return parser.parse_args()


if __name__ == "__main__":
    main()
