//! Names of attributes, tags and metadata, from `mlflow/tracing/constant.py` (MLflow 3.17).

/// MLflow's own namespace, of attributes and of trace tags.
pub const PREFIX: &str = "mlflow.";

/// The error that a tool's result reports on a span without a status; not one of MLflow's own.
pub const TOOL_ERROR: &str = "openinference_mlflow.tool_error";
/// The span's type, a plain word.
pub const SPAN_TYPE: &str = "mlflow.spanType";
/// The span's inputs.
pub const SPAN_INPUTS: &str = "mlflow.spanInputs";
/// The span's outputs.
pub const SPAN_OUTPUTS: &str = "mlflow.spanOutputs";
/// The shape of inputs and outputs, by which MLflow's UI draws them as a conversation: `openai`, `anthropic` and others.
pub const MESSAGE_FORMAT: &str = "mlflow.message.format";
/// A conversation as an array of messages in OpenAI's shape, which the UI draws before inputs and outputs.
pub const CHAT_MESSAGES: &str = "mlflow.chat.messages";
/// The tools that a model was offered, an array in OpenAI's shape.
pub const CHAT_TOOLS: &str = "mlflow.chat.tools";
/// The registered prompts that a span used: an array of objects of `name` and `version`, both text.
pub const LINKED_PROMPTS: &str = "mlflow.linkedPrompts";
/// Token counts: an object of `input_tokens`, `output_tokens`, `total_tokens`, `cache_read_input_tokens` and
/// `cache_creation_input_tokens`.
pub const CHAT_USAGE: &str = "mlflow.chat.tokenUsage";
/// Costs in US dollars: an object of `input_cost`, `output_cost` and `total_cost`.
pub const LLM_COST: &str = "mlflow.llm.cost";
/// The model's name.
pub const MODEL: &str = "mlflow.llm.model";
/// The model's provider.
pub const PROVIDER: &str = "mlflow.llm.provider";
/// The trace's id, which MLflow sets on every span that it makes or stores.
pub const TRACE_REQUEST_ID: &str = "mlflow.traceRequestId";
/// On a root span, this prefix and a tag's key set a trace tag (MLflow 3.14 and later).
pub const TRACE_TAG_PREFIX: &str = "mlflow.traceTag.";
/// [`TRACE_TAG_PREFIX`] and [`TRACE_NAME`].
pub const TRACE_NAME_ATTRIBUTE: &str = "mlflow.traceTag.mlflow.traceName";

/// The trace tag that holds the trace's name.
pub const TRACE_NAME: &str = "mlflow.traceName";

/// The trace metadata that holds the session.
pub const TRACE_SESSION: &str = "mlflow.trace.session";
/// The trace metadata that holds the user.
pub const TRACE_USER: &str = "mlflow.trace.user";
/// The trace metadata that holds the trace's token counts, a JSON object.
pub const TRACE_USAGE: &str = "mlflow.trace.tokenUsage";
/// The trace metadata that holds the trace's costs, a JSON object.
pub const TRACE_COST: &str = "mlflow.trace.cost";
