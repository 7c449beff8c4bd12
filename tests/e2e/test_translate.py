"""`translate`, posted to MLflow by hand, gives what the gateway gives."""

import json

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from e2e.harness.gateway import run
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.payloads import from_body, load
from e2e.harness.readback import Reader
from e2e.parity.compare import ValueDifference, differences
from e2e.parity.copies import Copy, read_back
from e2e.parity.stored_copies import StoredCopies

# What a payload alone can say: its root is in it, and it is OpenInference's.
_CASES = (
    *("py_openai_tools.pb", "py_openai_context.pb", "py_inst_langchain.pb", "js_openai_chat.json"),
    *("js_bedrock_converse.pb", "hand_usage_odd_types.pb", "hand_cost_sent.pb", "hand_kinds_absent.pb"),
    *("hand_not_finite.pb", "hand_session_251.pb", "hand_json_text_nested.pb", "hand_invalid_utf8.pb"),
    *("hand_duplicate_same.pb", "hand_json_lenient.json"),
)
# Their previews read as raw JSON: the gateway sends better ones in a separate request, which no payload can express.
_SEPARATE_PREVIEWS = {"py_inst_langchain.pb"}
_ENCODINGS = {"application/x-protobuf": "protobuf", "application/json": "json"}


@pytest.fixture(scope="module", params=("protobuf", "json"))
def translated(request: pytest.FixtureRequest, mlflow_server: MlflowServer, reader: Reader) -> dict[str, Copy]:
    """Each case through `translate` and then, as it came out, to MLflow."""
    to = request.param
    experiment = reader.create_experiment(f"translated to {to}")
    copies = {}
    for case in _CASES:
        payload = load(case).with_own_traces(f"translate/{to}/{case}")
        done = run("translate", "--from", _ENCODINGS[payload.content_type], "--to", to, stdin=payload.body)
        assert done.returncode == 0, done.stderr.decode()
        content_type = next(kind for kind, encoding in _ENCODINGS.items() if encoding == to)
        from_body(case, done.stdout, content_type).post_raw(mlflow_server.uri, experiment).require(200)
        copies[case] = Copy([payload])
    read_back(reader, experiment, copies)
    return copies


@pytest.mark.parametrize("case", _CASES)
def test_what_translate_writes_is_stored_as_what_the_gateway_sends(translated: dict, sides: StoredCopies, case: str):
    found = differences(translated[case].traces, sides.translated[case].traces)
    others = [str(each) for each in found if not _is_of_the_preview(each)]
    assert not others, "\n" + "\n".join(others)
    improved = [each for each in found if "info" in each.path and not _has_lost_its_quotes(each)]
    assert any("preview" in each.path[-1] for each in improved) == (case in _SEPARATE_PREVIEWS), "\n" + "\n".join(map(str, improved))


def test_translate_changes_nothing_that_came_in():
    payload = load("py_inst_langchain.pb")
    before, after = (ExportTraceServiceRequest.FromString(body) for body in (payload.body, _translate(payload.body)))
    spans_before, spans_after = (
        [span for each in message.resource_spans for scope in each.scope_spans for span in scope.spans]
        for message in (before, after)
    )
    assert len(spans_before) == len(spans_after)
    for old, new in zip(spans_before, spans_after, strict=True):
        gained = new.attributes[len(old.attributes) :]
        assert gained and all(each.key.startswith("mlflow.") for each in gained)
        del new.attributes[len(old.attributes) :]
        assert new == old


def test_translate_reports_repairs_and_what_it_leaves_out():
    done = run("translate", stdin=load("hand_not_finite.pb").body)
    assert b"not-finite at nan" in done.stderr
    done = run("translate", stdin=load("hand_span_id_empty.pb").body)
    assert b"left out" in done.stderr and b"span id is missing" in done.stderr


@pytest.mark.parametrize("body", (b"garbage", load("py_openai_chat.pb").body[:-7]), ids=("garbage", "truncated"))
def test_what_cannot_be_read_is_refused_and_nothing_is_written(body: bytes):
    done = run("translate", stdin=body)
    assert (done.returncode, done.stdout) == (1, b"") and b"hint" in done.stderr


def _is_of_the_preview(difference: ValueDifference) -> bool:
    below = difference.path[1:]
    preview_paths = ("info", "request_preview"), ("info", "response_preview"), ("info", "metadata", "mlflow.trace.infoFinalized")
    return below in preview_paths


def _has_lost_its_quotes(difference: ValueDifference) -> bool:
    return difference.raw == json.dumps(difference.translated, ensure_ascii=False)


def _translate(body: bytes) -> bytes:
    done = run("translate", stdin=body)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
