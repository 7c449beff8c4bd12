/** What an agent's trace opens with: the root's request and response, and the steps between where the root has them. */

import { toolCalls, SUNNY, SYSTEM, toolResult, WEATHER } from "./texts.mjs";

const answered = { inputs: [WEATHER], outputs: [SUNNY] };
const instructed = { inputs: [SYSTEM, WEATHER], outputs: [SUNNY] };

/** LangChain has the whole conversation; the request is not drawn twice. */
const state = (...cities) => ({
  inputs: [WEATHER],
  outputs: [toolCalls(cities), ...cities.map((city) => toolResult(`${city}: 21 °C, sunny`)), SUNNY],
});

export const AGENTS = {
  "py_langchain_agent.pb": { span: "weather_agent", ...state("Lisbon", "Porto") },
  "py_openai_agents_handoff.pb": { span: "Agent workflow", ...answered },
  "py_openai_agents_chat_completions.pb": { span: "Agent workflow", ...answered },
  "js_langchain_agent.pb": { span: "weather_agent", ...state("Lisbon") },
  "js_ai_sdk_tool_result.pb": {
    span: "invoke_agent gpt-4o-mini",
    inputs: [SYSTEM, WEATHER],
    // One message for all that the model said and did: calls are drawn above the words.
    outputs: [`${SUNNY} → get_weather(city: Lisbon)`],
  },
  "js_openai_agents_handoff.pb": { span: "Agent workflow", ...answered },
  "js_openai_agents_chat_completions.pb": { span: "Agent workflow", ...instructed },
};
