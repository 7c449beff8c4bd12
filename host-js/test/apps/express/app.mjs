/** A server whose route runs a graph with a model call. It listens on `PORT`. */

import { LangChainInstrumentation } from "@arizeai/openinference-instrumentation-langchain";
import * as CallbackManagerModule from "@langchain/core/callbacks/manager";
import { END, MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import { ChatOpenAI } from "@langchain/openai";
import express from "express";
import { autolog } from "openinference-mlflow";

autolog({ flushOnSignals: true });
new LangChainInstrumentation().manuallyInstrument(CallbackManagerModule);

const model = new ChatOpenAI({ model: "gpt-4o-mini", configuration: { baseURL: process.env.OPENAI_BASE_URL } });
const graph = new StateGraph(MessagesAnnotation)
  .addNode("model", async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
  .addEdge(START, "model")
  .addEdge("model", END)
  .compile();

const server = express();
server.get("/chat", async (request, response) => {
  const { messages } = await graph.invoke({ messages: [{ role: "user", content: String(request.query.q) }] });
  response.json({ text: messages.at(-1).content });
});
server.listen(Number(process.env.PORT), "127.0.0.1");
