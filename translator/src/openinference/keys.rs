//! Names of the attributes that this crate reads, in one table.
//!
//! Source: OpenInference semantic conventions 0.1.42
//! (<https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md>), and for spans that mix
//! conventions OpenTelemetry's GenAI attributes (<https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/>)
//! and the AI SDK's (<https://ai-sdk.dev/docs/ai-sdk-core/telemetry>).

/// Declares [`Key`] from the names, grouped by their first segment so that a lookup compares few of them.
macro_rules! keys {
    ($($head:literal { $($tail:literal $key:ident,)* })*) => {
        /// An attribute that has a meaning of its own. Attributes that come in numbered families
        /// (`llm.input_messages.0.…`) are known by [`Family`](super::Family) instead.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each variant is beside its name")]
        pub enum Key {
            $($($key,)*)*
        }

        impl Key {
            /// How many there are.
            pub const COUNT: usize = [$($(Key::$key,)*)*].len();

            /// The attribute's name.
            pub const fn name(self) -> &'static str {
                match self {
                    $($(Self::$key => concat!($head, ".", $tail),)*)*
                }
            }

            /// The key of a name that was split at its first dot.
            #[inline]
            pub fn find(head: &str, tail: &str) -> Option<Self> {
                match head {
                    $($head => match tail {
                        $($tail => Some(Self::$key),)*
                        _ => None,
                    },)*
                    _ => None,
                }
            }
        }
    };
}

keys! {
    "openinference" {
        "span.kind" SpanKind,
    }
    "input" {
        "value" InputValue,
    }
    "output" {
        "value" OutputValue,
    }
    "llm" {
        "model_name" ModelName,
        "response.model_name" ResponseModelName,
        "request.model_name" RequestModelName,
        "provider" Provider,
        "invocation_parameters" InvocationParameters,
        "finish_reason" FinishReason,
        "function_call" FunctionCall,
        "prompt_template.template" PromptTemplate,
        "prompt_template.variables" PromptVariables,
        "prompt_template.version" PromptVersion,
        "token_count.prompt" TokensPrompt,
        "token_count.completion" TokensCompletion,
        "token_count.total" TokensTotal,
        "token_count.prompt_details.cache_read" TokensCacheRead,
        "token_count.prompt_details.cache_write" TokensCacheWrite,
        "cost.prompt" CostPrompt,
        "cost.completion" CostCompletion,
        "cost.total" CostTotal,
    }
    "embedding" {
        "model_name" EmbeddingModelName,
    }
    "reranker" {
        "model_name" RerankerModelName,
        "query" RerankerQuery,
        "top_k" RerankerTopK,
    }
    "tool" {
        "parameters" ToolParameters,
    }
    "tool_call" {
        "function.arguments" ToolCallArguments,
    }
    "prompt" {
        "id" PromptId,
        "url" PromptUrl,
        "vendor" PromptVendor,
    }
    "decision" {
        "model_name" DecisionModelName,
        "response.model_name" DecisionResponseModelName,
        "request.model_name" DecisionRequestModelName,
        "provider" DecisionProvider,
        "token_count.input" DecisionTokensInput,
        "token_count.output" DecisionTokensOutput,
    }
    "tag" {
        "tags" Tags,
    }
    "session" {
        "id" SessionId,
    }
    "user" {
        "id" UserId,
    }
    "gen_ai" {
        "operation.name" GenAiOperation,
        "conversation.id" GenAiConversationId,
        "request.model" GenAiRequestModel,
        "response.model" GenAiResponseModel,
        "provider.name" GenAiProvider,
        "system" GenAiSystem,
        "usage.input_tokens" GenAiTokensInput,
        "usage.output_tokens" GenAiTokensOutput,
        "usage.cache_read.input_tokens" GenAiTokensCacheRead,
        "usage.cache_write.input_tokens" GenAiTokensCacheWrite,
        "usage.cache_creation.input_tokens" GenAiTokensCacheCreation,
        "usage.prompt_tokens" GenAiTokensPrompt,
        "usage.completion_tokens" GenAiTokensCompletion,
        "input.messages" GenAiInputMessages,
        "output.messages" GenAiOutputMessages,
        "system_instructions" GenAiSystemInstructions,
        "tool.definitions" GenAiToolDefinitions,
        "tool.call.arguments" GenAiToolArguments,
        "tool.call.result" GenAiToolResult,
    }
    "ai" {
        "model.id" AiModel,
        "model.provider" AiProvider,
        "usage.inputTokens" AiTokensInput,
        "usage.outputTokens" AiTokensOutput,
        "usage.totalTokens" AiTokensTotal,
        "usage.cachedInputTokens" AiTokensCacheRead,
        "usage.promptTokens" AiTokensPrompt,
        "usage.completionTokens" AiTokensCompletion,
        "prompt" AiPrompt,
        "prompt.messages" AiPromptMessages,
        "toolCall.args" AiToolArguments,
        "toolCall.result" AiToolResult,
        "value" AiValue,
        "values" AiValues,
        "response.text" AiResponseText,
        "response.object" AiResponseObject,
        "response.toolCalls" AiResponseToolCalls,
    }
}

/// `metadata`: a JSON object with what the application says about a span. The one name without a dot.
pub const METADATA: &str = "metadata";
/// On the resource: the project that the application's traces belong to.
pub const PROJECT_NAME: &str = "openinference.project.name";
