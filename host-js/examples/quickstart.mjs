// One line, and every OpenInference span of the process is in MLflow.
// Here the span is made by hand; with an OpenInference instrumentation you make none.
import { trace } from "@opentelemetry/api";
import { autolog } from "openinference-mlflow";

autolog({ experiment: "quickstart" });

trace.getTracer("quickstart").startActiveSpan("ask", (span) => {
  span.setAttributes({
    "openinference.span.kind": "LLM",
    "llm.model_name": "gpt-4o-mini",
    "input.value": "What is the capital of France?",
    "output.value": "Paris",
  });
  span.end();
});
