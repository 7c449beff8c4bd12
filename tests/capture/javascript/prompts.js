/** The prompts of every capture script: the same for each provider, and the same as in `capture/python/prompts.py`. */

import { PNG } from "./model-api.js";

export const SYSTEM = "Answer in one sentence.";
export const FIRST_QUESTION = "What is the capital of France?";
export const FIRST_ANSWER = "Paris is the capital of France.";
export const SECOND_QUESTION = "And how many people live there?";
export const WEATHER_QUESTION = "How is the weather in Lisbon?";
export const WEATHER = "21 °C, sunny";
export const IMAGE_QUESTION = "What is in this picture?";
export const IMAGE_BASE64 = PNG.toString("base64");
export const IMAGE_URL = `data:image/png;base64,${IMAGE_BASE64}`;

export const TOOL = "get_weather";
export const TOOL_DESCRIPTION = "The weather in a city, now.";
export const TOOL_SCHEMA = {
  type: "object",
  properties: { city: { type: "string", description: "Name of the city." } },
  required: ["city"],
};

export const DOCUMENTS = {
  "spans.md": "A span is one timed operation of a trace.",
  "traces.md": "A trace is the path of one request through an application.",
};
export const DOCUMENT_QUESTION = "What is a span?";
