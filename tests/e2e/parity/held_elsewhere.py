"""Values that the gateway reads from what Python printed, or fills into agents below the root.

No rule here works out what they should be yet. The golden pairs hold them to the byte, and the browser tests hold what MLflow draws
of them. Everything else that differs in these payloads must have a name.
"""

from e2e.parity import previews
from e2e.parity.difference import Difference

CASES = {
    # Agents below the root.
    "js_openai_agents_chat_completions.pb",
    "js_openai_agents_handoff.pb",
    "py_inst_agents.pb",
    "py_openai_agents_chat_completions.pb",
    "py_openai_agents_handoff.pb",
    # Printed values.
    "py_autogen_agentchat_agent.pb",
    "py_crewai_crew.pb",
    "py_google_adk_agent.pb",
    "py_haystack_agent.pb",
    "py_haystack_conversation.pb",
    "py_haystack_retrieval.pb",
    "py_haystack_tool_result.pb",
    "py_inst_langchain.pb",
    "py_inst_llamaindex.pb",
    "py_llama_index_agent.pb",
    "py_mistralai_tool_result.pb",
    "py_smolagents_code_agent.pb",
    "py_smolagents_tool_calling_agent.pb",
}

_ATTRIBUTES = {"mlflow.spanInputs", "mlflow.spanOutputs", "mlflow.message.format", "mlflow.chat.messages", "mlflow.chat.tools"}
_PATHS = {("info", "request_preview"), ("info", "response_preview"), ("info", "metadata", previews.FINALIZED)}


def is_held(difference: Difference) -> bool:
    """Whether a difference is in one of these values."""
    is_value = difference.field in {"inputs", "outputs"} or difference.attribute in _ATTRIBUTES or difference.path in _PATHS
    return difference.case in CASES and is_value
