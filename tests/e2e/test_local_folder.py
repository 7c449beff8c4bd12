"""Without a server: traces as files that MLflow reads, the same as a server would have shown; and `replay` of them."""

import ast
import base64
from copy import deepcopy
from pathlib import Path

import pytest
from mlflow.entities import Trace

from e2e.harness.gateway import Gateway, run
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.payloads import Payload, load
from e2e.harness.readback import Reader
from e2e.harness.wait import eventually
from e2e.parity import expected
from e2e.parity.compare import differences
from e2e.parity.observe import observe

# Every kind of value, event, link, tag and state; one trace, or several, each.
_CASES = (
    *("py_openai_tools.pb", "py_openai_context.pb", "py_openai_error.pb", "py_hb_links.pb", "py_inst_langchain.pb"),
    *("js_openai_chat.json", "js_odd_types.pb", "hand_io_strings.pb", "hand_io_types.pb", "hand_events_typed.pb"),
    *("hand_status.pb", "hand_root_failed.pb", "hand_usage_rollup.pb", "hand_cost_beats_price_list.pb"),
    *("hand_tags_and_metadata.pb", "hand_two_resources.pb", "hand_http_root.pb", "hand_no_root.pb"),
    *("hand_not_finite_event.pb", "hand_trace_tags_preset.pb", "hand_model_provider.pb", "hand_session_on_child.pb"),
    *("hand_http_only.pb", "hand_json_text_integer.pb", "py_ideal_json.pb"),
)
_TUNING = ("--settle", "100ms", "--idle-limit", "500ms")
_COST = "mlflow.llm.cost"
_EXPERIMENT = "local, and elsewhere"


def _copies(use: str) -> dict[str, Payload]:
    return {case: load(case).with_own_traces(f"{use}/{case}") for case in _CASES}


def _ids(copies: dict[str, Payload]) -> dict[str, str]:
    return {stored: original for payload in copies.values() for stored, original in payload.original_ids.items()}


@pytest.fixture(scope="module")
def delivered(mlflow_server: MlflowServer, reader: Reader, tmp_path_factory: pytest.TempPathFactory):
    """What the server shows of each trace after a gateway has delivered it."""
    copies = _copies("delivered")
    arguments = (*_TUNING, "--experiment", f"{_EXPERIMENT}: delivered")
    with Gateway(tmp_path_factory.mktemp("delivered"), *arguments, tracking_uri=mlflow_server.uri) as gateway:
        _post_all(gateway, copies)
        _until_finished(lambda: {each: reader.trace(each) for each in _ids(copies)})
    return {first: observe(reader.trace(stored), _ids(copies)) for stored, first in _ids(copies).items()}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory):
    """A data directory with the same traces, and those by their ids, read with MLflow's own class."""
    folder = tmp_path_factory.mktemp("kept")
    copies = _copies("kept")
    with Gateway(folder, *_TUNING, "--experiment", _EXPERIMENT) as gateway:
        _post_all(gateway, copies)
        _until_finished(lambda: {each: _read(gateway.data_dir, each) for each in _ids(copies)})
    return gateway, copies, {stored: _read(gateway.data_dir, stored) for stored in _ids(copies)}


def test_each_trace_is_one_file_below_its_experiment(kept):
    gateway, copies, _ = kept
    files = sorted(path.relative_to(gateway.data_dir).as_posix() for path in gateway.data_dir.glob("traces/**/*.json"))
    (experiment,) = {Path(file).parent.name for file in files}
    assert files == sorted(f"traces/{experiment}/tr-{each}.json" for each in _ids(copies))


@pytest.mark.parametrize("case", _CASES)
def test_mlflow_reads_of_the_file_what_a_server_shows(kept, delivered: dict[str, dict], case: str):
    _, copies, traces = kept
    ids = _ids(copies)
    for stored, first in copies[case].original_ids.items():
        found = _differences(delivered[first], observe(traces[stored], ids))
        assert not found, "\n" + "\n".join(found)


def test_each_trace_was_drawn_in_the_terminal(kept):
    gateway, _, traces = kept
    text = gateway.log_text()
    for trace in traces.values():
        for span in trace.data.spans:
            if span.name.isascii() and len(span.name) < 30:
                assert span.name in text


def test_replay_makes_of_the_folder_what_a_bridge_would_have_delivered(
    kept, delivered: dict[str, dict], mlflow_server: MlflowServer, reader: Reader
):
    gateway, copies, _ = kept
    where = ("--tracking-uri", mlflow_server.uri, "--data-dir", str(gateway.data_dir), *_TUNING)
    first = run("replay", str(gateway.data_dir / "traces"), *where)
    assert first.returncode == 0, first.stderr.decode()

    ids, found = _ids(copies), []
    for stored, original in ids.items():
        trace = reader.trace(stored)
        assert reader.client.get_experiment(trace.info.experiment_id).name == _EXPERIMENT
        found += _differences(delivered[original], observe(trace, ids))
    assert not found, "\n" + "\n".join(found)

    again = run("replay", str(gateway.data_dir / "traces"), *where)
    assert again.returncode == 0
    assert f"delivered before: {len(ids)} payloads" in again.stdout.decode()


def _post_all(gateway: Gateway, copies: dict[str, Payload]) -> None:
    for payload in copies.values():
        payload.post(gateway.traces_url).require(200)


def _until_finished(read) -> None:
    """Every trace is there and none is in progress any more."""
    eventually(lambda: all(str(trace.info.state) != "IN_PROGRESS" for trace in read().values()), "finished traces", 60)


def _read(data_dir: Path, trace_id: str) -> Trace:
    (file,) = data_dir.glob(f"traces/*/tr-{trace_id}.json")
    return Trace.from_json(file.read_text())


def _differences(served: dict, local: dict) -> list[str]:
    """Where a trace of the folder differs from what a server shows of it, but for what only a server adds to a trace.

    That is its price list, the note that a trace's info was sent, and the way it writes bytes.
    """
    unpriced = deepcopy(served)
    for span_id, span in unpriced["spans"].items():
        if _COST in span["attributes"] and not _knows_cost(local["spans"][span_id]["attributes"]):
            del span["attributes"][_COST]
            unpriced["info"]["cost"] = expected.tree_sum(unpriced, _COST, ())
    for side in (unpriced, local):
        side["info"]["metadata"].pop("mlflow.trace.infoFinalized", None)
    return [str(each) for each in differences(unpriced, local) if not _same_bytes(each.raw, each.translated)]


def _knows_cost(attributes: dict) -> bool:
    return _COST in attributes or any(key.startswith("llm.cost.") for key in attributes)


def _same_bytes(served: object, local: object) -> bool:
    if not isinstance(served, str) or not served.startswith(("b'", 'b"')) or not isinstance(local, str):
        return False
    return base64.b64decode(local, validate=True) == ast.literal_eval(served)
