"""Feedback in OpenInference's words is feedback in MLflow: read back with MLflow's own client."""

from pathlib import Path

import mlflow
import pytest
from mlflow.entities import Feedback, Trace

from capture.handbuilt.builder import Trace as Built
from capture.handbuilt.feedback import given, link
from e2e.harness import example
from e2e.harness.gateway import Gateway, run
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.readback import Reader
from e2e.harness.wait import eventually

_TUNING = ("--settle", "100ms", "--partial-interval", "300ms")


@pytest.fixture
def gateway(folder: Path, mlflow_server: MlflowServer, experiment: str):
    with Gateway(folder, *_TUNING, "--experiment-id", experiment, tracking_uri=mlflow_server.uri) as gateway:
        yield gateway


def _judgement(name: str, judged: Built, score: float, *, at_ms: int = 200, scope: str = "", **fields: object) -> Built:
    """A carrier of its own trace, which links to the `generate` span of the judged one."""
    trace = Built(f"feedback/{name}/{judged.name}")
    result = {"name": "correctness", "score": score, "annotator_kind": "LLM"} | fields
    attributes = given(scope, "evaluation", result)
    link(trace.span("judge", "EVALUATOR", attributes, start_ms=at_ms, end_ms=at_ms + 10), judged, "generate")
    return trace


def _assessed(reader: Reader, judged: Built, wanted: int) -> Trace:
    def probe() -> Trace | None:
        found = reader.trace(judged.trace_id.hex())
        return found if len(found.info.assessments) >= wanted else None

    return eventually(probe, f"{wanted} assessments of {judged.name}")


def test_a_carrier_may_come_before_its_target_and_again_and_again(gateway: Gateway, reader: Reader, experiment: str):
    judged = example.agent("judged before it came")
    carrier = _judgement("early", judged, 0.5, explanation="half of it is right", metadata='{"rubric": 2}')
    example.payload(carrier).post(gateway.traces_url).require(200)
    reader.wait_for_trace(carrier.trace_id.hex(), 1)
    example.payload(judged).post(gateway.traces_url).require(200)

    found = _assessed(reader, judged, 1)
    for _ in range(2):
        example.payload(carrier).post(gateway.traces_url).require(200)
    assert gateway.stop() == 0

    (feedback,) = reader.trace(judged.trace_id.hex()).info.assessments
    assert isinstance(feedback, Feedback) and feedback == found.info.assessments[0]
    assert (feedback.name, feedback.value, feedback.rationale) == ("correctness", 0.5, "half of it is right")
    assert (feedback.source.source_type, feedback.span_id) == ("LLM_JUDGE", judged.span_id("generate").hex())
    assert feedback.metadata["rubric"] == "2"
    mlflow.set_tracking_uri(reader.client.tracking_uri)
    good = mlflow.search_traces(
        locations=[experiment], filter_string="feedback.correctness = '0.5'", return_type="list"
    )
    assert [trace.info.trace_id for trace in good] == [f"tr-{judged.trace_id.hex()}"]


def test_a_bridge_that_knows_nothing_of_it_makes_no_second_one(
    folder: Path, mlflow_server: MlflowServer, reader: Reader, experiment: str
):
    judged = example.agent("judged twice")
    carrier = _judgement("repeated", judged, 0.5)
    for use in ("first", "second"):
        arguments = (*_TUNING, "--experiment-id", experiment)
        with Gateway(folder / use, *arguments, tracking_uri=mlflow_server.uri) as gateway:
            example.payload(judged, carrier).post(gateway.traces_url).require(200)
        # Leaving it fails unless everything was delivered.
        assert not gateway.quarantine_reasons()
    assert len(reader.trace(judged.trace_id.hex()).info.assessments) == 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in order", "the later one first"])
def test_under_one_identifier_the_later_result_is_all_that_is_left(gateway: Gateway, reader: Reader, order):
    judged = example.agent(f"judged anew {order}")
    early = _judgement("early", judged, 0.25, identifier="judge", metadata='{"draft": true}')
    late = _judgement("late", judged, 0.75, at_ms=500, identifier="judge", label="good")
    other = _judgement("other", judged, 1.0)
    example.payload(judged, other).post(gateway.traces_url).require(200)
    _assessed(reader, judged, 1)
    for index in order:
        example.payload((early, late)[index]).post(gateway.traces_url).require(200)
        _assessed(reader, judged, 2)
    assert gateway.stop() == 0

    found = {each.source.source_id: each for each in reader.trace(judged.trace_id.hex()).info.assessments}
    assert {source: each.value for source, each in found.items()} == {"judge": 0.75, "default": 1.0}
    assert "draft" not in found["judge"].metadata and found["judge"].metadata["openinference.label"] == "good"


def test_feedback_on_a_session_is_on_its_newest_trace(gateway: Gateway, reader: Reader):
    turns = [Built(f"feedback/turn {number}") for number in range(2)]
    for number, turn in enumerate(turns):
        times = {"start_ms": 1000 * number, "end_ms": 1000 * number + 100}
        turn.span("turn", "CHAIN", {"input.value": "q", "session.id": "judged session"}, **times)
    example.payload(*turns).post(gateway.traces_url).require(200)
    for turn in turns:
        reader.wait_for_trace(turn.trace_id.hex(), 1)
    carrier = Built("feedback/session")
    result = given("session.", "annotation", {"name": "coherent", "label": "yes", "annotator_kind": "HUMAN"})
    carrier.span("judge", "EVALUATOR", result | {"session.id": "judged session"}, start_ms=9000, end_ms=9001)
    example.payload(carrier).post(gateway.traces_url).require(200)

    (feedback,) = _assessed(reader, turns[1], 1).info.assessments
    assert (feedback.value, feedback.span_id) == ("yes", None)
    assert feedback.metadata["mlflow.trace.session"] == "judged session"
    assert gateway.stop() == 0
    assert not reader.trace(carrier.trace_id.hex()).info.assessments


def test_feedback_on_a_trace_that_never_comes_is_quarantined_and_can_be_replayed(
    folder: Path, mlflow_server: MlflowServer, reader: Reader, experiment: str
):
    judged = example.agent("never came")
    carrier = _judgement("orphan", judged, 0.5)
    arguments = (*_TUNING, "--idle-limit", "2s", "--experiment-id", experiment)
    with Gateway(folder, *arguments, tracking_uri=mlflow_server.uri) as gateway:
        example.payload(carrier).post(gateway.traces_url).require(200)
        (reason,) = eventually(gateway.quarantine_reasons, "the carrier to be quarantined")
    assert judged.trace_id.hex() in reason["reason"] and "0.5" not in reason["reason"]
    assert reader.trace(carrier.trace_id.hex()).data.spans, "the carrier itself is a span in MLflow"

    where = ("--tracking-uri", mlflow_server.uri, "--experiment-id", experiment, "--data-dir", str(gateway.data_dir))
    example.payload(judged).post_raw(mlflow_server.uri, experiment).require(200)
    replayed = run("replay", str(gateway.quarantine), *where)
    assert replayed.returncode == 0, replayed.stderr.decode()
    assert [each.value for each in reader.trace(judged.trace_id.hex()).info.assessments] == [0.5]


def test_without_a_server_feedback_is_in_the_traces_file_and_replay_sends_it(
    folder: Path, mlflow_server: MlflowServer, reader: Reader
):
    judged = example.agent("judged in a folder")
    carrier = _judgement("local", judged, 0.5, explanation="half of it is right")
    with Gateway(folder, *_TUNING, "--experiment", "feedback in a folder") as gateway:
        example.payload(judged).post(gateway.traces_url).require(200)
        eventually(lambda: list(gateway.data_dir.glob("traces/**/*.json")), "the judged trace's file")
        example.payload(carrier).post(gateway.traces_url).require(200)
    (file,) = gateway.data_dir.glob(f"traces/*/tr-{judged.trace_id.hex()}.json")
    (kept,) = Trace.from_json(file.read_text()).info.assessments
    assert (kept.name, kept.value, kept.rationale) == ("correctness", 0.5, "half of it is right")

    where = ("--tracking-uri", mlflow_server.uri, "--data-dir", str(gateway.data_dir), *_TUNING)
    for _ in range(2):
        replayed = run("replay", str(gateway.data_dir / "traces"), "--again", *where)
        assert replayed.returncode == 0, replayed.stderr.decode()
        (found,) = reader.trace(judged.trace_id.hex()).info.assessments
        assert found == kept
