/**
 * Request and response in the list of traces, oldest trace first: what was asked and answered, in words.
 *
 * A text that ends in `…` is a beginning. A preview that is JSON is JSON here.
 */

import * as texts from "./texts.mjs";

const words = (message) => message.replace(/^\w+: /, "");
const [CAPITAL, PEOPLE, TWO_MILLION, WEATHER, SUNNY] = [
  texts.CAPITAL,
  texts.PEOPLE,
  texts.TWO_MILLION,
  texts.WEATHER,
  texts.SUNNY,
].map(words);
const [LOOKING_UP, SQUARE, WHAT_IS_A_SPAN] = ["I look it up.", "A red square.", "What is a span?"];

/** An answer that calls tools and says nothing. */
const calls = (...cities) => cities.map((city) => `get_weather({"city": "${city}"})`).join(", ");

const picture = [["What is in this picture?", SQUARE]];
const conversation = [[PEOPLE, TWO_MILLION]];
const agent = [[WEATHER, SUNNY]];
const retrieval = [[WHAT_IS_A_SPAN, texts.SPAN]];
const toolUse = (first) => [
  [WEATHER, first],
  [WEATHER, SUNNY],
];

export const LISTED = {
  "py_openai_conversation.pb": conversation,
  "py_openai_parallel_tools.pb": toolUse(calls("Lisbon", "Porto")),
  "py_openai_image.pb": picture,
  "py_openai_function_call.pb": toolUse(calls("Lisbon")),
  "py_openai_error.pb": [["Hello?", "-"]],
  "py_openai_responses_conversation.pb": conversation,
  "py_openai_responses_tool_result.pb": toolUse(calls("Lisbon")),
  "py_anthropic_conversation.pb": conversation,
  "py_anthropic_tool_result.pb": toolUse(LOOKING_UP),
  "py_anthropic_error.pb": [[CAPITAL, "-"]],
  "py_bedrock_conversation.pb": conversation,
  "py_bedrock_tool_result.pb": toolUse(LOOKING_UP),
  "py_google_genai_conversation.pb": conversation,
  "py_google_genai_tool_result.pb": toolUse(calls("Lisbon")),
  "py_langchain_conversation.pb": conversation,
  "py_langchain_agent.pb": agent,
  // The instrumentation does not record the graph's answer.
  "py_langchain_graph.pb": [[CAPITAL, "-"]],
  "py_langchain_retrieval.pb": retrieval,
  "py_llama_index_conversation.pb": conversation,
  // Documents are split into nodes, and embedded, before one is asked for.
  "py_llama_index_retrieval.pb": [
    ['{"nodes": ["<Document(id_=spans.md)>",…', '["<TextNode(id_=…'],
    ['{"texts": ["file: spans.md…', '{"vectors":2,"dimension":8}'],
    ...retrieval,
  ],
  "py_llama_index_agent.pb": agent,
  "py_litellm_conversation.pb": conversation,
  "py_litellm_tool_result.pb": toolUse(calls("Lisbon", "Porto")),
  "py_openai_agents_handoff.pb": agent,
  "py_openai_agents_chat_completions.pb": agent,
  "py_smolagents_tool_calling_agent.pb": agent,
  "py_haystack_conversation.pb": conversation,
  "py_haystack_agent.pb": agent,
  "py_haystack_retrieval.pb": [['{"data": {"retriever": {"query": "What is a span?"},…', texts.SPAN]],
  "py_dspy_chain_of_thought.pb": [[CAPITAL, "Paris is the capital of France."]],
  "py_pydantic_ai_agent.pb": agent,
  "py_agno_agent.pb": agent,
  // What a crew is given are the variables of its tasks.
  "py_crewai_crew.pb": [['{"city": "Lisbon"}', SUNNY]],
  "py_google_adk_agent.pb": agent,
  "py_mistralai_conversation.pb": conversation,
  "py_mistralai_tool_result.pb": toolUse(calls("Lisbon")),
  "py_groq_conversation.pb": conversation,
  "py_groq_tool_result.pb": toolUse(calls("Lisbon")),
  "py_instructor_structured.pb": [[WEATHER, '{"city": "Lisbon", "celsius": 21}']],
  // AutoGen makes an agent in a trace of its own.
  "py_autogen_agentchat_agent.pb": [["-", "-"], ...agent],
  "py_portkey_conversation.pb": conversation,
  "py_portkey_tool_result.pb": toolUse(calls("Lisbon")),
  "py_strands_agents_agent.pb": agent,
  "py_beeai_agent.pb": agent,
  "py_claude_agent_sdk_agent.pb": agent,
  "py_codex_turn.pb": agent,
  "py_agent_framework_agent.pb": agent,
  "py_ag2_chat.pb": agent,
  "py_cohere_conversation.pb": conversation,
  "py_cohere_tool_result.pb": toolUse(calls("Lisbon")),
  "py_ollama_conversation.pb": conversation,
  "py_ollama_tool_result.pb": toolUse(calls("Lisbon")),
  "py_together_conversation.pb": conversation,
  "py_together_tool_result.pb": toolUse(calls("Lisbon")),
  "py_vertexai_conversation.pb": conversation,
  "py_vertexai_tool_result.pb": toolUse(calls("Lisbon")),
  // Client and server are in one trace.
  "py_mcp_tool.pb": [[WEATHER, "Lisbon: 21 °C, sunny"]],
  "js_claude_agent_sdk_agent.pb": agent,
  "js_openai_conversation.pb": conversation,
  "js_openai_parallel_tools.pb": toolUse(calls("Lisbon", "Porto")),
  "js_openai_streamed_tool_call.pb": [[WEATHER, calls("Lisbon")]],
  "js_openai_responses_conversation.pb": conversation,
  "js_openai_responses_tool_result.pb": toolUse(calls("Lisbon")),
  "js_openai_responses_streaming.pb": [[CAPITAL, TWO_MILLION]],
  "js_anthropic_conversation.pb": conversation,
  "js_anthropic_tool_result.pb": toolUse(LOOKING_UP),
  "js_anthropic_streaming.pb": [[WEATHER, LOOKING_UP]],
  "js_langchain_conversation.pb": conversation,
  "js_langchain_agent.pb": agent,
  "js_langchain_image.pb": picture,
  "js_langchain_retrieval.pb": retrieval,
  "js_langchain_error.pb": [['{"who":"bot","q":"fail429"}', "-"]],
  "js_bedrock_conversation.pb": conversation,
  "js_bedrock_tool_result.pb": toolUse(LOOKING_UP),
  "js_bedrock_agent_runtime_agent.pb": agent,
  // What a retriever found by itself is its documents.
  "js_bedrock_agent_runtime_retrieval.pb": [[WHAT_IS_A_SPAN, '[{"page_content":"A span is one timed operation of a trace.",…']],
  "js_ai_sdk_conversation.pb": conversation,
  "js_ai_sdk_tool_result.pb": agent,
  "js_ai_sdk_image.pb": picture,
  "js_openai_agents_handoff.pb": agent,
  "js_openai_agents_chat_completions.pb": agent,
  "js_beeai_conversation.pb": conversation,
  "js_beeai_agent.pb": agent,
  "js_mastra_conversation.pb": conversation,
  "js_mastra_agent.pb": agent,
  "js_core_error.pb": [["-", "-"]],
};
