/** A mock of OpenAI's, Anthropic's and Bedrock's APIs on loopback. Tests read the constants: this is what MLflow must show. */

import { createServer } from "node:http";

export const CHAT_TEXT = "Paris is the capital of France.";
export const STREAM_PIECES = ["One", ", two", ", three."];
export const TOOL_ARGUMENTS = '{"city":"Lisbon"}';
export const CLAUDE_TEXT = "Lisbon is sunny.";
export const NOVA_TEXT = "Let me look at the sky over Lisbon.";

const created = 1_750_000_000;

export async function startModels() {
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    const asked = JSON.parse(text || "{}");
    if (asked.model === "overloaded")
      return send(response, 500, { error: { message: "overloaded", type: "server_error" } });
    if (asked.stream) return stream(response, asked);
    if (request.url.endsWith("/chat/completions")) return send(response, 200, chat(asked));
    if (request.url.endsWith("/embeddings")) return send(response, 200, embeddings(asked));
    if (request.url.endsWith("/messages") || request.url.endsWith("/invoke"))
      return send(response, 200, message(asked));
    if (request.url.endsWith("/converse")) return send(response, 200, conversation());
    return send(response, 404, {});
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    uri: `http://127.0.0.1:${server.address().port}`,
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}

function send(response, status, value) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

function chat({ model, tools }) {
  const call = { id: "call_1", type: "function", function: { name: "get_weather", arguments: TOOL_ARGUMENTS } };
  const message = tools
    ? { role: "assistant", content: null, tool_calls: [call] }
    : { role: "assistant", content: CHAT_TEXT };
  return {
    ...{ id: "chatcmpl-1", object: "chat.completion", created, model },
    choices: [{ index: 0, message, finish_reason: tools ? "tool_calls" : "stop", logprobs: null }],
    usage: { prompt_tokens: 21, completion_tokens: 8, total_tokens: 29 },
  };
}

function stream(response, { model }) {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const chunk = (delta, finish_reason) => ({
    ...{ id: "chatcmpl-2", object: "chat.completion.chunk", created, model },
    choices: [{ index: 0, delta, finish_reason }],
  });
  for (const content of STREAM_PIECES) response.write(`data: ${JSON.stringify(chunk({ content }, null))}\n\n`);
  response.end(`data: ${JSON.stringify(chunk({}, "stop"))}\n\ndata: [DONE]\n\n`);
}

function embeddings({ model, input }) {
  const data = [input].flat().map((_, index) => ({ object: "embedding", index, embedding: [0.5, 1, -0.25] }));
  return { object: "list", model, data, usage: { prompt_tokens: 5, total_tokens: 5 } };
}

function message({ model }) {
  return {
    ...{ id: "msg_1", type: "message", role: "assistant", model, stop_reason: "end_turn", stop_sequence: null },
    content: [{ type: "text", text: CLAUDE_TEXT }],
    usage: { input_tokens: 12, output_tokens: 6 },
  };
}

/** Bedrock's Converse: a text and a call of a tool. */
function conversation() {
  const toolUse = { toolUseId: "call_2", name: "get_weather", input: JSON.parse(TOOL_ARGUMENTS) };
  return {
    output: { message: { role: "assistant", content: [{ text: NOVA_TEXT }, { toolUse }] } },
    stopReason: "tool_use",
    usage: { inputTokens: 31, outputTokens: 9, totalTokens: 40 },
    metrics: { latencyMs: 12 },
  };
}
