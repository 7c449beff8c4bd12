from opentelemetry import trace

import openinference_mlflow

openinference_mlflow.autolog(tracking_uri="http://127.0.0.1:5000", experiment="quickstart")

# Make your instrumentors as usual: OpenAIInstrumentor().instrument(), LangChainInstrumentor().instrument(), …
tracer = trace.get_tracer("quickstart")
with tracer.start_as_current_span(
    "answer", attributes={"openinference.span.kind": "CHAIN", "input.value": "Hi"}
) as span:
    span.set_attribute("output.value", "Hello!")
