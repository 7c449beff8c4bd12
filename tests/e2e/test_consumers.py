"""What reads traces in MLflow itself finds what it looks for: search, evaluation, sessions."""


import mlflow
import pytest
from mlflow.entities import Trace
from mlflow.genai import scorer
from mlflow.genai.utils.trace_utils import (
    extract_available_tools_from_trace,
    extract_request_from_trace,
    extract_response_from_trace,
    extract_retrieval_context_from_trace,
    extract_tools_called_from_trace,
    resolve_conversation_from_session,
)

from e2e.harness.gateway import Gateway
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.openai_scenarios import SESSION
from e2e.harness.payloads import load
from e2e.harness.readback import Reader

_RETRIEVAL, _CHAT, _AGENT = "js_langchain_retrieval.pb", "py_bedrock_conversation.pb", "py_langchain_agent.pb"
_TURN = "py_openai_context.pb"
_QUESTION, _ANSWER = "What is the capital of France?", "Paris is the capital of France."


@pytest.fixture(scope="module")
def location(mlflow_server: MlflowServer, reader: Reader, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An experiment with a retrieval, a chat, an agent, and two turns of one session; MLflow's fluent API reads there."""
    experiment = reader.create_experiment("consumers")
    copies = [load(name).with_own_traces("consumers") for name in (_RETRIEVAL, _CHAT, _AGENT, _TURN)]
    copies.append(load(_TURN).with_own_traces("consumers, second turn"))
    arguments = ("--experiment-id", experiment)
    with Gateway(tmp_path_factory.mktemp("consumers"), *arguments, tracking_uri=mlflow_server.uri) as gateway:
        for copy in copies:
            copy.post(gateway.traces_url).require(200)
        reader.wait_for_traces(experiment, [trace_id for copy in copies for trace_id in copy.trace_ids])
    mlflow.set_tracking_uri(mlflow_server.uri)
    mlflow.set_experiment(experiment_id=experiment)
    return experiment


def _search(location: str, filter_string: str) -> list[Trace]:
    return mlflow.search_traces(locations=[location], filter_string=filter_string, return_type="list")


@pytest.fixture(scope="module")
def retrieval(location: str) -> Trace:
    (found,) = _search(location, "span.type = 'RETRIEVER'")
    return found


@pytest.fixture(scope="module")
def chat(location: str) -> Trace:
    (found,) = _search(location, "span.name = 'bedrock.converse'")
    return found


@pytest.fixture(scope="module")
def agent(location: str) -> Trace:
    (found,) = _search(location, "span.type = 'TOOL'")
    return found


def test_traces_are_found_by_the_types_of_their_spans_and_by_their_tags(location: str, agent: Trace) -> None:
    assert len(_search(location, "span.type = 'LLM'")) == 5
    assert _search(location, "span.type = 'RERANKER'") == []
    tag, value = "thread_id", "thread-1"
    assert agent.info.tags[tag] == value
    assert [found.info.trace_id for found in _search(location, f"tag.{tag} = '{value}'")] == [agent.info.trace_id]
    assert _search(location, f"tag.{tag} = 'another'") == []


def test_what_judges_read_of_a_retrieval_is_every_document(retrieval: Trace) -> None:
    (documents,) = extract_retrieval_context_from_trace(retrieval).values()
    assert documents == [
        {"content": "A span is one timed operation of a trace.", "doc_uri": "spans.md"},
        {"content": "A trace is the path of one request through an application.", "doc_uri": "traces.md"},
    ]
    assert extract_request_from_trace(retrieval) == "What is a span?"
    assert extract_response_from_trace(retrieval) == "A span is one timed operation of a trace."


def test_what_judges_read_of_a_chat_is_its_words(chat: Trace) -> None:
    assert "And how many people live there?" in extract_request_from_trace(chat)
    assert extract_response_from_trace(chat) == "Paris, which has about two million inhabitants."


def test_what_judges_read_of_an_agent_is_its_tools_and_their_calls(agent: Trace) -> None:
    assert [tool.function.name for tool in extract_available_tools_from_trace(agent)] == ["get_weather"]
    called = extract_tools_called_from_trace(agent)
    # LangChain's instrumentation gives a tool's one argument as a bare string.
    assert [(call.name, call.arguments) for call in called] == [("get_weather", "Lisbon"), ("get_weather", "Porto")]


@scorer
def is_grounded(outputs: str, trace: Trace) -> bool:
    """Whether the answer is the text of a document that was retrieved."""
    contexts = extract_retrieval_context_from_trace(trace).values()
    return any(document["content"] == outputs for documents in contexts for document in documents)


def test_a_scorer_of_mlflows_evaluation_judges_a_trace_that_came_through_the_gateway(retrieval: Trace) -> None:
    result = mlflow.genai.evaluate(data=[retrieval], scorers=[is_grounded])
    assert result.metrics["is_grounded/mean"] == 1.0


def test_turns_of_one_session_are_one_conversation(location: str) -> None:
    found = {session.id: session for session in mlflow.search_sessions(locations=[location])}
    said = resolve_conversation_from_session(found[SESSION].traces)
    answer = {"role": "assistant", "content": _ANSWER}
    assert len(said) == 4
    assert said[1] == said[3] == answer
    assert _QUESTION in said[0]["content"] and _QUESTION in said[2]["content"]
