import { trace } from "@opentelemetry/api";
import { autolog, flush, stats } from "openinference-mlflow";

autolog();
const tracer = trace.getTracer("bundled");
tracer.startActiveSpan("root", { attributes: { "openinference.span.kind": "CHAIN" } }, (root) => {
  tracer.startSpan("child").end();
  root.end();
});
flush().then(() => process.stdout.write(JSON.stringify(stats())));
