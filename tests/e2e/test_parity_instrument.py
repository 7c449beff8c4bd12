"""The parity tests' own instrument: two raw copies of a payload must not differ, and a real difference must show."""

from copy import deepcopy

import pytest

from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.readback import Reader
from e2e.parity.compare import ABSENT, ValueDifference, differences
from e2e.parity.copies import Copy, own_copy, read_back

# Small, and between them they use every field an observation has.
_SAMPLE = (
    *("py_openai_context.pb", "py_openai_error.pb", "py_hb_links.pb", "py_mb_rollup", "py_ideal_json.pb"),
    *("hand_events_typed.pb", "hand_linked.pb", "hand_not_finite.pb", "hand_trace_tags_preset.pb"),
)


@pytest.fixture(scope="module")
def two_raw_copies(mlflow_server: MlflowServer, reader: Reader) -> tuple[dict[str, Copy], dict[str, Copy]]:
    sides = []
    for side in ("first", "second"):
        experiment = reader.create_experiment(f"parity instrument, {side}")
        copies = {name: own_copy(name, f"instrument {side}") for name in _SAMPLE}
        for copy in copies.values():
            for payload in copy.payloads:
                copy.answers.append(payload.post_raw(mlflow_server.uri, experiment).require(200).status)
        read_back(reader, experiment, copies)
        sides.append(copies)
    return sides[0], sides[1]


@pytest.mark.parametrize("case", _SAMPLE)
def test_the_same_payload_posted_raw_twice_shows_no_difference(two_raw_copies, case: str) -> None:
    first, second = (side[case] for side in two_raw_copies)
    assert first.traces, "nothing was compared"
    assert [str(each) for each in differences(first.traces, second.traces)] == []


def test_a_changed_value_is_reported_with_its_path(two_raw_copies) -> None:
    first, _ = two_raw_copies
    (trace,) = first["py_openai_context.pb"].traces.values()
    changed = deepcopy(trace)
    changed["info"]["session"] = "another"
    (span_id,) = changed["spans"]
    del changed["spans"][span_id]["attributes"]["llm.model_name"]

    assert differences(trace, changed) == [
        ValueDifference(("info", "session"), "session-7", "another"),
        ValueDifference(("spans", span_id, "attributes", "llm.model_name"), "gpt-4o-mini", ABSENT),
    ]


def test_values_that_python_calls_equal_differ_when_their_types_do() -> None:
    assert [each.path for each in differences({"a": 1, "b": True, "c": [1]}, {"a": 1.0, "b": 1, "c": [True]})] == [
        ("a",),
        ("b",),
        ("c", "0"),
    ]
