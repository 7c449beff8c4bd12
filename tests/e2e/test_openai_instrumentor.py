"""A real application (OpenAI SDK, OpenInference's instrumentor) → serve, or the Python package → a real MLflow.

Read back through MLflow's own client, once for each protocol the application may export with, and once with `autolog()`.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow.entities import Trace

from e2e.harness import mock_openai_answers as answers
from e2e.harness import openai_scenarios as scenarios
from e2e.harness.application import run_openai_app
from e2e.harness.gateway import Gateway
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.mock_openai import MockOpenAI
from e2e.harness.readback import Reader

_SPANS = {"tools": 4}


@pytest.fixture(scope="module", params=("grpc", "http", pytest.param("autolog", marks=pytest.mark.python_package)))
def traces(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    mlflow_server: MlflowServer,
    reader: Reader,
    model_api: MockOpenAI,
) -> Iterator[dict[str, Trace]]:
    """What MLflow holds of every scenario after the application has exported it."""
    protocol = request.param
    if protocol == "autolog":
        made = request.getfixturevalue("with_autolog")
        trace_ids = {name: made[f"py_openai_{name}.pb"].trace_ids[0] for name in scenarios.SCENARIOS}
        yield {name: reader.trace(each) for name, each in trace_ids.items()}
        return
    folder: Path = tmp_path_factory.mktemp(f"openai-{protocol}")
    with Gateway(folder, "--experiment", f"openai over {protocol}", tracking_uri=mlflow_server.uri) as gateway:
        endpoint = gateway.grpc_target if protocol == "grpc" else gateway.traces_url
        trace_ids = run_openai_app(model_api.base_url, protocol, endpoint)
        assert set(trace_ids) == set(scenarios.SCENARIOS)
        yield {name: reader.wait_for_trace(each, _SPANS.get(name, 1)) for name, each in trace_ids.items()}


def test_a_chat_shows_its_question_answer_model_tokens_and_cost(traces: dict[str, Trace]) -> None:
    trace = traces["chat"]
    (span,) = trace.data.spans

    assert (span.name, span.span_type, span.status.status_code.value) == ("ChatCompletion", "LLM", "OK")
    assert span.inputs["messages"][-1] == {"role": "user", "content": scenarios.CHAT_QUESTION}
    assert span.outputs["choices"][0]["message"]["content"] == answers.CHAT_TEXT
    assert span.attributes["mlflow.llm.model"] == scenarios.CHAT_MODEL
    assert _tokens(trace) == answers.CHAT_USAGE
    # The instrumentor sends no cost; MLflow prices the tokens itself, once it knows the model.
    cost = json.loads(trace.info.trace_metadata["mlflow.trace.cost"])
    assert cost["total_cost"] == pytest.approx(cost["input_cost"] + cost["output_cost"]) and cost["total_cost"] > 0
    assert str(trace.info.state) == "OK"


def test_the_trace_list_shows_a_name_and_readable_previews(traces: dict[str, Trace]) -> None:
    info = traces["chat"].info

    assert info.tags["mlflow.traceName"] == "ChatCompletion"
    assert (info.request_preview, info.response_preview) == (scenarios.CHAT_QUESTION, answers.CHAT_TEXT)


def test_a_tool_call_shows_the_agent_above_its_two_model_calls_and_the_tool(traces: dict[str, Trace]) -> None:
    trace = traces["tools"]
    spans = sorted(trace.data.spans, key=lambda span: span.start_time_ns)
    root, first, tool, second = spans

    assert [(span.name, span.span_type) for span in spans] == [
        ("answer", "AGENT"),
        ("ChatCompletion", "LLM"),
        (answers.TOOL_NAME, "TOOL"),
        ("ChatCompletion", "LLM"),
    ]
    assert root.parent_id is None
    assert {span.parent_id for span in (first, tool, second)} == {root.span_id}
    assert all(root.start_time_ns <= span.start_time_ns <= span.end_time_ns <= root.end_time_ns for span in spans)

    asked = first.outputs["choices"][0]["message"]["tool_calls"][0]["function"]
    assert (asked["name"], json.loads(asked["arguments"])) == (answers.TOOL_NAME, answers.TOOL_ARGUMENTS)
    assert tool.inputs == answers.TOOL_ARGUMENTS
    assert second.outputs["choices"][0]["message"]["content"] == answers.TOOL_FINAL_TEXT
    both = (answers.TOOL_USAGE, answers.TOOL_FINAL_USAGE)
    assert _tokens(trace) == {key: sum(usage[key] for usage in both) for key in answers.TOOL_USAGE}


def test_a_streamed_answer_shows_its_whole_text_and_its_tokens(traces: dict[str, Trace]) -> None:
    trace = traces["streaming"]
    (span,) = trace.data.spans

    assert "".join(answers.STREAM_PIECES) in json.dumps(span.outputs)
    assert _tokens(trace) == answers.STREAM_USAGE
    assert [event.name for event in span.events] == ["First Token Stream Event"]


def test_embeddings_show_their_model_and_their_tokens(traces: dict[str, Trace]) -> None:
    trace = traces["embeddings"]
    (span,) = trace.data.spans

    assert span.span_type == "EMBEDDING"
    assert span.attributes["mlflow.llm.model"] == scenarios.EMBEDDING_MODEL
    assert _tokens(trace)["prompt_tokens"] == 2 * answers.EMBEDDING_TOKENS_PER_TEXT


def test_a_refused_call_shows_the_error_and_the_exception(traces: dict[str, Trace]) -> None:
    trace = traces["error"]
    (span,) = trace.data.spans
    status, _, _, message = answers.REFUSED_MODELS["no-such-model"]

    assert str(trace.info.state) == "ERROR"
    assert span.status.status_code.value == "ERROR"
    assert str(status) in span.status.description and message in span.status.description
    (event,) = span.events
    assert event.name == "exception"
    assert event.attributes["exception.type"].endswith("NotFoundError")
    assert message in event.attributes["exception.message"]
    assert "Traceback (most recent call last)" in event.attributes["exception.stacktrace"]


def test_a_response_shows_its_text_and_its_tokens(traces: dict[str, Trace]) -> None:
    trace = traces["responses"]
    (span,) = trace.data.spans

    assert span.span_type == "LLM"
    assert answers.RESPONSE_TEXT in json.dumps(span.outputs)
    assert trace.info.response_preview == answers.RESPONSE_TEXT
    usage = answers.RESPONSE_USAGE
    assert _tokens(trace) == {
        "prompt_tokens": usage["input_tokens"],
        "completion_tokens": usage["output_tokens"],
        "total_tokens": usage["total_tokens"],
    }


def test_session_user_tags_and_metadata_of_the_application_reach_the_trace(traces: dict[str, Trace]) -> None:
    info = traces["context"].info

    assert info.trace_metadata["mlflow.trace.session"] == scenarios.SESSION
    assert info.trace_metadata["mlflow.trace.user"] == scenarios.USER
    expected = dict.fromkeys(scenarios.TAGS, "true") | {key: str(value) for key, value in scenarios.METADATA.items()}
    assert info.tags.items() >= expected.items()


def test_mlflow_finds_the_traces_by_span_type(traces: dict[str, Trace], reader: Reader) -> None:
    experiment = traces["chat"].info.experiment_id
    ids = {name: trace.info.trace_id.removeprefix("tr-") for name, trace in traces.items()}
    # With `autolog()`, other applications are in the experiment too.
    found = reader.trace_ids(experiment, "span.type = 'LLM'") & set(ids.values())
    assert found == set(ids.values()) - {ids["embeddings"]}


def _tokens(trace: Trace) -> dict[str, int]:
    """A trace's token usage in the words of the model API."""
    usage = json.loads(trace.info.trace_metadata["mlflow.trace.tokenUsage"])
    words = {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens", "total_tokens": "total_tokens"}
    return {words[key]: value for key, value in usage.items() if key in words}
