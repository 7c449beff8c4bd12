/** Spans as an OpenInference instrumentation makes them: about 47 attributes and 5 KB. */

const text = "The quick brown fox jumps over the lazy dog. ".repeat(8);

export const ATTRIBUTES = {
  "openinference.span.kind": "LLM",
  "llm.system": "openai",
  "llm.model_name": "gpt-4o-mini",
  "llm.invocation_parameters": '{"model":"gpt-4o-mini","temperature":0.5}',
  "llm.token_count.prompt": 512,
  "llm.token_count.completion": 128,
  "llm.token_count.total": 640,
  "input.value": JSON.stringify({ model: "gpt-4o-mini", messages: [{ role: "user", content: text }] }),
  "input.mime_type": "application/json",
  "output.value": JSON.stringify({ choices: [{ message: { role: "assistant", content: text } }] }),
  "output.mime_type": "application/json",
  "session.id": "session-1",
  "user.id": "user-1",
  ...Object.fromEntries(
    Array.from({ length: 16 }, (_, at) => [
      [`llm.input_messages.${at}.message.role`, at % 2 ? "assistant" : "user"],
      [`llm.input_messages.${at}.message.content`, text.slice(0, 240)],
    ]).flat(),
  ),
  "llm.output_messages.0.message.role": "assistant",
  "llm.output_messages.0.message.content": text,
};

/** One trace: a chain with `size - 1` model calls below it. */
export function makeTrace(api, tracer, size) {
  const root = tracer.startSpan("chain", { attributes: { "openinference.span.kind": "CHAIN", "input.value": "in" } });
  const above = api.trace.setSpan(api.ROOT_CONTEXT, root);
  for (let at = 1; at < size; at++) {
    const span = tracer.startSpan("model", {}, above);
    span.setAttributes(ATTRIBUTES);
    span.end();
  }
  root.end();
}
