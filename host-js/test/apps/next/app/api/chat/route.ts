import { createOpenAI } from "@ai-sdk/openai";
import { generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";

export const dynamic = "force-dynamic";

export async function GET(request: Request) {
  const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: "test" });
  const options = {
    model: openai.chat("gpt-4o-mini"),
    prompt: "How is the weather in Lisbon?",
    experimental_telemetry: { isEnabled: true, functionId: "chat" },
  };
  if (new URL(request.url).searchParams.has("stream")) return streamText(options).toTextStreamResponse();
  const weather = tool({
    description: "The weather of a city",
    inputSchema: jsonSchema<{ city: string }>({ type: "object", properties: { city: { type: "string" } } }),
    execute: async ({ city }) => ({ city, sky: "clear" }),
  });
  const { text } = await generateText({ ...options, tools: { weather }, stopWhen: stepCountIs(2) });
  return Response.json({ text });
}
