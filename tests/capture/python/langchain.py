"""Captures `openinference-instrumentation-langchain` with LangChain and LangGraph: `py_langchain_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

from typing import TypedDict

from langchain.agents import create_agent
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableConfig, RunnablePassthrough
from langchain_core.tools import tool
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph
from openinference.instrumentation.langchain import LangChainInstrumentor

from capture.python import prompts
from capture.python.model_api import ModelApi


def _model(api: ModelApi, **settings) -> ChatOpenAI:
    return ChatOpenAI(
        model="gpt-4o-mini", api_key="not-a-real-key", base_url=f"{api.uri}/v1", max_retries=0, **settings
    )


@tool(prompts.TOOL)
def get_weather(city: str) -> str:
    """The weather in a city, now."""
    return f"{city}: {prompts.WEATHER}"


def conversation(api: ModelApi) -> None:
    with api.answering("openai/chat.json"):
        _model(api, temperature=0.2).invoke(
            [
                SystemMessage(prompts.SYSTEM),
                HumanMessage(prompts.FIRST_QUESTION),
                AIMessage(prompts.FIRST_ANSWER),
                HumanMessage(prompts.SECOND_QUESTION),
            ]
        )


def streaming(api: ModelApi) -> None:
    """A chain whose model streams into a parser."""
    prompt = ChatPromptTemplate.from_messages([("system", prompts.SYSTEM), ("human", "{question}")])
    chain = prompt | _model(api, stream_usage=True) | StrOutputParser()
    with api.answering("openai/chat.sse"):
        for _ in chain.stream({"question": prompts.FIRST_QUESTION}):
            pass


def agent(api: ModelApi) -> None:
    """LangChain's agent, a LangGraph graph: two tools at once, and their results."""
    graph = create_agent(_model(api), tools=[get_weather], system_prompt=prompts.SYSTEM, name="weather_agent")
    # One tool at a time, so that spans come in the same order each time.
    config: RunnableConfig = {"configurable": {"thread_id": "thread-1"}, "max_concurrency": 1}
    with api.answering("openai/tool_calls.json", "openai/tool_result.json"):
        graph.invoke({"messages": [{"role": "user", "content": prompts.WEATHER_QUESTION}]}, config)


def retrieval(api: ModelApi) -> None:
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=8))
    store.add_documents(
        [Document(id=name, page_content=text, metadata={"source": name}) for name, text in prompts.DOCUMENTS.items()]
    )
    prompt = ChatPromptTemplate.from_template("Answer from this:\n{context}\n\nQuestion: {question}")
    chain = (
        {"context": store.as_retriever(search_kwargs={"k": 2}), "question": RunnablePassthrough()}
        | prompt
        | _model(api)
        | StrOutputParser()
    )
    with api.answering("openai/retrieval.json"):
        chain.invoke(prompts.DOCUMENT_QUESTION)


class _Draft(TypedDict):
    question: str
    answer: str


def graph(api: ModelApi) -> None:
    """A LangGraph graph of the application's own, whose last node fails."""
    model = _model(api)

    def write(state: _Draft) -> dict:
        return {"answer": model.invoke(state["question"]).text}

    def check(state: _Draft) -> dict:
        raise ValueError(f"not an answer: {state['answer']}")

    builder = StateGraph(_Draft)
    builder.add_node("write", write)
    builder.add_node("check", check)
    builder.add_edge(START, "write")
    builder.add_edge("write", "check")
    builder.add_edge("check", END)
    with api.answering("openai/chat.json"):
        try:
            builder.compile().invoke({"question": prompts.FIRST_QUESTION})
        except ValueError:
            return
    raise SystemExit("the graph should have failed")


def image(api: ModelApi) -> None:
    parts = [
        {"type": "text", "text": prompts.IMAGE_QUESTION},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{prompts.PNG_BASE64}"}},
    ]
    with api.answering("openai/image.json"):
        _model(api).invoke([HumanMessage(parts)])


if __name__ == "__main__":
    record(
        "langchain",
        ("openinference-instrumentation-langchain", "langchain", "langchain-core", "langchain-openai", "langgraph"),
        lambda provider: LangChainInstrumentor().instrument(tracer_provider=provider),
        {
            "conversation": conversation,
            "streaming": streaming,
            "agent": agent,
            "retrieval": retrieval,
            "graph": graph,
            "image": image,
        },
    )
