/** Captures `@arizeai/openinference-instrumentation-bedrock-agent-runtime`: `js_bedrock_agent_runtime_<scenario>.pb`. */

import "./network-guard.js";

import { BedrockAgentInstrumentation } from "@arizeai/openinference-instrumentation-bedrock-agent-runtime";
import * as runtime from "@aws-sdk/client-bedrock-agent-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";

import * as prompts from "./prompts.js";
import { record } from "./recorder.js";

const { BedrockAgentRuntimeClient, InvokeAgentCommand, RetrieveAndGenerateCommand, RetrieveCommand } = runtime;

const client = (api) =>
  new BedrockAgentRuntimeClient({
    region: "us-east-1",
    endpoint: api.url,
    credentials: { accessKeyId: "not-a-real-key", secretAccessKey: "not-a-real-key" },
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler(),
  });

/** An agent of the service, which reports each of its steps: it calls a tool and answers. */
const agent = (api) =>
  api.answering(["bedrock/agent.events.json"], async () => {
    const session = { agentId: "AGENT1", agentAliasId: "ALIAS1", sessionId: "session-1", enableTrace: true };
    const { completion } = await client(api).send(
      new InvokeAgentCommand({ ...session, inputText: prompts.WEATHER_QUESTION }),
    );
    for await (const _ of completion);
  });

const retrieval = (api) =>
  api.answering(["bedrock/retrieve.json"], () =>
    client(api).send(
      new RetrieveCommand({ knowledgeBaseId: "BASE1", retrievalQuery: { text: prompts.DOCUMENT_QUESTION } }),
    ),
  );

/** The service finds documents and answers with them. */
const generation = (api) =>
  api.answering(["bedrock/retrieve_and_generate.json"], () => {
    const modelArn = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-5-sonnet-20240620-v1:0";
    const knowledgeBaseConfiguration = { knowledgeBaseId: "BASE1", modelArn };
    return client(api).send(
      new RetrieveAndGenerateCommand({
        input: { text: prompts.DOCUMENT_QUESTION },
        retrieveAndGenerateConfiguration: { type: "KNOWLEDGE_BASE", knowledgeBaseConfiguration },
      }),
    );
  });

await record({
  instrumentor: "bedrock_agent_runtime",
  packages: [
    "@arizeai/openinference-instrumentation-bedrock-agent-runtime",
    "@aws-sdk/client-bedrock-agent-runtime",
  ],
  instrument: (tracerProvider) => new BedrockAgentInstrumentation({ tracerProvider }).manuallyInstrument(runtime),
  scenarios: { agent, retrieval, generation },
});
