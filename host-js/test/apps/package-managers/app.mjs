import { trace } from "@opentelemetry/api";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { autolog, flush, stats } from "openinference-mlflow";

autolog();
new NodeTracerProvider().register();
trace.getTracer("app").startActiveSpan("root", (root) => {
  trace.getTracer("app").startSpan("child").end();
  root.end();
});
await flush();
process.stdout.write(JSON.stringify(stats()));
