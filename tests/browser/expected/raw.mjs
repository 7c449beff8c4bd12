/**
 * Of the payloads with calls to a model, those that MLflow's own translation draws as well as this project's.
 *
 * All others, posted raw, must fail the comparison that their translated copies pass, which proves that it can fail.
 */
export const DRAWN_BY_MLFLOW_ALONE = [
  "py_openai_parallel_tools.pb",
  "py_openai_image.pb",
  "py_litellm_conversation.pb",
  "py_openai_agents_chat_completions.pb",
  "py_crewai_crew.pb",
  "py_mistralai_conversation.pb",
  "py_groq_conversation.pb",
  "py_groq_tool_result.pb",
  "py_instructor_structured.pb",
  "py_portkey_conversation.pb",
  "py_ag2_chat.pb",
  "py_together_conversation.pb",
  "py_together_tool_result.pb",
  "js_openai_parallel_tools.pb",
];
