/** What was said while the payloads were captured, by the application (`tests/capture`) and by the model (`…/answers`). */

export const SYSTEM = "System: Answer in one sentence.";
export const CAPITAL = "User: What is the capital of France?";
export const PARIS = "Assistant: Paris is the capital of France.";
export const PEOPLE = "User: And how many people live there?";
export const TWO_MILLION = "Assistant: Paris, which has about two million inhabitants.";
export const WEATHER = "User: How is the weather in Lisbon?";
export const SUNNY = "Assistant: It is 21 °C and sunny in Lisbon.";
export const SPAN = "A span is one timed operation of a trace.";
export const TRACE = "A trace is the path of one request through an application.";

/** An assistant's message that calls `get_weather` for each city. */
export const toolCalls = (cities, { text = "", reasoning = false } = {}) =>
  ["Assistant:", reasoning && "[reasoning]", text, ...cities.map((city) => `→ get_weather(city: ${city})`)]
    .filter(Boolean)
    .join(" ");

/** What `get_weather` answered. */
export const toolResult = (text) => `Tool get_weather: ${text}`.trim();
