/**
 * Captures Mastra through `@mastra/arize`: `js_mastra_<scenario>.pb`.
 *
 * Mastra's spans pass no tracer provider, and its exporter rewrites them where it sends them: the payload is what it posts.
 */

import "../network-guard.js";

import { createOpenAI } from "@ai-sdk/openai";
import { ArizeExporter } from "@mastra/arize";
import { Agent } from "@mastra/core/agent";
import { Mastra } from "@mastra/core/mastra";
import { createTool } from "@mastra/core/tools";
import { Observability } from "@mastra/observability";
import { z } from "zod";

import * as prompts from "../prompts.js";
import { recordPosted } from "../posted-recorder.js";

const chat = (api) => createOpenAI({ apiKey: "not-a-real-key", baseURL: `${api.url}/v1` }).chat("gpt-4o-mini");

const weather = createTool({
  id: prompts.TOOL,
  description: prompts.TOOL_DESCRIPTION,
  inputSchema: z.object({ city: z.string().describe("Name of the city.") }),
  execute: async ({ city }) => ({ city, weather: prompts.WEATHER }),
});

/** An application with one agent, which sends its spans to `endpoint`. */
async function withAgent({ api, endpoint, tools }, work) {
  const exporter = new ArizeExporter({ endpoint, projectName: "capture" });
  const mastra = new Mastra({
    agents: {
      assistant: new Agent({ id: "assistant", name: "assistant", instructions: prompts.SYSTEM, model: chat(api), tools }),
    },
    logger: false,
    observability: new Observability({ configs: { arize: { serviceName: "capture", exporters: [exporter] } } }),
  });
  await work(mastra.getAgent("assistant"));
  await mastra.shutdown();
}

const conversation = (api, endpoint) =>
  api.answering(["openai/chat.json"], () =>
    withAgent({ api, endpoint }, (agent) =>
      agent.generate([
        { role: "user", content: prompts.FIRST_QUESTION },
        { role: "assistant", content: prompts.FIRST_ANSWER },
        { role: "user", content: prompts.SECOND_QUESTION },
      ]),
    ),
  );

/** An agent that calls a tool and answers. */
const agent = (api, endpoint) =>
  api.answering(["openai/tool_call.json", "openai/tool_result.json"], () =>
    withAgent({ api, endpoint, tools: { [prompts.TOOL]: weather } }, (agent) => agent.generate(prompts.WEATHER_QUESTION)),
  );

await recordPosted({
  instrumentor: "mastra",
  packages: ["@mastra/arize", "@mastra/core", "@mastra/observability", "@ai-sdk/openai"],
  modules: import.meta.dirname,
  scenarios: { conversation, agent },
});
