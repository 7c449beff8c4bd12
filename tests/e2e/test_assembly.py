"""Whole traces, whatever the order, the pauses and the repetitions in which their spans arrive."""

import json
from pathlib import Path

import pytest

from capture.handbuilt.builder import ERROR, Trace
from e2e.harness import example, payloads
from e2e.harness.gateway import Gateway
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.readback import Reader
from e2e.harness.wait import eventually

# As an operator would never set them: what waits for minutes must not hold up a test.
_SOON = ("--settle", "100ms", "--partial-interval", "300ms", "--idle-limit", "1s")
_NEVER = ("--settle", "100ms", "--partial-interval", "1h", "--idle-limit", "1h")


@pytest.fixture
def soon(folder: Path, mlflow_server: MlflowServer, experiment: str):
    with Gateway(folder, *_SOON, "--experiment-id", experiment, tracking_uri=mlflow_server.uri) as gateway:
        yield gateway


@pytest.fixture
def patient(folder: Path, mlflow_server: MlflowServer, experiment: str):
    with Gateway(folder, *_NEVER, "--experiment-id", experiment, tracking_uri=mlflow_server.uri) as gateway:
        yield gateway


def test_a_trace_without_a_root_is_closed_and_says_so(soon: Gateway, reader: Reader):
    trace = example.agent("root that never comes")
    sent = example.part(trace, "generate")
    sent.post(soon.traces_url).require(200)
    (trace_id,) = sent.trace_ids

    found = reader.wait_for_state(trace_id, "OK")

    assert "openinference_mlflow.no_root" in found.info.tags
    assert found.info.tags["mlflow.traceName"] == "generate"
    assert found.info.execution_duration == 98
    assert [span.name for span in found.data.spans] == ["generate"]


def test_a_root_that_comes_after_the_trace_was_closed_wins(soon: Gateway, reader: Reader):
    trace = example.agent("root that comes late")
    trace.spans[0].status.code = ERROR
    early, late = example.part(trace, "generate"), example.part(trace, "root that comes late")
    (trace_id,) = early.trace_ids
    early.post(soon.traces_url).require(200)
    reader.wait_for_state(trace_id, "OK")

    late.post(soon.traces_url).require(200)
    found = reader.wait_for_state(trace_id, "ERROR")

    assert found.info.tags["mlflow.traceName"] == "root that comes late"
    assert (found.info.request_preview, found.info.response_preview) == ("question", "answer")
    assert found.info.execution_duration == 100
    assert len(reader.wait_for_trace(trace_id, 2).data.spans) == 2


def test_a_long_trace_can_be_watched_before_its_root_ends(
    folder: Path, mlflow_server: MlflowServer, reader: Reader, experiment: str
):
    trace = example.agent("long running")
    part, rest = example.part(trace, "generate"), example.part(trace, "long running")
    (trace_id,) = part.trace_ids
    arguments = ("--partial-interval", "300ms", "--experiment-id", experiment)
    with Gateway(folder, *arguments, tracking_uri=mlflow_server.uri) as gateway:
        part.post(gateway.traces_url).require(200)
        assert reader.wait_for_state(trace_id, "IN_PROGRESS").data.spans[0].name == "generate"

        rest.post(gateway.traces_url).require(200)
        assert reader.wait_for_state(trace_id, "OK").info.tags["mlflow.traceName"] == "long running"


def test_a_span_that_comes_after_its_trace_was_delivered_joins_it(patient: Gateway, reader: Reader):
    trace = example.agent("late child")
    root, child = example.part(trace, "late child"), example.part(trace, "generate")
    (trace_id,) = root.trace_ids
    root.post(patient.traces_url).require(200)
    reader.wait_for_trace(trace_id, 1)

    child.post(patient.traces_url).require(200)

    found = reader.wait_for_trace(trace_id, 2)
    assert found.info.token_usage == {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    assert str(found.info.state) == "OK"


def test_the_order_of_a_traces_payloads_does_not_matter(patient: Gateway, reader: Reader):
    trace = example.agent("child first")
    for name in ("generate", "child first"):
        example.part(trace, name).post(patient.traces_url).require(200)
    reader.wait_for_trace(trace.trace_id.hex(), 2)
    info = reader.wait_for_previews(trace.trace_id.hex(), ("question", "answer"))
    assert (info.tags["mlflow.traceName"], str(info.state)) == ("child first", "OK")


_ANTHROPIC = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "answer"}]}


@pytest.mark.parametrize("answer", ("answer", json.dumps(_ANTHROPIC)), ids=("plain", "anthropic"))
def test_an_answer_reads_as_text_in_the_list_of_traces(patient: Gateway, reader: Reader, answer: str):
    trace = Trace(f"example/readable/{answer}", {"service.name": "example"})
    trace.span("readable", "LLM", {"input.value": "question", "output.value": answer})
    example.payload(trace).post(patient.traces_url).require(200)
    info = reader.wait_for_previews(trace.trace_id.hex(), ("question", "answer"))
    assert str(info.state) == "OK"


def test_a_payload_that_is_sent_three_times_is_stored_and_counted_once(
    patient: Gateway, reader: Reader, experiment: str
):
    payload = example.payload(example.agent("sent three times"))
    for _ in range(3):
        payload.post(patient.traces_url).require(200)
    (trace_id,) = payload.trace_ids
    found = reader.wait_for_trace(trace_id, 2)
    assert len(found.data.spans) == 2
    assert found.info.token_usage == {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    assert reader.trace_ids(experiment) == {trace_id}


def test_a_span_that_mlflow_refuses_costs_no_other(patient: Gateway, reader: Reader, experiment: str):
    """The producer sets a cost that MLflow cannot read: nothing that can be repaired, for what it says is its own."""
    traces = [example.agent(f"beside the refused one, {number}") for number in range(20)]
    refused = example.agent("refused")
    refused.spans[1].attributes.add(key="mlflow.llm.cost").value.string_value = "[1]"
    payload = example.payload(*traces[:10], refused, *traces[10:])
    payload.post_raw(reader.client.tracking_uri, experiment).require(422)

    payload.post(patient.traces_url).require(200)

    for trace in traces:
        assert len(reader.wait_for_trace(trace.trace_id.hex(), 2).data.spans) == 2
    (root,) = reader.wait_for_trace(refused.trace_id.hex(), 1).data.spans
    assert root.name == "refused"
    (reason,) = eventually(patient.quarantine_reasons, "the refused span to be quarantined")
    assert (reason["trace_id"], reason["span_id"]) == (refused.trace_id.hex(), refused.span_id("generate").hex())
    (kept,) = patient.quarantine.glob("*.pb")
    assert payloads.from_body("kept", kept.read_bytes(), payload.content_type).trace_ids == [refused.trace_id.hex()]


def test_sigterm_delivers_what_would_have_waited(folder: Path, mlflow_server: MlflowServer, reader: Reader, experiment):
    trace = example.agent("in hand at the end")
    part = example.part(trace, "generate")
    with Gateway(folder, *_NEVER, "--experiment-id", experiment, tracking_uri=mlflow_server.uri) as gateway:
        part.post(gateway.traces_url).require(200)
        assert gateway.stop() == 0
    found = reader.trace(trace.trace_id.hex())
    assert [span.name for span in found.data.spans] == ["generate"]
    assert "everything that was accepted has been delivered" in gateway.log_text()
