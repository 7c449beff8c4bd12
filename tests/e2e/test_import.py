"""The history of a real Phoenix in a real MLflow: as if it had been sent there, with its annotations, once."""

import json
import re
import shlex
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mlflow.entities import Feedback

from capture.handbuilt.builder import Trace as Built
from e2e.conservation.fault_proxy import FaultProxy
from e2e.harness import example, payloads
from e2e.harness.environment import clean_environment
from e2e.harness.gateway import binary, run
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.payloads import Payload
from e2e.harness.phoenix_server import PhoenixServer
from e2e.harness.process import Process
from e2e.harness.readback import Reader
from e2e.harness.wait import eventually
from e2e.parity.compare import differences
from e2e.parity.observe import observe

_PAGE = Path(__file__).resolve().parents[2] / "docs/phoenix.md"

# Real payloads of each instrumentation and language, and hand-built ones. Those of which Phoenix keeps another content, by
# the table in docs/phoenix.md, are left out.
_PAYLOADS = (
    *("py_openai_tools.pb", "py_openai_context.pb", "py_openai_parallel_tools.pb", "py_openai_error.pb"),
    *("py_langchain_agent.pb", "py_langchain_retrieval.pb", "py_llama_index_agent.pb", "py_llama_index_retrieval.pb"),
    *("py_bedrock_conversation.pb", "py_google_genai_conversation.pb", "py_dspy_react.pb", "py_openai_embeddings.pb"),
    *("py_openai_agents_handoff.pb", "py_smolagents_code_agent.pb", "py_haystack_agent.pb", "py_litellm_conversation.pb"),
    *("js_openai_chat_tools.pb", "js_langchain_rag.pb", "js_openai_context_session.pb", "py_hb_llm_prompts.pb"),
    *("py_hb_usage_rollup.pb", "hand_tool_calls.pb"),
)


def _import(server: PhoenixServer, folder: Path, *arguments: str) -> dict:
    done = run("import", "--from-phoenix", server.uri, "--data-dir", str(folder / "data"), "--json", *arguments)
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
    return json.loads(done.stdout)


def _send(server: PhoenixServer, project: str, *sent: Payload) -> None:
    """Into this project, whatever the payloads say; returns once Phoenix has all of it."""
    for payload in sent:
        payload.post(f"{server.uri}/v1/traces", {"x-project-name": project} | server.credentials).require(200)
    wanted = {trace_id for payload in sent for trace_id in payload.trace_ids}
    eventually(lambda: wanted <= {span["trace_id"] for span in server.spans(project)}, "the traces in Phoenix", 60)


def _acknowledged(folder: Path) -> list[str]:
    return [line for file in folder.glob("data/replayed/*") for line in file.read_text().splitlines()]


def _experiment(reader: Reader, name: str) -> str:
    return reader.client.get_experiment_by_name(name).experiment_id


def _as_phoenix_keeps_it(seen: dict) -> dict:
    """Without what Phoenix does not keep, by the table in docs/phoenix.md."""
    info, spans = dict(seen["info"]), {}
    info["tags"] = {key: value for key, value in info["tags"].items() if not _of_resource(key)}
    for key in ("duration_ms", "request_time_ms"):
        del info[key]
    for span_id, span in seen["spans"].items():
        attributes = {key: _parsed(key, value) for key, value in span["attributes"].items() if not _of_resource(key)}
        attributes = {key: value for key, value in attributes.items() if value not in ({}, [])}
        events = [event | {"timestamp_ns": _microseconds(event["timestamp_ns"])} for event in span["events"]]
        times = {key: _microseconds(span[key]) for key in ("start_ns", "end_ns")}
        spans[span_id] = span | times | {"attributes": attributes, "events": events, "links": None}
    return {"info": info, "spans": spans}


def _microseconds(nanoseconds: int) -> int:
    """As Phoenix rounds, by way of a float."""
    return round(datetime.fromtimestamp(nanoseconds / 1e9, tz=UTC).timestamp() * 1e6)


def _of_resource(key: str) -> bool:
    return key.removeprefix("mlflow.traceTag.").startswith(("service.", "telemetry.", "openinference.project.name"))


def _parsed(key: str, value: object) -> object:
    """JSON attributes as values, without what Phoenix leaves out of them, and lists of different types as text."""
    if key not in ("metadata", "tool.parameters", "llm.prompt_template.variables") and not key.endswith(".metadata"):
        return value
    try:
        return _pruned(json.loads(value) if isinstance(value, str) else value)
    except ValueError:
        return value


def _pruned(value: object) -> object:
    if isinstance(value, dict):
        pruned = {key: _pruned(item) for key, item in value.items()}
        return {key: item for key, item in pruned.items() if item not in (None, {}, [])}
    if isinstance(value, list) and len({type(item) for item in value}) > 1:
        return [str(item) for item in value]
    return value


@pytest.fixture(scope="module")
def compared(
    phoenix: PhoenixServer, mlflow_server: MlflowServer, reader: Reader, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[dict, dict]]:
    """Each trace as MLflow shows it: sent as it was captured, and imported from Phoenix."""
    folder = tmp_path_factory.mktemp("import")
    sent = {name: payloads.load(name).with_own_traces("sent") for name in _PAYLOADS}
    moved = {name: payloads.load(name).with_own_traces("moved") for name in _PAYLOADS}
    captured = folder / "captured"
    captured.mkdir()
    for name, payload in sent.items():
        (captured / name).write_bytes(payload.body)
    where = ("--tracking-uri", mlflow_server.uri, "--experiment", "sent and not moved", "--data-dir", str(folder / "sent"))
    assert run("replay", str(captured), *where).returncode == 0
    _send(phoenix, "moved", *moved.values())
    summary = _import(phoenix, folder, "--project", "moved", "--tracking-uri", mlflow_server.uri)
    assert summary["traces"] == sum(len(payload.trace_ids) for payload in moved.values())
    shown = {}
    for name in _PAYLOADS:
        for first, second in zip(sent[name].trace_ids, moved[name].trace_ids, strict=True):
            both = ((first, sent[name].original_ids), (second, moved[name].original_ids))
            shown[f"{name} {first}"] = tuple(observe(reader.trace(trace_id), ids) for trace_id, ids in both)
    assert reader.trace_ids(_experiment(reader, "moved")) == {
        trace_id for payload in moved.values() for trace_id in payload.trace_ids
    }
    return shown


def test_a_trace_from_phoenix_is_what_it_would_be_without_phoenix(compared: dict[str, tuple[dict, dict]]):
    found = {
        name: [str(each) for each in differences(_as_phoenix_keeps_it(sent), _as_phoenix_keeps_it(moved))]
        for name, (sent, moved) in compared.items()
    }
    assert len(compared) >= len(_PAYLOADS)
    assert {name: each for name, each in found.items() if each} == {}


def test_annotations_become_assessments_once_and_follow_their_changes(
    phoenix: PhoenixServer, mlflow_server: MlflowServer, reader: Reader, folder: Path
):
    judged = example.agent("judged in Phoenix")
    turns = [Built(f"import/turn {number}") for number in range(2)]
    for number, turn in enumerate(turns):
        times = {"start_ms": 1000 * number, "end_ms": 1000 * number + 100}
        turn.span("turn", "CHAIN", {"input.value": "q", "session.id": "a talk"}, **times)
    _send(phoenix, "judged", example.payload(judged, *turns))
    span = judged.span_id("generate").hex()
    good = {"score": 0.5, "label": "half", "explanation": "half of it is right"}
    phoenix.annotate("span", span_id=span, name="good", result=good, metadata={"rubric": {"v": 2}}, identifier="me")
    phoenix.annotate("span", span_id=span, name="tone", annotator_kind="LLM", result={"label": "kind"})
    phoenix.annotate("trace", trace_id=judged.trace_id.hex(), name="done", annotator_kind="CODE", result={"score": 1.0})
    phoenix.annotate("session", session_id="a talk", name="polite", result={"label": "yes"})

    where = ("--project", "judged", "--tracking-uri", mlflow_server.uri)
    first = _import(phoenix, folder, *where)
    assert (first["traces"], first["spans"], first["annotations"]) == (3, 4, 4)
    assert reader.trace_ids(_experiment(reader, "judged")) == {trace.trace_id.hex() for trace in (judged, *turns)}

    def assessments(trace: Built) -> dict[str, Feedback]:
        found = reader.trace(trace.trace_id.hex()).info.assessments
        assert len({each.name for each in found}) == len(found)
        return {each.name: each for each in found}

    found = assessments(judged)
    assert set(found) == {"good", "tone", "done"}
    good_one, tone, done = found["good"], found["tone"], found["done"]
    assert (good_one.value, good_one.rationale, good_one.span_id) == (0.5, "half of it is right", span)
    assert (good_one.source.source_type, good_one.source.source_id) == ("HUMAN", "me")
    assert (good_one.metadata["rubric"], good_one.metadata["openinference.label"]) == ('{"v":2}', "half")
    assert (tone.value, tone.source.source_type, tone.span_id) == ("kind", "LLM_JUDGE", span)
    assert (done.value, done.source.source_type, done.span_id) == (1.0, "CODE", None)
    (polite,) = assessments(turns[1]).values()
    assert (polite.value, polite.metadata["mlflow.trace.session"]) == ("yes", "a talk")
    assert not assessments(turns[0])
    spans = [span.name for span in reader.trace(judged.trace_id.hex()).data.spans]
    assert sorted(spans) == ["generate", "judged in Phoenix"]

    second = _import(phoenix, folder, *where)
    assert (second["traces"], second["annotations"], second["delivered_before"]) == (0, 0, {"traces": 3, "annotations": 4})
    # Another machine knows nothing of the first import, and MLflow has everything once all the same.
    other = _import(phoenix, folder / "other", *where)
    assert (other["traces"], other["annotations"], assessments(judged)) == (3, 4, found)

    phoenix.annotate("span", span_id=span, name="tone", annotator_kind="LLM", result={"label": "rude"})
    third = _import(phoenix, folder, *where)
    assert (third["spans"], third["annotations"], third["delivered_before"]["annotations"]) == (0, 1, 3)
    assert {name: each.value for name, each in assessments(judged).items()} == {"good": 0.5, "tone": "rude", "done": 1.0}


def test_an_import_that_was_killed_goes_on_and_sends_nothing_twice(
    phoenix: PhoenixServer, mlflow_server: MlflowServer, reader: Reader, folder: Path
):
    traces = [example.agent(f"moved in two parts {number}") for number in range(300)]
    _send(phoenix, "two parts", example.payload(*traces))
    wanted = {trace.trace_id.hex() for trace in traces}
    experiment = reader.create_experiment("two parts")
    # It cannot be done before it is killed: MLflow is away after a hundred exports of a trace each.
    with FaultProxy(mlflow_server.port) as mlflow:
        mlflow.exports_left = 100
        where = ("--project", "two parts", "--tracking-uri", mlflow.uri)
        slowly = ("--page-size", "10", "--batch-spans", "2", "--concurrency", "1")
        words = ["import", "--from-phoenix", phoenix.uri, "--data-dir", str(folder / "data"), *where, *slowly]
        folder.mkdir()
        process = Process("import", [str(binary()), *words], clean_environment(), folder / "import.log", folder)
        eventually(lambda: len(_acknowledged(folder)) > 20, "some acknowledged traces", within=60)
        process.kill()
        before = reader.trace_ids(experiment)
        assert before < wanted

        mlflow.exports_left = None
        rest = _import(phoenix, folder, *where)
    known = rest["delivered_before"]["traces"]
    # What MLflow had and had not acknowledged yet is sent again; it replaces itself.
    assert 20 < known <= len(before) and known + rest["traces"] == 300
    found = reader.traces(experiment, wanted)
    assert {trace_id: len(trace.data.spans) for trace_id, trace in found.items()} == dict.fromkeys(wanted, 2)
    assert reader.trace_ids(experiment) == wanted


def test_a_phoenix_that_asks_for_keys_gives_everything_to_one_that_is_valid(
    mlflow_server: MlflowServer, reader: Reader, folder: Path
):
    phoenix = PhoenixServer(folder / "phoenix", asks_for_keys=True).start()
    try:
        trace = example.agent("behind a login")
        _send(phoenix, "behind a login", example.payload(trace))
        phoenix.annotate("trace", trace_id=trace.trace_id.hex(), name="done", result={"score": 1.0})
        key = phoenix.make_api_key("import")

        def start(**keys: str) -> tuple[int, str, str]:
            where = ("--from-phoenix", phoenix.uri, "--tracking-uri", mlflow_server.uri, "--data-dir", str(folder / "data"))
            done = run("import", *where, "--project", "behind a login", "--json", environment=keys)
            said = done.stderr.decode()
            assert not any(secret in said + done.stdout.decode() for secret in (key, "n0t-a-key"))
            return done.returncode, said, done.stdout.decode()

        status, said, _ = start()
        assert status != 0 and "asks for credentials (401)" in said and "set PHOENIX_API_KEY" in said
        status, said, _ = start(PHOENIX_API_KEY="n0t-a-key")
        assert status != 0 and "does not accept the credentials (401)" in said and "PHOENIX_API_KEY" in said
        assert reader.client.get_experiment_by_name("behind a login") is None

        status, said, summary = start(PHOENIX_API_KEY=key)
        assert status == 0, said
        assert {name: json.loads(summary)[name] for name in ("traces", "spans", "annotations")} == {
            "traces": 1,
            "spans": 2,
            "annotations": 1,
        }
        # The same key as a header does as well.
        status, said, summary = start(PHOENIX_CLIENT_HEADERS=f"authorization=Bearer%20{key}")
        assert status == 0 and json.loads(summary)["delivered_before"] == {"traces": 1, "annotations": 1}, said
    finally:
        phoenix.stop()
    found = reader.trace(trace.trace_id.hex())
    assert len(found.data.spans) == 2 and [each.name for each in found.info.assessments] == ["done"]
    assert reader.trace_ids(_experiment(reader, "behind a login")) == {trace.trace_id.hex()}


def test_the_commands_of_the_page_work_and_show_no_secret(
    phoenix: PhoenixServer, mlflow_server: MlflowServer, reader: Reader, folder: Path
):
    trace = example.agent("of the page", project="my-agent")
    _send(phoenix, "my-agent", example.payload(trace))
    commands = re.findall(r"^openinference-mlflow import .*$", _PAGE.read_text(), re.M)
    # The most talkative log shows no credentials.
    talkative = {"RUST_LOG": "trace,cranelift=info,regalloc2=info,wasmtime=info"}
    environment = clean_environment(PHOENIX_API_KEY="s3cret", PHOENIX_CLIENT_HEADERS="x-key=s3cret", **talkative)
    for command in commands:
        addresses = command.replace("http://127.0.0.1:6006", phoenix.uri).replace("http://127.0.0.1:5000", mlflow_server.uri)
        words = [str(binary()), *shlex.split(addresses)[1:], "--data-dir", str(folder)]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert "TRACE" in done.stderr and "s3cret" not in done.stderr + done.stdout
    assert len(commands) == 2
    assert reader.trace_ids(_experiment(reader, "my-agent")) == {trace.trace_id.hex()}
