"""Captures `openinference-instrumentation-haystack`: `py_haystack_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

from haystack import Document, Pipeline
from haystack.components.agents import Agent
from haystack.components.builders import ChatPromptBuilder
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.components.rankers import LLMRanker
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever
from haystack.dataclasses import ChatMessage, ToolCall
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.tools import Tool
from haystack.utils import Secret
from openinference.instrumentation.haystack import HaystackInstrumentor

from capture.python import prompts
from capture.python.model_api import ModelApi
from capture.python.openai_answers import saying

_WEATHER = Tool(
    name=prompts.TOOL,
    description=prompts.TOOL_DESCRIPTION,
    parameters=prompts.TOOL_SCHEMA,
    function=lambda city: f"{city}: {prompts.WEATHER}",
)


def _generator(api: ModelApi, **settings) -> OpenAIChatGenerator:
    return OpenAIChatGenerator(
        model="gpt-4o-mini",
        api_key=Secret.from_token("not-a-real-key"),
        api_base_url=f"{api.uri}/v1",
        max_retries=0,
        **settings,
    )


def conversation(api: ModelApi) -> None:
    pipeline = Pipeline()
    pipeline.add_component("llm", _generator(api))
    messages = [
        ChatMessage.from_system(prompts.SYSTEM),
        ChatMessage.from_user(prompts.FIRST_QUESTION),
        ChatMessage.from_assistant(prompts.FIRST_ANSWER),
        ChatMessage.from_user(prompts.SECOND_QUESTION),
    ]
    with api.answering("openai/chat.json"):
        pipeline.run({"llm": {"messages": messages}})


def agent(api: ModelApi) -> None:
    """Haystack's agent: it asks, runs the tool and asks again."""
    pipeline = Pipeline()
    pipeline.add_component(
        "weather_agent", Agent(chat_generator=_generator(api), tools=[_WEATHER], system_prompt=prompts.SYSTEM)
    )
    with api.answering("openai/tool_call.json", "openai/tool_result.json"):
        pipeline.run({"weather_agent": {"messages": [ChatMessage.from_user(prompts.WEATHER_QUESTION)]}})


def tool_result(api: ModelApi) -> None:
    """A generator alone, with a tool's result."""
    call = ToolCall(id="call_1", tool_name=prompts.TOOL, arguments={"city": "Lisbon"})
    pipeline = Pipeline()
    pipeline.add_component("llm", _generator(api, tools=[_WEATHER]))
    messages = [
        ChatMessage.from_user(prompts.WEATHER_QUESTION),
        ChatMessage.from_assistant(tool_calls=[call]),
        ChatMessage.from_tool(prompts.WEATHER, origin=call),
    ]
    with api.answering("openai/tool_result.json"):
        pipeline.run({"llm": {"messages": messages}})


def retrieval(api: ModelApi) -> None:
    """Retriever, reranker, prompt, model."""
    query = {"query": prompts.DOCUMENT_QUESTION}
    store = InMemoryDocumentStore()
    store.write_documents(
        [Document(id=name, content=text, meta={"file": name}) for name, text in prompts.DOCUMENTS.items()]
    )
    template = [
        ChatMessage.from_system(prompts.SYSTEM),
        ChatMessage.from_user("{% for each in documents %}{{ each.content }}\n{% endfor %}{{ question }}"),
    ]
    pipeline = Pipeline()
    pipeline.add_component("retriever", InMemoryBM25Retriever(store, top_k=2))
    pipeline.add_component("ranker", LLMRanker(chat_generator=_generator(api), top_k=1))
    pipeline.add_component("prompt", ChatPromptBuilder(template=template, required_variables="*"))
    pipeline.add_component("llm", _generator(api))
    pipeline.connect("retriever.documents", "ranker.documents")
    pipeline.connect("ranker.documents", "prompt.documents")
    pipeline.connect("prompt.prompt", "llm.messages")
    ranking = saying('{"documents": [{"index": 1}]}')
    with api.answering(ranking, "openai/retrieval.json"):
        pipeline.run({"retriever": query, "ranker": query, "prompt": {"question": prompts.DOCUMENT_QUESTION}})


if __name__ == "__main__":
    record(
        "haystack",
        ("openinference-instrumentation-haystack", "haystack-ai", "openai"),
        lambda provider: HaystackInstrumentor().instrument(tracer_provider=provider),
        {
            "conversation": conversation,
            "agent": agent,
            "tool_result": tool_result,
            "retrieval": retrieval,
        },
    )
