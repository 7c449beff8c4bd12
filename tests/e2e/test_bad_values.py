"""One bad value never costs a trace or a batch: what a user of MLflow sees of each damaged payload."""

import json
import re

import pytest

from e2e.harness.http import request
from e2e.harness.mlflow_server import MlflowServer
from e2e.parity.stored_copies import StoredCopies

_DAMAGED = "damaged"
_BAD_IDS = ("span_id_empty", "span_id_long", "span_id_zero", "trace_id_long")


def _span(sides: StoredCopies, case: str, name: str = _DAMAGED) -> dict:
    """The one span of that name in the case's translated copy."""
    traces = [trace for trace in sides.translated[case].traces.values() if isinstance(trace, dict)]
    (span,) = [span for trace in traces for span in trace["spans"].values() if span["name"] == name]
    return span


def _info(sides: StoredCopies, case: str, span_name: str = _DAMAGED) -> dict:
    """The info of the trace that holds the span."""
    traces = [trace for trace in sides.translated[case].traces.values() if isinstance(trace, dict)]
    (trace,) = [trace for trace in traces if any(span["name"] == span_name for span in trace["spans"].values())]
    return trace["info"]


def test_whatever_is_wrong_with_a_span_the_trace_beside_it_is_whole(sides: StoredCopies) -> None:
    beside = 0
    for case, sent in sides.translated.items():
        if b"healthy" in b"".join(payload.body for payload in sent.payloads):
            span = _span(sides, case, "healthy")
            assert (span["status"], span["type"]) in {("UNSET", "LLM"), ("UNSET", "CHAIN")}, case
            beside += 1
    assert beside > 20


def test_numbers_that_are_not_finite_become_text_wherever_they_are(sides: StoredCopies) -> None:
    attributes = _span(sides, "hand_not_finite.pb")["attributes"]
    assert (attributes["nan"], attributes["infinity"], attributes["minus"]) == ("NaN", "Infinity", "-Infinity")
    assert (attributes["list"], attributes["map"]) == ([1.0, "NaN"], {"deep": ["Infinity"]})
    (event,) = _span(sides, "hand_not_finite_event.pb")["events"]
    assert event["attributes"] == {"score": "NaN"}


def test_a_number_that_is_not_finite_is_no_count_and_no_cost(sides: StoredCopies) -> None:
    attributes = _span(sides, "hand_not_finite_meaning.pb")["attributes"]
    assert not attributes.get("mlflow.chat.tokenUsage") and not attributes.get("mlflow.llm.cost")


@pytest.mark.parametrize("case", ("hand_not_finite.pb", "hand_not_finite_event.pb", "py_ctl_event_nan.pb"))
def test_what_the_ui_loads_of_a_trace_is_json(sides: StoredCopies, mlflow_server: MlflowServer, case: str) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON: a browser shows nothing of this trace")

    for trace_id in sides.translated[case].original_ids:
        url = f"{mlflow_server.uri}/ajax-api/2.0/mlflow/get-trace-artifact?request_id=tr-{trace_id}"
        answer = request("GET", url).require(200)
        assert json.loads(answer.body, parse_constant=refuse)["spans"]


def test_a_session_that_is_too_long_keeps_its_beginning_and_stays_itself(sides: StoredCopies) -> None:
    session = _info(sides, "hand_session_251.pb", "root")["session"]
    assert len(session) == 250 and re.fullmatch(r"s+~[0-9a-f]{16}", session)
    assert _info(sides, "hand_session_250.pb", "root")["session"] == "s" * 250


def test_bytes_that_are_no_utf8_are_replaced_and_nothing_else(sides: StoredCopies) -> None:
    assert _span(sides, "hand_invalid_utf8.pb")["attributes"]["note"] == "\ufffd\ufffdinvalid\ufffd("


def test_half_of_a_surrogate_pair_is_replaced(sides: StoredCopies) -> None:
    assert _span(sides, "hand_json_lone_surrogate.json", "root")["inputs"] == "broken \ufffd emoji"
    (message,) = _span(sides, "hand_json_text_surrogate.pb")["inputs"]["messages"]
    assert message == {"role": "user", "content": "half an emoji \ufffd"}


@pytest.mark.parametrize(
    ("case", "key", "text"),
    (
        ("integer", "input.value", '{"id": 18446744073709551615}'),
        ("integer", "note", "[-9223372036854775809]"),
        ("nested", "input.value", '{"a":' * 40 + "1" + "}" * 40),
        ("nested", "note", "[" * 60 + "]" * 60),
        ("abyss", "note", "[" * 1100 + "]" * 1100),
        ("unclosed", "note", "[" * 5000),
        ("digits", "note", "9" * 4301),
    ),
)
def test_json_text_that_mlflow_cannot_hold_is_shown_as_text(sides: StoredCopies, case: str, key: str, text: str) -> None:
    assert _span(sides, f"hand_json_text_{case}.pb")["attributes"][key] == text


def test_json_text_that_mlflow_can_hold_stays_json(sides: StoredCopies) -> None:
    assert _span(sides, "hand_json_text_integer.pb")["attributes"]["fits"] == {"id": 2**63 - 1}
    assert isinstance(_span(sides, "hand_json_text_nested_fits.pb")["attributes"]["note"], list)


def test_an_integer_too_big_for_mlflow_costs_only_itself(sides: StoredCopies) -> None:
    assert _span(sides, "hand_json_text_integer.pb")["inputs"] == {"id": "18446744073709551615"}


@pytest.mark.parametrize("case", ("end_zero", "end_before_start", "end_overflow", "start_zero"))
def test_a_time_that_is_wrong_makes_no_duration_of_years(sides: StoredCopies, case: str) -> None:
    span, info = _span(sides, f"hand_{case}.pb"), _info(sides, f"hand_{case}.pb")
    assert 0 < span["start_ns"] <= span["end_ns"] < 2**62
    assert 0 <= info["duration_ms"] <= 1000
    assert info["request_time_ms"] == span["start_ns"] // 10**6


@pytest.mark.parametrize("case", _BAD_IDS)
def test_a_span_without_a_usable_id_is_quarantined_with_a_reason(sides: StoredCopies, case: str) -> None:
    copy = sides.translated[f"hand_{case}.pb"]
    (stored,) = [stored for stored, first in copy.original_ids.items() if copy.traces[first] == "absent"]
    (reason,) = [each["reason"] for each in sides.quarantined if each["trace_id"] == stored]
    assert "id" in reason and "OTLP" in reason


def test_a_span_without_a_trace_id_is_quarantined_with_a_reason(sides: StoredCopies) -> None:
    (reason,) = [each["reason"] for each in sides.quarantined if each["trace_id"] == ""]
    assert "trace id is missing" in reason


def test_a_span_that_is_its_own_parent_becomes_a_root(sides: StoredCopies) -> None:
    assert _span(sides, "hand_parent_self.pb")["parent_id"] is None
    assert _info(sides, "hand_parent_self.pb")["state"] == "OK"


def test_spans_that_are_each_others_parents_leave_no_trace_in_progress(sides: StoredCopies) -> None:
    (trace,) = sides.translated["hand_parent_cycle.pb"].traces.values()
    assert len(trace["spans"]) == 2 and trace["info"]["state"] in {"OK", "ERROR"}


def test_every_repair_is_counted_where_it_was_made(sides: StoredCopies) -> None:
    for rule in ("not-finite", "session-id", "end-time", "start-time", "invalid-utf8", "json-text", "parent-id"):
        assert f'rule="{rule}"' in sides.log, f"no repair by the rule {rule} was logged"
