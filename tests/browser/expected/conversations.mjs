/**
 * What a person who knows the captured conversation expects to see of it in MLflow.
 *
 * One entry an instrumentor, with its payloads. A payload's `spans` are calls to a model, in the order in which they
 * began: the messages that went in and came out, and the tools that were offered. `[reasoning]` is a fold of what the
 * model thought, `[image]` a picture that is really drawn, `→` a call.
 *
 * `of` names the spans where an instrumentation calls other things a model, too.
 */

import * as texts from "./texts.mjs";

const { SYSTEM, CAPITAL, PARIS, PEOPLE, TWO_MILLION, WEATHER, SUNNY, toolCalls, toolResult } = texts;

const TOOLS = ["get_weather"];
const DIALOGUE = [SYSTEM, CAPITAL, PARIS, PEOPLE];
const picture = {
  spans: [{ inputs: ["User: What is in this picture? [image]"], outputs: ["Assistant: A red square."] }],
};
const conversation = { spans: [{ inputs: DIALOGUE, outputs: [TWO_MILLION] }] };

/** The user asks, the model calls a tool for each city, receives the results and answers. */
function toolUse({
  cities = ["Lisbon"],
  results = cities.map(() => "21 °C, sunny"),
  text,
  reasoning,
  before = [],
  question = WEATHER,
  ...rest
}) {
  const call = toolCalls(cities, { text, reasoning });
  const history = rest.history ?? [toolCalls(cities, { text })];
  const tools = rest.tools ?? TOOLS;
  return {
    spans: [
      { inputs: [...before, question], outputs: [call], tools },
      { inputs: [...before, question, ...history, ...results.map(toolResult)], outputs: [SUNNY], tools },
    ],
  };
}

/** Hand-over from one agent to another, which uses a tool, over the Responses API. */
function handOver() {
  const transfer = "Assistant: → transfer_to_weather_agent()";
  const transferred = 'Tool transfer_to_weather_agent: { "assistant":"weather_agent" }';
  const opening = [SYSTEM, WEATHER, transfer, transferred];
  return {
    spans: [
      {
        inputs: ["System: Hand over to who knows.", WEATHER],
        outputs: [transfer],
        tools: ["transfer_to_weather_agent"],
      },
      { inputs: opening, outputs: [toolCalls(["Lisbon"], { reasoning: true })], tools: TOOLS },
      {
        inputs: [...opening, "Assistant: [reasoning]", toolCalls(["Lisbon"]), toolResult("Lisbon: 21 °C, sunny")],
        outputs: [SUNNY],
        tools: TOOLS,
      },
    ],
  };
}

const twoCities = ["Lisbon", "Porto"];
// BeeAI writes the prompts, and answers by a tool.
const BEEAI = "System: Role Assume the role of a helpful AI assistant.…";
const BEEAI_TASK = "User: Your task: How is the weather in Lisbon?";
// The older framework for JavaScript ends its prompts with a new line.
const BEEAI_JS = "System: Assume the role of A helpful AI assistant.…";
const BEEAI_JS_TASK = "User: Your task: How is the weather in Lisbon?";
const BEEAI_TOOLS = [...TOOLS, "final_answer"];
// An action group is part of a tool's name.
const LOOKED_UP = "Assistant: I look it up. → weather__get_weather(city: Lisbon)";
const named = (cities) => cities.map((city) => `${city}: 21 °C, sunny`);

export const INSTRUMENTORS = [
  {
    name: "OpenAI, chat",
    payloads: {
      "py_openai_conversation.pb": conversation,
      "py_openai_parallel_tools.pb": toolUse({ cities: twoCities }),
      "py_openai_image.pb": picture,
      "py_openai_function_call.pb": toolUse({}),
    },
  },
  {
    name: "OpenAI, responses",
    payloads: {
      "py_openai_responses_conversation.pb": conversation,
      "py_openai_responses_tool_result.pb": toolUse({ reasoning: true }),
    },
  },
  {
    name: "Anthropic",
    payloads: {
      "py_anthropic_conversation.pb": conversation,
      "py_anthropic_tool_result.pb": toolUse({
        cities: twoCities,
        results: ["21 °C, sunny", "no station there"],
        text: "I look it up.",
      }),
    },
  },
  {
    name: "Bedrock",
    payloads: {
      "py_bedrock_conversation.pb": conversation,
      "py_bedrock_tool_result.pb": toolUse({ text: "I look it up." }),
    },
  },
  {
    name: "Google GenAI",
    payloads: {
      "py_google_genai_conversation.pb": conversation,
      "py_google_genai_tool_result.pb": toolUse({ results: ['{ "result":"21 °C, sunny" }'] }),
    },
  },
  {
    name: "LangChain",
    payloads: {
      "py_langchain_conversation.pb": conversation,
      "py_langchain_agent.pb": toolUse({ cities: twoCities, results: named(twoCities), before: [SYSTEM] }),
    },
  },
  {
    name: "LangGraph",
    payloads: { "py_langchain_graph.pb": { spans: [{ inputs: [CAPITAL], outputs: [TWO_MILLION] }] } },
  },
  {
    name: "LlamaIndex",
    of: /^OpenAI\.a?chat$/,
    payloads: {
      "py_llama_index_conversation.pb": conversation,
      "py_llama_index_agent.pb": toolUse({ results: named(["Lisbon"]), before: [SYSTEM] }),
    },
  },
  {
    name: "LiteLLM",
    payloads: {
      "py_litellm_conversation.pb": conversation,
      "py_litellm_tool_result.pb": toolUse({ cities: twoCities }),
    },
  },
  {
    name: "OpenAI Agents",
    payloads: {
      "py_openai_agents_handoff.pb": handOver(),
      // Of the Chat Completions API the instrumentation does not record the tools.
      "py_openai_agents_chat_completions.pb": toolUse({ results: named(["Lisbon"]), before: [SYSTEM], tools: [] }),
    },
  },
  {
    name: "smolagents",
    payloads: {
      "py_smolagents_tool_calling_agent.pb": {
        spans: [
          {
            inputs: [
              "System: You are an expert assistant who can solve any task using tool calls.…",
              "User: New task: How is the weather in Lisbon?",
            ],
            outputs: [toolCalls(["Lisbon"])],
            tools: ["get_weather", "final_answer"],
          },
          {
            inputs: [
              "System: You are an expert assistant who can solve any task using tool calls.…",
              "User: New task: How is the weather in Lisbon?",
              // smolagents writes this into the prompt.
              "Assistant: Calling tools: [{'id': 'call_1', 'type': 'function', 'function': {'name': 'get_weather', 'arguments': {'city': 'Lisbon'}}}]",
              "Tool: Observation: Lisbon: 21 °C, sunny",
            ],
            outputs: ["Assistant: → final_answer(answer: It is 21 °C and sunny in Lisbon.)"],
            tools: ["get_weather", "final_answer"],
          },
        ],
      },
    },
  },
  {
    name: "Haystack",
    of: /^OpenAIChatGenerator\.run$/,
    payloads: {
      "py_haystack_conversation.pb": conversation,
      "py_haystack_agent.pb": toolUse({ before: [SYSTEM], results: named(["Lisbon"]) }),
    },
  },
  {
    name: "DSPy",
    payloads: {
      "py_dspy_chain_of_thought.pb": {
        spans: [
          {
            inputs: [
              "System: Your input fields are: question (str):…",
              "User: [[ ## question ## ]] What is the capital of France?…",
            ],
            outputs: [
              "Assistant: [[ ## reasoning ## ]] It is well known. [[ ## answer ## ]] Paris is the capital of France. [[ ## completed ## ]]",
            ],
          },
        ],
      },
    },
  },
  {
    name: "Pydantic AI",
    payloads: { "py_pydantic_ai_agent.pb": toolUse({ results: named(["Lisbon"]), before: [SYSTEM] }) },
  },
  {
    name: "Agno",
    payloads: { "py_agno_agent.pb": toolUse({ results: named(["Lisbon"]), before: [SYSTEM] }) },
  },
  {
    name: "CrewAI",
    payloads: {
      "py_crewai_crew.pb": toolUse({
        results: named(["Lisbon"]),
        // CrewAI writes the prompts.
        before: ["System: You are weather agent. You know. Your personal goal is: Answer in one sentence."],
        question: "User: Current Task: How is the weather in Lisbon?…",
      }),
    },
  },
  {
    name: "Google ADK",
    payloads: {
      "py_google_adk_agent.pb": {
        spans: [
          {
            inputs: [
              'System: Answer in one sentence. You are an agent. Your internal name is "weather_agent".',
              WEATHER,
              toolCalls(["Lisbon"]),
              'Tool get_weather: { "weather":"Lisbon: 21 °C, sunny" }',
            ],
            // The instrumentation writes both calls to one span; what only the first one answered stays there.
            outputs: [`${SUNNY} → get_weather(city: Lisbon)`],
            tools: TOOLS,
          },
        ],
      },
    },
  },
  {
    name: "Mistral",
    payloads: {
      "py_mistralai_conversation.pb": conversation,
      "py_mistralai_tool_result.pb": toolUse({}),
    },
  },
  {
    name: "Groq",
    payloads: {
      "py_groq_conversation.pb": conversation,
      "py_groq_tool_result.pb": toolUse({}),
    },
  },
  {
    name: "Instructor",
    payloads: {
      "py_instructor_structured.pb": {
        spans: [
          {
            inputs: [SYSTEM, WEATHER],
            outputs: ["Assistant: → Weather(city: Lisbon, celsius: 21)"],
            tools: ["Weather"],
          },
        ],
      },
    },
  },
  {
    name: "AutoGen",
    payloads: {
      // The instrumentation records no tools on offer.
      "py_autogen_agentchat_agent.pb": toolUse({ results: named(["Lisbon"]), before: [SYSTEM], tools: [] }),
    },
  },
  {
    name: "Portkey",
    payloads: {
      "py_portkey_conversation.pb": conversation,
      "py_portkey_tool_result.pb": toolUse({}),
    },
  },
  {
    name: "Strands",
    payloads: {
      // The span processor has the tools on the agent's span alone.
      "py_strands_agents_agent.pb": toolUse({ results: named(["Lisbon"]), before: [SYSTEM], tools: [] }),
    },
  },
  {
    name: "BeeAI",
    payloads: {
      "py_beeai_agent.pb": {
        spans: [
          { inputs: [BEEAI, BEEAI_TASK], outputs: [toolCalls(["Lisbon"])], tools: BEEAI_TOOLS },
          {
            inputs: [BEEAI, BEEAI_TASK, toolCalls(["Lisbon"]), toolResult("Lisbon: 21 °C, sunny")],
            outputs: ["Assistant: → final_answer(response: It is 21 °C and sunny in Lisbon.)"],
            tools: BEEAI_TOOLS,
          },
        ],
      },
    },
  },
  {
    name: "Codex",
    payloads: {
      // A turn is one span, in which nothing says what was offered or called; the commands are spans of their own.
      "py_codex_turn.pb": { spans: [{ inputs: [WEATHER], outputs: [SUNNY] }] },
    },
  },
  {
    name: "Agent Framework",
    payloads: {
      // The span processor has the tools on the agent's span alone.
      "py_agent_framework_agent.pb": toolUse({ results: named(["Lisbon"]), before: [SYSTEM], tools: [] }),
    },
  },
  {
    name: "AG2",
    payloads: { "py_ag2_chat.pb": toolUse({ results: named(["Lisbon"]), before: [SYSTEM] }) },
  },
  {
    name: "Cohere",
    payloads: {
      "py_cohere_conversation.pb": conversation,
      // The instrumentation does not record the plan that comes with a call.
      "py_cohere_tool_result.pb": toolUse({}),
    },
  },
  {
    name: "Ollama",
    payloads: {
      "py_ollama_conversation.pb": conversation,
      "py_ollama_tool_result.pb": toolUse({}),
    },
  },
  {
    name: "Together",
    payloads: {
      "py_together_conversation.pb": conversation,
      "py_together_tool_result.pb": toolUse({}),
    },
  },
  {
    name: "Vertex AI",
    payloads: {
      "py_vertexai_conversation.pb": conversation,
      "py_vertexai_tool_result.pb": toolUse({ results: ['{ "result":"21 °C, sunny" }'] }),
    },
  },
  {
    name: "OpenAI, chat (JS)",
    payloads: {
      "js_openai_conversation.pb": conversation,
      "js_openai_parallel_tools.pb": toolUse({ cities: twoCities }),
      "js_openai_streamed_tool_call.pb": {
        spans: [{ inputs: [SYSTEM, WEATHER], outputs: [toolCalls(["Lisbon"])], tools: TOOLS }],
      },
    },
  },
  {
    name: "OpenAI, responses (JS)",
    payloads: {
      "js_openai_responses_conversation.pb": conversation,
      "js_openai_responses_tool_result.pb": toolUse({ reasoning: true }),
      "js_openai_responses_streaming.pb": { spans: [{ inputs: [CAPITAL], outputs: [TWO_MILLION] }] },
    },
  },
  {
    name: "Anthropic (JS)",
    payloads: {
      "js_anthropic_conversation.pb": conversation,
      "js_anthropic_tool_result.pb": toolUse({
        cities: twoCities,
        results: ["21 °C, sunny", "no station there"],
        text: "I look it up.",
      }),
      "js_anthropic_streaming.pb": {
        spans: [{ inputs: [SYSTEM, WEATHER], outputs: [toolCalls(["Lisbon"], { text: "I look it up." })], tools: TOOLS }],
      },
    },
  },
  {
    name: "LangChain (JS)",
    payloads: {
      "js_langchain_conversation.pb": conversation,
      "js_langchain_agent.pb": toolUse({ results: named(["Lisbon"]), before: [SYSTEM] }),
      "js_langchain_image.pb": picture,
    },
  },
  {
    name: "Bedrock (JS)",
    payloads: {
      "js_bedrock_conversation.pb": conversation,
      "js_bedrock_tool_result.pb": toolUse({ text: "I look it up." }),
    },
  },
  {
    name: "Bedrock Agents (JS)",
    payloads: {
      "js_bedrock_agent_runtime_agent.pb": {
        spans: [
          { inputs: [SYSTEM, WEATHER], outputs: [LOOKED_UP] },
          {
            inputs: [SYSTEM, WEATHER, LOOKED_UP, "Tool weather__get_weather: 21 °C, sunny"],
            outputs: [SUNNY],
          },
        ],
      },
    },
  },
  {
    name: "AI SDK (JS)",
    payloads: {
      "js_ai_sdk_conversation.pb": conversation,
      "js_ai_sdk_tool_result.pb": toolUse({
        results: ['{ "city":"Lisbon", "weather":"21 °C, sunny" }'],
        before: [SYSTEM],
      }),
      "js_ai_sdk_image.pb": picture,
    },
  },
  {
    name: "OpenAI Agents (JS)",
    payloads: {
      "js_openai_agents_handoff.pb": handOver(),
      "js_openai_agents_chat_completions.pb": toolUse({ results: named(["Lisbon"]), before: [SYSTEM], tools: [] }),
    },
  },
  {
    name: "BeeAI (JS)",
    // A span for each event: the request is on the first, the answer on the second, and nothing on the last.
    of: /^(backend\..*\.(start|success)-\d|beeai-framework-main)$/,
    payloads: {
      "js_beeai_conversation.pb": {
        spans: [
          { inputs: DIALOGUE, outputs: [TWO_MILLION] },
          // Of a request alone the UI takes what an assistant said last for an answer.
          { inputs: DIALOGUE, outputs: [PARIS] },
          { inputs: [], outputs: [TWO_MILLION] },
        ],
      },
      "js_beeai_agent.pb": {
        spans: [
          { inputs: [BEEAI_JS, BEEAI_JS_TASK], outputs: [] },
          { inputs: [], outputs: [toolCalls(["Lisbon"])] },
          {
            inputs: [BEEAI_JS, BEEAI_JS_TASK, toolCalls(["Lisbon"]), toolResult("Lisbon: 21 °C, sunny")],
            // As above.
            outputs: [toolCalls(["Lisbon"]), toolResult("Lisbon: 21 °C, sunny")],
          },
          { inputs: [], outputs: ["Assistant: → final_answer(response: It is 21 °C and sunny in Lisbon.)"] },
        ],
      },
    },
  },
  {
    name: "Mastra (JS)",
    // Below each call to a model are spans of its steps, and of the chunks of their streams.
    of: /^(chat|model_step) /,
    payloads: {
      "js_mastra_conversation.pb": {
        spans: [
          { inputs: DIALOGUE, outputs: [TWO_MILLION] },
          { inputs: DIALOGUE, outputs: [TWO_MILLION] },
        ],
      },
      "js_mastra_agent.pb": {
        spans: [
          { inputs: [SYSTEM, WEATHER], outputs: [SUNNY] },
          { inputs: [SYSTEM, WEATHER], outputs: [toolCalls(["Lisbon"])] },
          {
            // The exporter names the call and its result, and leaves out what they say.
            inputs: [SYSTEM, WEATHER, "Assistant: [tool: get_weather]", "Tool: [tool-result: get_weather]"],
            outputs: [SUNNY],
          },
        ],
      },
    },
  },
];
