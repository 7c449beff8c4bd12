/**
 * Captures `@arizeai/openinference-instrumentation-claude-agent-sdk`: `js_claude_agent_sdk_<scenario>.pb`.
 *
 * The SDK runs the agent's command line, which it brings with it, as a process of its own. It knows no other API than the one here.
 */

import "./network-guard.js";

import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import * as claude from "@anthropic-ai/claude-agent-sdk";
import { ClaudeAgentSDKInstrumentation } from "@arizeai/openinference-instrumentation-claude-agent-sdk";
import { z } from "zod";

import * as prompts from "./prompts.js";
import { record } from "./recorder.js";

const SERVER = "weather";
let sdk;

const weather = claude.createSdkMcpServer({
  name: SERVER,
  tools: [
    claude.tool(
      prompts.TOOL,
      prompts.TOOL_DESCRIPTION,
      { city: z.string().describe("Name of the city.") },
      async ({ city }) => ({
        content: [{ type: "text", text: `${city}: ${prompts.WEATHER}` }],
      }),
    ),
  ],
});

/** An agent that calls a tool of this process and answers. */
const agent = async (api) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "agent-"));
  const options = {
    model: "claude-sonnet-5-5",
    systemPrompt: prompts.SYSTEM,
    mcpServers: { [SERVER]: weather },
    allowedTools: [`mcp__${SERVER}__${prompts.TOOL}`],
    tools: [],
    settingSources: [],
    cwd: folder,
    // The command line reads nobody's settings, and gets no variables that belong to another one.
    env: {
      ANTHROPIC_API_KEY: "not-a-real-key",
      ANTHROPIC_BASE_URL: api.url,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      CLAUDE_CONFIG_DIR: folder,
      HOME: folder,
      NO_PROXY: "*",
      PATH: process.env.PATH,
    },
  };
  try {
    await api.answering(["anthropic/agent_tool_use.sse", "anthropic/tool_result.sse"], async () => {
      for await (const _ of sdk.query({ prompt: prompts.WEATHER_QUESTION, options }));
    });
  } finally {
    await rm(folder, { recursive: true });
  }
};

await record({
  instrumentor: "claude_agent_sdk",
  packages: ["@arizeai/openinference-instrumentation-claude-agent-sdk", "@anthropic-ai/claude-agent-sdk"],
  instrument: (tracerProvider) => {
    sdk = new ClaudeAgentSDKInstrumentation({ tracerProvider }).manuallyInstrument(claude);
  },
  scenarios: { agent },
});
