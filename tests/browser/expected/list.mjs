/** Input and output in the list of traces, oldest trace first. */

const PEOPLE = "And how many people live there?";
const TWO_MILLION = "Paris, which has about two million inhabitants.";
const WEATHER = "How is the weather in Lisbon?";
const SUNNY = "It is 21 °C and sunny in Lisbon.";

export const LISTED = {
  "py_openai_conversation.pb": [[PEOPLE, TWO_MILLION]],
  "py_bedrock_conversation.pb": [[PEOPLE, TWO_MILLION]],
  "py_google_genai_conversation.pb": [[PEOPLE, TWO_MILLION]],
  "py_langchain_conversation.pb": [[PEOPLE, TWO_MILLION]],
  "py_llama_index_conversation.pb": [[PEOPLE, TWO_MILLION]],
  "py_litellm_conversation.pb": [[PEOPLE, TWO_MILLION]],
  "js_openai_conversation.pb": [[PEOPLE, TWO_MILLION]],
  "js_langchain_conversation.pb": [[PEOPLE, TWO_MILLION]],
  "js_bedrock_conversation.pb": [[PEOPLE, TWO_MILLION]],
  "js_ai_sdk_conversation.pb": [[PEOPLE, TWO_MILLION]],
  "js_ai_sdk_tool_result.pb": [[WEATHER, SUNNY]],
};
