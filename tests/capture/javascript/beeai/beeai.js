/** Captures `@arizeai/openinference-instrumentation-beeai`: `js_beeai_<scenario>.pb`. */

import "../network-guard.js";

import { BeeAIInstrumentation } from "@arizeai/openinference-instrumentation-beeai";
import * as beeai from "beeai-framework";
import { OpenAIChatModel } from "beeai-framework/adapters/openai/backend/chat";
import { ToolCallingAgent } from "beeai-framework/agents/toolCalling/agent";
import { SystemMessage, UserMessage, AssistantMessage } from "beeai-framework/backend/message";
import { UnconstrainedMemory } from "beeai-framework/memory/unconstrainedMemory";
import { DynamicTool, StringToolOutput } from "beeai-framework/tools/base";
import { z } from "zod";

import * as prompts from "../prompts.js";
import { record } from "../recorder.js";

const weather = new DynamicTool({
  name: prompts.TOOL,
  description: prompts.TOOL_DESCRIPTION,
  inputSchema: z.object({ city: z.string().describe("Name of the city.") }),
  handler: async ({ city }) => new StringToolOutput(`${city}: ${prompts.WEATHER}`),
});

const model = (api) =>
  new OpenAIChatModel("gpt-4o-mini", { temperature: 0 }, { apiKey: "not-a-real-key", baseURL: `${api.url}/v1` });

const conversation = (api) =>
  api.answering(["openai/chat.json"], () =>
    model(api).create({
      messages: [
        new SystemMessage(prompts.SYSTEM),
        new UserMessage(prompts.FIRST_QUESTION),
        new AssistantMessage(prompts.FIRST_ANSWER),
        new UserMessage(prompts.SECOND_QUESTION),
      ],
    }),
  );

/** An agent that calls a tool and gives its answer by another. */
const agent = (api) => {
  const memory = new UnconstrainedMemory();
  const weatherAgent = new ToolCallingAgent({ llm: model(api), memory, tools: [weather] });
  return api.answering(["openai/tool_call.json", "openai/final_answer.json"], () =>
    weatherAgent.run({ prompt: prompts.WEATHER_QUESTION }),
  );
};

await record({
  instrumentor: "beeai",
  packages: ["@arizeai/openinference-instrumentation-beeai", "beeai-framework", "@ai-sdk/openai"],
  modules: import.meta.dirname,
  instrument: (tracerProvider) => new BeeAIInstrumentation({ tracerProvider }).manuallyInstrument(beeai),
  scenarios: { conversation, agent },
});
