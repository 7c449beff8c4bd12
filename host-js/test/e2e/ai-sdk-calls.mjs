/** What both applications do with the AI SDK: a text, a tool with its answer, a stream, an embedding. */

export async function makeCalls({ ai, openai, telemetry }) {
  const { embed, generateText, jsonSchema, stepCountIs, streamText, tool } = ai;
  const model = openai.chat("gpt-4o-mini");
  await generateText({ model, prompt: "What is the capital of France?", maxRetries: 0, ...telemetry });
  const weather = tool({
    description: "The weather of a city",
    inputSchema: jsonSchema({ type: "object", properties: { city: { type: "string" } } }),
    execute: async ({ city }) => ({ city, sky: "clear" }),
  });
  await generateText({
    model,
    prompt: "How is the weather in Lisbon?",
    tools: { get_weather: weather },
    stopWhen: stepCountIs(2),
    maxRetries: 0,
    ...telemetry,
  });
  const { textStream } = streamText({ model, prompt: "Count to three.", maxRetries: 0, ...telemetry });
  for await (const _ of textStream);
  await embed({ model: openai.embedding("text-embedding-3-small"), value: "one text", maxRetries: 0, ...telemetry });
}
