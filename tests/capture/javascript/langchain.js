/** Captures `@arizeai/openinference-instrumentation-langchain` with LangChain and LangGraph: `js_langchain_<scenario>.pb`. */

import "./network-guard.js";

import { LangChainInstrumentation } from "@arizeai/openinference-instrumentation-langchain";
import { MemoryVectorStore } from "@langchain/classic/vectorstores/memory";
import * as callbackManager from "@langchain/core/callbacks/manager";
import { Document } from "@langchain/core/documents";
import { AIMessage, HumanMessage, SystemMessage } from "@langchain/core/messages";
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { RunnablePassthrough } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import { FakeEmbeddings } from "@langchain/core/utils/testing";
import { ChatOpenAI } from "@langchain/openai";
import { createAgent } from "langchain";
import { z } from "zod";

import * as prompts from "./prompts.js";
import { record } from "./recorder.js";

const model = (api) =>
  new ChatOpenAI({
    model: "gpt-4o-mini",
    apiKey: "not-a-real-key",
    configuration: { baseURL: `${api.url}/v1` },
    maxRetries: 0,
    temperature: 0.2,
  });

const conversation = (api) =>
  api.answering(["openai/chat.json"], () =>
    model(api).invoke([
      new SystemMessage(prompts.SYSTEM),
      new HumanMessage(prompts.FIRST_QUESTION),
      new AIMessage(prompts.FIRST_ANSWER),
      new HumanMessage(prompts.SECOND_QUESTION),
    ]),
  );

/** LangChain's agent, a LangGraph graph: a tool, and its result. */
const agent = (api) => {
  const weather = tool(({ city }) => `${city}: ${prompts.WEATHER}`, {
    name: prompts.TOOL,
    description: prompts.TOOL_DESCRIPTION,
    schema: z.object({ city: z.string().describe("Name of the city.") }),
  });
  const graph = createAgent({ model: model(api), tools: [weather], systemPrompt: prompts.SYSTEM, name: "weather_agent" });
  return api.answering(["openai/tool_call.json", "openai/tool_result.json"], () =>
    graph.invoke(
      { messages: [{ role: "user", content: prompts.WEATHER_QUESTION }] },
      { configurable: { thread_id: "thread-1" } },
    ),
  );
};

const retrieval = async (api) => {
  const documents = Object.entries(prompts.DOCUMENTS).map(
    ([source, pageContent]) => new Document({ id: source, pageContent, metadata: { source } }),
  );
  const store = await MemoryVectorStore.fromDocuments(documents, new FakeEmbeddings());
  const chain = RunnablePassthrough.assign({ context: ({ question }) => store.asRetriever(2).invoke(question) })
    .pipe(ChatPromptTemplate.fromTemplate("Answer from this:\n{context}\n\nQuestion: {question}"))
    .pipe(model(api))
    .pipe(new StringOutputParser());
  await api.answering(["openai/retrieval.json"], () => chain.invoke({ question: prompts.DOCUMENT_QUESTION }));
};

const image = (api) =>
  api.answering(["openai/image.json"], () => {
    const content = [
      { type: "text", text: prompts.IMAGE_QUESTION },
      { type: "image_url", image_url: { url: prompts.IMAGE_URL } },
    ];
    return model(api).invoke([new HumanMessage({ content })]);
  });

await record({
  instrumentor: "langchain",
  packages: [
    "@arizeai/openinference-instrumentation-langchain",
    "langchain",
    "@langchain/core",
    "@langchain/openai",
    "@langchain/langgraph",
  ],
  instrument: (tracerProvider) => new LangChainInstrumentation({ tracerProvider }).manuallyInstrument(callbackManager),
  scenarios: { conversation, agent, retrieval, image },
});
