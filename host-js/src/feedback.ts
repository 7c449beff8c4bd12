/** Feedback on a trace or span, as a carrier span that the core turns into an assessment of MLflow. */

import { ownResource, randomHex } from "./provider/own-tracer.js";
import type { ReadableSpan } from "./span/readable.js";

/** A judgement of a trace, or of one span. */
export interface Feedback {
  /** The trace: 32 hexadecimal digits, with or without MLflow's prefix `tr-`. */
  traceId: string;
  /** The span, as 16 hexadecimal digits. Default: the whole trace. */
  spanId?: string | undefined;
  /** The criterion, for instance `correctness`. */
  name: string;
  /** A number, a truth value or a category. */
  value: number | boolean | string;
  /** The reason for the value. */
  rationale?: string | undefined;
  /** Who judged. A later value of the same name and source `id` replaces the earlier one. Default: `{ kind: "HUMAN" }`. */
  source?: { kind?: "HUMAN" | "LLM" | "CODE" | undefined; id?: string | undefined } | undefined;
}

/** Returns what is wrong with feedback of any type; `undefined` if it can be sent. */
export function feedbackProblem(feedback: unknown): string | undefined {
  if (typeof feedback !== "object" || feedback === null) return "expected an object with traceId, name and value";
  const { traceId, spanId, name, value } = feedback as Partial<Feedback>;
  if (!/^(tr-)?[0-9a-f]{32}$/i.test(String(traceId)))
    return "traceId: expected 32 hexadecimal digits, or tr- and these";
  if (spanId !== undefined && !/^[0-9a-f]{16}$/i.test(String(spanId))) return "spanId: expected 16 hexadecimal digits";
  if (typeof name !== "string" || !name.trim()) return "name: expected a text, such as correctness";
  if (!["number", "boolean", "string"].includes(typeof value) || value === "" || Number.isNaN(value))
    return "value: expected a number, true, false or a text";
  return undefined;
}

/**
 * The carrier: a span with one link, which names the judged span. It belongs to the judged trace, so that MLflow stores no
 * other trace for it.
 */
export function feedbackSpan(feedback: Feedback): ReadableSpan {
  const traceId = feedback.traceId.replace(/^tr-/, "").toLowerCase();
  const judged = { traceId, spanId: feedback.spanId?.toLowerCase() ?? randomHex(8), traceFlags: 1 };
  const own = { traceId, spanId: randomHex(8), traceFlags: 1 };
  const family = feedback.spanId ? "annotations.0.annotation" : "trace.annotations.0.annotation";
  const { kind = "HUMAN", id } = feedback.source ?? {};
  const time: [number, number] = [Math.floor(Date.now() / 1000), (Date.now() % 1000) * 1_000_000];
  return {
    name: `feedback ${feedback.name}`,
    kind: 0,
    spanContext: () => own,
    parentSpanContext: judged,
    startTime: time,
    endTime: time,
    status: { code: 0 },
    attributes: {
      "openinference_mlflow.omit": true,
      [`${family}.name`]: feedback.name,
      [`${family}.${typeof feedback.value === "string" ? "label" : "score"}`]: feedback.value,
      [`${family}.annotator_kind`]: kind,
      ...(feedback.rationale && { [`${family}.explanation`]: feedback.rationale }),
      ...(id && { [`${family}.identifier`]: id }),
    },
    links: [{ context: judged }],
    events: [],
    resource: ownResource(),
    instrumentationScope: { name: "openinference-mlflow" },
  };
}
