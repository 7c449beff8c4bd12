/** Captures `@arizeai/openinference-instrumentation-openai-agents`: `js_openai_agents_<scenario>.pb`. */

import "./network-guard.js";

import { OpenAIAgentsInstrumentation } from "@arizeai/openinference-instrumentation-openai-agents";
import * as agents from "@openai/agents";
import OpenAI from "openai";

import * as prompts from "./prompts.js";
import { record } from "./recorder.js";

const MODEL = "gpt-4o-mini";

const client = (api) => new OpenAI({ apiKey: "not-a-real-key", baseURL: `${api.url}/v1`, maxRetries: 0 });

const weatherAgent = (model) =>
  new agents.Agent({
    name: "weather_agent",
    instructions: prompts.SYSTEM,
    model,
    tools: [
      agents.tool({
        name: prompts.TOOL,
        description: prompts.TOOL_DESCRIPTION,
        parameters: { ...prompts.TOOL_SCHEMA, additionalProperties: false },
        execute: ({ city }) => `${city}: ${prompts.WEATHER}`,
      }),
    ],
  });

/** One agent hands over to another, which reasons, calls a tool and answers. */
const handoff = (api) => {
  const model = new agents.OpenAIResponsesModel(client(api), MODEL);
  const instructions = "Hand over to who knows.";
  const desk = new agents.Agent({ name: "front_desk", instructions, model, handoffs: [weatherAgent(model)] });
  const answers = ["response_handoff", "response_tool_call", "response_tool_result"];
  return api.answering(
    answers.map((name) => `openai/${name}.json`),
    () => agents.run(desk, prompts.WEATHER_QUESTION),
  );
};

/** The same SDK over chat completions, as other providers offer them. */
const chat_completions = (api) => {
  const agent = weatherAgent(new agents.OpenAIChatCompletionsModel(client(api), MODEL));
  return api.answering(["openai/tool_call.json", "openai/tool_result.json"], () =>
    agents.run(agent, prompts.WEATHER_QUESTION),
  );
};

await record({
  instrumentor: "openai_agents",
  packages: ["@arizeai/openinference-instrumentation-openai-agents", "@openai/agents", "openai"],
  instrument: (tracerProvider) => new OpenAIAgentsInstrumentation({ tracerProvider }).manuallyInstrument(agents),
  scenarios: { handoff, chat_completions },
});
