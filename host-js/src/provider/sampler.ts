/**
 * Sampling for processes without a provider: `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`, as the SDKs read them.
 *
 * With a provider its own sampler decides.
 */

import { type Complain, readText } from "../settings/environment.js";

/** Whether a span of this trace is recorded, below a parent with these trace flags or as a root. */
export type Sampler = (traceId: string, parentFlags: number | undefined) => boolean;

const SAMPLED = 1;

/** The sampler that the environment asks for; `parentbased_always_on` without one. */
export function readSampler(complain: Complain): Sampler {
  const name = readText("OTEL_TRACES_SAMPLER")?.toLowerCase() ?? "parentbased_always_on";
  const base = name.replace(/^parentbased_/, "");
  const root = rootSampler(base, complain);
  if (!root) {
    complain(
      `OTEL_TRACES_SAMPLER "${name}" is not known and every trace is kept: expected always_on, always_off, ` +
        "traceidratio, or one of these after parentbased_",
    );
    return parentBased(() => true);
  }
  return base === name ? (traceId) => root(traceId) : parentBased(root);
}

function parentBased(root: (traceId: string) => boolean): Sampler {
  return (traceId, parentFlags) => (parentFlags === undefined ? root(traceId) : (parentFlags & SAMPLED) !== 0);
}

function rootSampler(name: string, complain: Complain): ((traceId: string) => boolean) | undefined {
  if (name === "always_on") return () => true;
  if (name === "always_off") return () => false;
  if (name !== "traceidratio") return undefined;
  const bound = Math.floor(readRatio(complain) * 0xffffffff);
  return (traceId) => accumulate(traceId) < bound;
}

function readRatio(complain: Complain): number {
  const text = readText("OTEL_TRACES_SAMPLER_ARG");
  const ratio = Number(text ?? 1);
  if (ratio >= 0 && ratio <= 1) return ratio;
  complain(`OTEL_TRACES_SAMPLER_ARG "${text}" is ignored and every trace is kept: expected a number from 0 to 1`);
  return 1;
}

/** As `TraceIdRatioBasedSampler` of OpenTelemetry JS, so that both keep the same traces. */
function accumulate(traceId: string): number {
  let sum = 0;
  for (let at = 0; at < traceId.length; at += 8) sum = (sum ^ Number.parseInt(traceId.slice(at, at + 8), 16)) >>> 0;
  return sum;
}
