"""Captures `openinference-instrumentation-llama-index`: `py_llama_index_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

import asyncio

from llama_index.core import Document, MockEmbedding, VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai import OpenAI
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor

from capture.python import prompts
from capture.python.model_api import ModelApi


def _model(api: ModelApi) -> OpenAI:
    return OpenAI(model="gpt-4o-mini", api_key="not-a-real-key", api_base=f"{api.uri}/v1", max_retries=0)


def _weather(city: str) -> str:
    return f"{city}: {prompts.WEATHER}"


def conversation(api: ModelApi) -> None:
    with api.answering("openai/chat.json"):
        _model(api).chat(
            [
                ChatMessage(role="system", content=prompts.SYSTEM),
                ChatMessage(role="user", content=prompts.FIRST_QUESTION),
                ChatMessage(role="assistant", content=prompts.FIRST_ANSWER),
                ChatMessage(role="user", content=prompts.SECOND_QUESTION),
            ]
        )


def agent(api: ModelApi) -> None:
    """An agent workflow that calls a tool."""
    tool = FunctionTool.from_defaults(fn=_weather, name=prompts.TOOL, description=prompts.TOOL_DESCRIPTION)

    async def run() -> None:
        await FunctionAgent(
            name="weather_agent", llm=_model(api), tools=[tool], system_prompt=prompts.SYSTEM, streaming=False
        ).run(prompts.WEATHER_QUESTION)

    with api.answering("openai/tool_call.json", "openai/tool_result.json"):
        asyncio.run(run())


def retrieval(api: ModelApi) -> None:
    documents = [Document(doc_id=name, text=text, metadata={"file": name}) for name, text in prompts.DOCUMENTS.items()]
    # Every text has the same vector, so that ids decide the order of the results.
    splitter = SentenceSplitter(id_func=lambda place, document: f"{document.node_id}-{place}")
    index = VectorStoreIndex.from_documents(
        documents, embed_model=MockEmbedding(embed_dim=8), transformations=[splitter]
    )
    with api.answering("openai/retrieval.json"):
        index.as_query_engine(llm=_model(api), similarity_top_k=2).query(prompts.DOCUMENT_QUESTION)


if __name__ == "__main__":
    record(
        "llama_index",
        ("openinference-instrumentation-llama-index", "llama-index-core", "llama-index-llms-openai"),
        lambda provider: LlamaIndexInstrumentor().instrument(tracer_provider=provider),
        {"conversation": conversation, "agent": agent, "retrieval": retrieval},
    )
