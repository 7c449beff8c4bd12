/** Captures `@arizeai/openinference-instrumentation-bedrock`: `js_bedrock_<scenario>.pb`. */

import "./network-guard.js";

import { BedrockInstrumentation } from "@arizeai/openinference-instrumentation-bedrock";
import * as bedrock from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";

import * as prompts from "./prompts.js";
import { PNG } from "./model-api.js";
import { record } from "./recorder.js";

const { BedrockRuntimeClient, ConverseCommand, InvokeModelCommand } = bedrock;
const MODEL = "anthropic.claude-3-5-sonnet-20240620-v1:0";
const TOOL_SPEC = {
  name: prompts.TOOL,
  description: prompts.TOOL_DESCRIPTION,
  inputSchema: { json: prompts.TOOL_SCHEMA },
};
const TOOL_CONFIG = { tools: [{ toolSpec: TOOL_SPEC }] };

const client = (api) =>
  new BedrockRuntimeClient({
    region: "us-east-1",
    endpoint: api.url,
    credentials: { accessKeyId: "not-a-real-key", secretAccessKey: "not-a-real-key" },
    maxAttempts: 1,
    // By default the SDK speaks HTTP/2 to this service; the model API of the captures does not.
    requestHandler: new NodeHttpHandler(),
  });

const conversation = (api) =>
  api.answering(["bedrock/converse.json"], () =>
    client(api).send(
      new ConverseCommand({
        modelId: MODEL,
        system: [{ text: prompts.SYSTEM }],
        messages: [
          { role: "user", content: [{ text: prompts.FIRST_QUESTION }] },
          { role: "assistant", content: [{ text: prompts.FIRST_ANSWER }] },
          { role: "user", content: [{ text: prompts.SECOND_QUESTION }] },
        ],
        inferenceConfig: { maxTokens: 256, temperature: 0.2 },
      }),
    ),
  );

const tool_result = (api) =>
  api.answering(["bedrock/tool_use.json", "bedrock/tool_result.json"], async () => {
    const messages = [{ role: "user", content: [{ text: prompts.WEATHER_QUESTION }] }];
    const converse = () => client(api).send(new ConverseCommand({ modelId: MODEL, messages, toolConfig: TOOL_CONFIG }));
    const reply = (await converse()).output.message;
    const { toolUseId } = reply.content.find(({ toolUse }) => toolUse).toolUse;
    const toolResult = { toolUseId, content: [{ text: prompts.WEATHER }], status: "success" };
    messages.push(reply, { role: "user", content: [{ toolResult }] });
    await converse();
  });

const image = (api) =>
  api.answering(["bedrock/image.json"], () => {
    const content = [{ text: prompts.IMAGE_QUESTION }, { image: { format: "png", source: { bytes: PNG } } }];
    return client(api).send(new ConverseCommand({ modelId: MODEL, messages: [{ role: "user", content }] }));
  });

/** The older call, whose body is the provider's own. */
const invoke_model = (api) =>
  api.answering(["anthropic/message.json"], () => {
    const body = {
      anthropic_version: "bedrock-2023-05-31",
      max_tokens: 256,
      system: prompts.SYSTEM,
      messages: [{ role: "user", content: [{ type: "text", text: prompts.FIRST_QUESTION }] }],
    };
    const settings = { modelId: MODEL, contentType: "application/json", accept: "application/json" };
    return client(api).send(new InvokeModelCommand({ ...settings, body: JSON.stringify(body) }));
  });

await record({
  instrumentor: "bedrock",
  packages: ["@arizeai/openinference-instrumentation-bedrock", "@aws-sdk/client-bedrock-runtime"],
  instrument: (tracerProvider) => new BedrockInstrumentation({ tracerProvider }).manuallyInstrument(bedrock),
  scenarios: { conversation, tool_result, image, invoke_model },
});
