/** What a failed span opens with. An instrumentation may leave out the type. */

export const ERRORS = {
  "py_openai_error.pb": {
    span: "ChatCompletion",
    type: "openai.NotFoundError",
    message: "Error code: 404 - The model `no-such-model` does not exist.",
    stacktrace: "Traceback (most recent call last):…",
  },
  "py_anthropic_error.pb": {
    span: "messages.create",
    type: "anthropic.OverloadedError",
    message: "Error code: 529 - …",
    stacktrace: "Traceback (most recent call last):…",
  },
  "js_langchain_error.pb": { span: "ChatOpenAI", message: "429 Rate limit reached…" },
  "js_core_error.pb": { span: "failing", type: "TypeError", message: "bad thing", stacktrace: "TypeError: bad thing…" },
};
