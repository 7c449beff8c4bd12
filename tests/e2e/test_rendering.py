"""What instrumentations record reaches MLflow in the shapes that its UI draws, whatever the provider.

`parity/span_rules.py` judges what differs from MLflow's own translation; here nothing may be missing.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from capture.handbuilt.builder import Trace
from e2e.harness import example
from e2e.harness.gateway import Gateway
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.readback import Reader
from e2e.harness.wait import eventually
from e2e.parity import documents, ui_formats, expected, conversation
from e2e.parity.sent_attributes import attributes
from e2e.parity.stored_copies import StoredCopies

_CARDS = {"RETRIEVER": "retrieval.documents", "RERANKER": "reranker.output_documents"}


@pytest.fixture(scope="module")
def spans(sides: StoredCopies) -> list[tuple[str, dict, dict]]:
    """Name, what was sent and what MLflow holds, of each span whose producer leaves `mlflow.*` to the gateway."""
    return list(_spans(sides))


def _spans(sides: StoredCopies) -> Iterator[tuple[str, dict, dict]]:
    for case, copy in sides.translated.items():
        sent = attributes(copy.payloads)
        for trace in copy.traces.values():
            for span_id, shown in trace["spans"].items() if isinstance(trace, dict) else ():
                found = sent.get(span_id, {})
                if expected.is_openinference({"attributes": found}) and not any(map(_is_mlflows, found)):
                    yield f"{case}: {shown['name']} ({span_id})", found, shown


def _is_mlflows(key: str) -> bool:
    return key.startswith("mlflow.") and not key.startswith("mlflow.traceTag.")


def test_every_conversation_is_drawn(spans) -> None:
    conversations = [
        (name, shown)
        for name, sent, shown in spans
        if expected.span_type(sent) == "LLM" and conversation.have_content(conversation.input_turns(sent)) and conversation.have_content(conversation.output_turns(sent))
    ]
    formats = {name: shown["attributes"].get("mlflow.message.format") for name, shown in conversations}
    assert set(formats.values()) == {"openai", "anthropic"}
    drawable = {name: ui_formats.format_of(shown["inputs"], shown["outputs"]) for name, shown in conversations}
    assert formats == drawable


def test_every_tool_that_a_model_is_offered_is_drawn(spans) -> None:
    offered = {name: (documents.tools(sent), shown) for name, sent, shown in spans if documents.tools(sent)}
    assert offered
    for name, (tools, shown) in offered.items():
        assert shown["attributes"].get("mlflow.chat.tools") == tools, name
        assert documents.are_tools(tools), name


@pytest.mark.parametrize("kind", _CARDS)
def test_every_document_is_a_card(spans, kind: str) -> None:
    found = {
        name: (documents.documents(sent, _CARDS[kind]), shown)
        for name, sent, shown in spans
        if expected.span_type(sent) == kind
    }
    assert any(cards for cards, _ in found.values())
    for name, (cards, shown) in found.items():
        if cards:
            assert documents.is_documents(shown["outputs"]), name
            assert [card["page_content"] for card in shown["outputs"]] == [card["page_content"] for card in cards], name


def test_a_prompt_of_the_registry_is_linked(
    folder: Path, mlflow_server: MlflowServer, reader: Reader, experiment: str
) -> None:
    registered = reader.client.register_prompt("greeting", "Hello {{name}}")
    trace = Trace("rendering/linked prompt", {"service.name": "example"})
    template = {"llm.prompt_template.template": "Hello {{name}}", "llm.prompt_template.variables": '{"name": "Ada"}'}
    source = {"prompt.vendor": "mlflow", "prompt.id": registered.name}
    trace.span("greet", "PROMPT", template | source | {"llm.prompt_template.version": str(registered.version)})
    payload = example.payload(trace)
    with Gateway(folder, "--experiment-id", experiment, tracking_uri=mlflow_server.uri) as gateway:
        payload.post(gateway.traces_url).require(200)
        found = reader.wait_for_trace(payload.trace_ids[0], spans=1)
        (span,) = found.data.spans
        (link,) = span.attributes["mlflow.linkedPrompts"]
        # What a search for the traces of a prompt reads. An optional request fills it: the gateway does not wait for it
        # when it stops.
        prompt = f'prompt = "{link["name"]}/{link["version"]}"'
        eventually(lambda: reader.trace_ids(experiment, prompt) == set(payload.trace_ids), f"traces with {prompt}")

    assert reader.client.get_prompt_version(**link).template == "Hello {{name}}"
    # Where the list of traces looks for the prompts to name.
    assert json.loads(found.info.tags["mlflow.linkedPrompts"]) == [link]
    assert span.inputs["variables"] == {"name": "Ada"}
    assert span.outputs == "Hello Ada"
