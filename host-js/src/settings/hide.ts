/**
 * OpenInference's privacy settings, `OPENINFERENCE_HIDE_…` (`configuration.md` of its specification).
 *
 * JavaScript instrumentations apply them only with a `traceConfig` (openinference-core 2.7), and spans made by hand never
 * do. This package applies them to every span that goes to MLflow. The first matching rule decides.
 */

import type { Mask } from "../span/chunk.js";
import { type Complain, readBoolean, readCount } from "./environment.js";

const REDACTED = "__REDACTED__";

interface Rule {
  /** Any of these, after `OPENINFERENCE_HIDE_`. */
  variables: readonly string[];
  keys: RegExp;
  /** What the value becomes; `undefined` leaves the attribute out. */
  becomes: string | undefined;
}

const RULES: readonly Rule[] = [
  { variables: ["INPUTS"], keys: /^input\.value$/, becomes: REDACTED },
  { variables: ["OUTPUTS"], keys: /^output\.value$/, becomes: REDACTED },
  { variables: ["INPUTS"], keys: /^input\.mime_type$/, becomes: undefined },
  { variables: ["OUTPUTS"], keys: /^output\.mime_type$/, becomes: undefined },
  { variables: ["INPUTS", "INPUT_MESSAGES"], keys: /llm\.input_messages/, becomes: undefined },
  { variables: ["OUTPUTS", "OUTPUT_MESSAGES"], keys: /llm\.output_messages/, becomes: undefined },
  { variables: ["INPUT_TEXT"], keys: /llm\.input_messages.*message\.content$/, becomes: REDACTED },
  { variables: ["OUTPUT_TEXT"], keys: /llm\.output_messages.*message\.content$/, becomes: REDACTED },
  { variables: ["INPUT_TEXT"], keys: /llm\.input_messages.*message_content\.text/, becomes: REDACTED },
  { variables: ["OUTPUT_TEXT"], keys: /llm\.output_messages.*message_content\.text/, becomes: REDACTED },
  { variables: ["INPUT_IMAGES"], keys: /llm\.input_messages.*message_content\.image/, becomes: undefined },
  { variables: ["INPUTS", "INPUT_IMAGES"], keys: /^input\.images(\.|$)/, becomes: undefined },
  { variables: ["OUTPUTS"], keys: /^output\.images(\.|$)/, becomes: undefined },
  { variables: ["EMBEDDING_VECTORS"], keys: /embedding\.embeddings.*embedding\.vector/, becomes: undefined },
  { variables: ["LLM_INVOCATION_PARAMETERS"], keys: /^llm\.invocation_parameters$/, becomes: undefined },
  { variables: ["PROMPTS"], keys: /^llm\.prompts/, becomes: REDACTED },
  { variables: ["INPUTS", "LLM_TOOLS"], keys: /llm\.tools/, becomes: undefined },
];

const IMAGE_URL = /image\.url$/;

/** The mask that the environment asks for, if any. */
export function readHideSettings(complain: Complain): Mask | undefined {
  const isSet = (variable: string) => readBoolean(`OPENINFERENCE_HIDE_${variable}`, complain) ?? false;
  const rules = RULES.filter(({ variables }) => variables.some(isSet));
  const longest = readCount("OPENINFERENCE_BASE64_IMAGE_MAX_LENGTH", complain);
  if (rules.length === 0 && longest === undefined) return undefined;
  return (value, key) => {
    const rule = rules.find(({ keys }) => keys.test(key));
    if (rule) return rule.becomes;
    const isLongImage =
      longest !== undefined && typeof value === "string" && value.length > longest && IMAGE_URL.test(key);
    return isLongImage && value.startsWith("data:image/") ? REDACTED : value;
  };
}

/** Applies both masks in order. The second never sees what the first left out or redacted. */
export function composeMasks(first: Mask | undefined, second: Mask | undefined): Mask | undefined {
  if (!first || !second) return first ?? second;
  return (value, key) => {
    const hidden = first(value, key);
    return hidden === undefined || hidden === REDACTED ? hidden : second(hidden, key);
  };
}
