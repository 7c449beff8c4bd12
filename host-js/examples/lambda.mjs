// AWS Lambda freezes the process after the answer: flush before it.
import { trace } from "@opentelemetry/api";
import { autolog, flush } from "openinference-mlflow";

autolog({ experiment: "lambda" });

export async function handler(event) {
  try {
    return await trace.getTracer("lambda").startActiveSpan("handle", async (span) => {
      span.setAttributes({ "openinference.span.kind": "AGENT", "input.value": JSON.stringify(event) });
      span.end();
      return { statusCode: 200 };
    });
  } finally {
    await flush({ timeoutMillis: 2_000 });
  }
}
