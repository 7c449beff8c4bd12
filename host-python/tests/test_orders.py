"""Every start-up order of `autolog()`, instrumentor, provider and first span: each span once, with its parent.

Each order runs in a fork of this process, once with and once without `autolog()`: what the application's own processor
gets must not differ.
"""

from __future__ import annotations

import itertools
import json
import os
import traceback

import openai
import phoenix.otel
import pytest
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import openinference_mlflow as om
from conftest import FakeMlflow

ORDERS = [
    order
    for provider in ("none", "sdk", "phoenix")
    for order in itertools.permutations(("autolog", "instrumentor", provider, "first-span"))
    if provider != "none" or order.index("none") == 0
]


def work(name: str, uri: str) -> None:
    client = openai.OpenAI(api_key="none", base_url=f"{uri}/v1", max_retries=0)
    with trace.get_tracer("app").start_as_current_span(name):
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello"}])


def run(order: tuple[str, ...], uri: str, *, with_autolog: bool) -> list[list[str | None]]:
    """In a child: what the application's processor got, as names with the names of parents."""
    kept = InMemorySpanExporter()

    def provide(provider: TracerProvider) -> None:
        TracerProvider.add_span_processor(provider, SimpleSpanProcessor(kept))

    def sdk() -> None:
        provider = TracerProvider()
        provide(provider)
        trace.set_tracer_provider(provider)

    steps = {
        "autolog": lambda: om.autolog(tracking_uri=uri, experiment="x") if with_autolog else None,
        "instrumentor": lambda: OpenAIInstrumentor().instrument(),
        "none": lambda: None,
        "sdk": sdk,
        "phoenix": lambda: provide(
            phoenix.otel.register(endpoint=f"{uri}/phoenix", protocol="http/protobuf", verbose=False)
        ),
        "first-span": lambda: work("first", uri),
    }
    for step in order:
        steps[step]()
    work("last", uri)
    assert om.flush(), om.stats()
    spans = kept.get_finished_spans()
    names = {span.context.span_id: span.name for span in spans}
    return sorted([span.name, names.get(span.parent.span_id, "?") if span.parent else None] for span in spans)


def in_a_child(order: tuple[str, ...], uri: str, *, with_autolog: bool) -> list[list[str | None]]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            result = {"spans": run(order, uri, with_autolog=with_autolog)}
        except BaseException:
            result = {"error": traceback.format_exc()}
        os.write(writing, json.dumps(result).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        result = json.loads(pipe.read())
    os.waitpid(child, 0)
    assert "error" not in result, result.get("error")
    return result["spans"]


@pytest.mark.parametrize("order", ORDERS, ids=", ".join)
def test_each_span_arrives_once_with_its_parent_and_others_see_no_difference(order):
    server = FakeMlflow()
    seen = in_a_child(order, server.uri, with_autolog=True)
    assert seen == in_a_child(order, server.uri, with_autolog=False)
    spans = server.spans()
    names = {span.span_id: span.name for span in spans}
    assert len(names) == len(spans), "a span arrived twice"
    first_is_seen = order.index("autolog") < order.index("first-span")
    first_call_is_seen = first_is_seen and order.index("instrumentor") < order.index("first-span")
    expected = [["ChatCompletion", "last"], ["last", None]]
    expected += [["first", None]] if first_is_seen else []
    expected += [["ChatCompletion", "first"]] if first_call_is_seen else []
    found = [[span.name, names.get(span.parent_span_id) if span.parent_span_id else None] for span in spans]
    assert sorted(map(str, found)) == sorted(map(str, expected))
    server.close()


def test_a_provider_set_while_a_span_is_open_sees_no_parent_and_mlflow_does():
    server = FakeMlflow()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        om.autolog(tracking_uri=server.uri, experiment="x")
        kept = InMemorySpanExporter()
        with trace.get_tracer("app").start_as_current_span("outer"):
            provider = TracerProvider()
            provider.add_span_processor(SimpleSpanProcessor(kept))
            trace.set_tracer_provider(provider)
            with trace.get_tracer("app").start_as_current_span("inner"):
                pass
        om.flush()
        os.write(writing, json.dumps([[s.name, s.parent is None] for s in kept.get_finished_spans()]).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        assert json.loads(pipe.read()) == [["inner", True]]
    os.waitpid(child, 0)
    inner, outer = sorted(server.spans(), key=lambda span: span.name)
    assert inner.trace_id == outer.trace_id and inner.parent_span_id == outer.span_id
    server.close()
