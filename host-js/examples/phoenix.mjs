// MLflow beside Phoenix: both hold every span, in either order.
import { register } from "@arizeai/phoenix-otel";
import { trace } from "@opentelemetry/api";
import { autolog } from "openinference-mlflow";

autolog({ experiment: "dual" });
const phoenix = register({ projectName: "dual" });

trace
  .getTracer("dual")
  .startSpan("ask", { attributes: { "openinference.span.kind": "CHAIN" } })
  .end();

await phoenix.forceFlush();
