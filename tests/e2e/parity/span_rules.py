"""Rules for the content of single spans: conversations, tools, documents, embeddings and prompts.

The raw side shows how MLflow translates `input.value` and `output.value`; the sent attributes hold what MLflow omits.
"""

from e2e.parity import documents, ui_formats, expected, previews, python_repr, raw_messages, conversation
from e2e.parity.compare import ABSENT
from e2e.parity.documents import parsed
from e2e.parity.rule import Rule
from e2e.parity.difference import Difference

_SIDES = {"mlflow.spanInputs": "inputs", "mlflow.spanOutputs": "outputs"}
_VALUES = {"inputs": "input.value", "outputs": "output.value"}
_FORMAT, _MESSAGES = "mlflow.message.format", "mlflow.chat.messages"
# Request keys that hold the conversation: rendered as messages, not as parameters.
_SAID = {"messages", "input", "request", "prompt", "contents", "choices", "model"}
_MODELS = {"LLM", "CHAT_MODEL"}
# The types of spans that frame others.
_FRAMES = {"AGENT", "CHAIN"}


def _side(difference: Difference) -> str | None:
    """`inputs` or `outputs`, as a field or as the attribute that it is read from."""
    side = difference.field if difference.field in _SIDES.values() else _SIDES.get(difference.attribute or "")
    return side if side and difference.values[1] is not ABSENT else None


def _raw(difference: Difference) -> dict:
    return difference.raw["spans"].get(difference.path[1], {})


def _read(difference: Difference) -> dict:
    """The raw pair, with what printed objects in it say; but what a model answers is what it says."""
    is_model = _type(difference) in _MODELS
    return {side: python_repr.without_printed(_raw(difference).get(side), is_said=is_model) for side in _VALUES}


def _type(difference: Difference) -> str:
    return expected.span_type(difference.sent_attributes)


def _asked(difference: Difference) -> list[conversation.Turn]:
    raw = _read(difference)["inputs"]
    found = raw_messages.more_complete(conversation.input_turns(difference.sent_attributes), raw_messages.messages(raw, "user"))
    beside = parsed(difference.sent_attributes.get("gen_ai.system_instructions", "[]"))
    apart = raw if conversation.separate_system_prompt(raw) else {"system": [{"text": each["content"]} for each in beside]}
    return conversation.with_system_prompt(conversation.without_empty_turns(found), apart) or _spoken(raw, "user")


def _answered(difference: Difference) -> list[conversation.Turn]:
    raw = _read(difference)["outputs"]
    return raw_messages.more_complete(conversation.output_turns(difference.sent_attributes), raw_messages.answers(raw)) or _spoken(raw, "assistant")


def _spoken(raw: object, role: str) -> list[conversation.Turn]:
    return [conversation.Turn(role, (raw,))] if isinstance(raw, str) else []


def _is_rebuilt(difference: Difference, side: str) -> bool:
    """A call to a model whose raw pair the UI does not draw; on other spans, what is missing or a bare list."""
    raw = _raw(difference)
    if _type(difference) not in _MODELS:
        return raw[side] is None or isinstance(raw[side], list)
    is_hidden, is_silent = _omits_system_prompt(difference) or _lacks_calls(difference), _is_silent(difference)
    if ui_formats.format_of(raw["inputs"], raw["outputs"]) is not None and not (is_hidden or is_silent):
        return False
    if side == "inputs":
        return is_hidden or not ui_formats.is_openai_request(raw["inputs"])
    return is_silent or not ui_formats.is_openai_answer(raw["outputs"])


def _is_silent(difference: Difference) -> bool:
    """Whether the raw answer has messages and says nothing in them, although the attributes do."""
    raw = _raw(difference)["outputs"]
    choices = raw.get("choices") if isinstance(raw, dict) else None
    messages = [choice.get("message") for choice in choices or []]
    are_empty = all(message and not message.get("content") and not message.get("tool_calls") for message in messages)
    return bool(messages) and are_empty and conversation.have_content(conversation.output_turns(difference.sent_attributes))


def _lacks_calls(difference: Difference) -> bool:
    """Whether the model neither says nor calls anything in a message of the raw request, although it calls in the attributes."""
    raw = _raw(difference)["inputs"]
    messages = raw.get("messages") if isinstance(raw, dict) else None
    said = [each.get("content") or each.get("tool_calls") for each in messages or [] if isinstance(each, dict) and each.get("role") == "assistant"]
    is_called = any(turn.calls for turn in _asked(difference))
    return not all(said) and is_called and conversation.have_content(_answered(difference))


def _omits_system_prompt(difference: Difference) -> bool:
    """Whether the UI would omit the system prompt although the conversation can be rebuilt."""
    asked, answered = _asked(difference), _answered(difference)
    spoken = [turn for turn in asked if turn.role != "system"]
    is_answered = conversation.have_content(answered) or _raw(difference)["outputs"] is None
    return bool(conversation.separate_system_prompt(_raw(difference)["inputs"])) and conversation.have_content(spoken) and is_answered


def _request(difference: Difference) -> bool:
    found = difference.values[1]
    if _side(difference) != "inputs" or not isinstance(found, dict) or not _is_rebuilt(difference, "inputs"):
        return False
    parameters = parsed(difference.sent_attributes.get("llm.invocation_parameters"))
    parameters = parameters if isinstance(parameters, dict) else {}
    raw = _read(difference)["inputs"]
    named = [each["model"] for each in (parameters, raw) if isinstance(each, dict) and each.get("model")]
    wanted = {key: value for key, value in python_repr.without_not_given(parameters).items() if key not in _SAID}
    wanted |= {"model": name for name in named[:1] if isinstance(name, str)}
    rest = {key: value for key, value in found.items() if key != "messages"}
    return rest == wanted and conversation.is_rendered_as_messages(_asked(difference), found.get("messages"))


def _given(difference: Difference) -> bool:
    if _side(difference) != "inputs":
        return False
    found, raw = difference.values[1], _raw(difference)["inputs"]
    return found != raw and found == python_repr.without_not_given(raw)


def _answer(difference: Difference) -> bool:
    found = difference.values[1]
    if _side(difference) != "outputs" or not isinstance(found, dict) or not _is_rebuilt(difference, "outputs"):
        return False
    raw = _read(difference)["outputs"]
    model = {"model": raw["model"]} if isinstance(raw, dict) and isinstance(raw.get("model"), str) else {}
    reason = difference.sent_attributes.get("llm.finish_reason")
    choices = found.get("choices", [])
    frames = [{key: value for key, value in choice.items() if key != "message"} for choice in choices]
    first_choice = {"index": 0} if reason is None else {"finish_reason": reason}
    return (
        {key: value for key, value in found.items() if key != "choices"} == model
        and frames == [{**first_choice, "index": index} for index in range(len(choices))]
        and conversation.is_rendered_as_messages(_answered(difference), [choice.get("message") for choice in choices])
    )


def _format(difference: Difference) -> bool:
    if difference.attribute != _FORMAT or _type(difference) not in _MODELS:
        return False
    return difference.values == (ABSENT, ui_formats.format_of(difference.span["inputs"], difference.span["outputs"]))


def _messages(difference: Difference) -> bool:
    """By themselves, where there is no answer to draw."""
    if difference.attribute != _MESSAGES or _type(difference) not in _MODELS or difference.values[0] is not ABSENT:
        return False
    answered = _answered(difference)
    return not conversation.have_content(answered) and conversation.is_rendered_as_messages(_asked(difference), difference.values[1])


def _tools(difference: Difference) -> bool:
    raw, translated = difference.values
    if difference.attribute != "mlflow.chat.tools" or (raw is not ABSENT and _are_drawn_tools(raw)):
        return False
    request = _read(difference)["inputs"] if _type(difference) in _MODELS else None
    return _are_drawn_tools(translated) and translated == documents.tools(difference.sent_attributes, request)


def _are_drawn_tools(value: object) -> bool:
    return documents.are_tools(value) and all("function" in tool for tool in value)


def _found(difference: Difference) -> bool:
    """Cards take the place of what is no list of cards on a span that finds documents; elsewhere they fill a gap."""
    if _side(difference) != "outputs":
        return False
    raw = _raw(difference)["outputs"]
    for kind, family in (("RETRIEVER", "retrieval.documents"), ("RERANKER", "reranker.output_documents")):
        found = documents.documents(difference.sent_attributes, family)
        if found and found == difference.values[1]:
            return not documents.is_documents(raw) if _type(difference) == kind else raw is None
    return False


def _filled(difference: Difference) -> bool:
    """What a span without a value was given, and gave, by its other attributes."""
    side = _side(difference)
    if side is None or parsed(difference.sent_attributes.get(_VALUES[side])):
        return False
    sent = difference.sent_attributes
    given = {
        "RERANKER": documents.ranking,
        "EMBEDDING": documents.embedding_inputs,
        "TOOL": lambda attributes: parsed(
            attributes.get("tool_call.function.arguments") or attributes.get("tool.parameters")
        ),
    }
    wanted = given.get(_type(difference)) if side == "inputs" else {"EMBEDDING": documents.vectors}.get(_type(difference))
    if str(sent.get("openinference.span.kind")).upper() == "PROMPT":
        wanted = documents.prompt if side == "inputs" else documents.rendered
    return wanted is not None and bool(wanted(sent)) and difference.values[1] == wanted(sent)


def _counted(difference: Difference) -> bool:
    """How many vectors there are, and of which dimension, in place of their numbers."""
    if _side(difference) != "outputs" or _type(difference) != "EMBEDDING" or not documents.holds_numbers(_raw(difference)["outputs"]):
        return False
    model = _raw(difference)["outputs"].get("model")
    return difference.values[1] == documents.vectors(difference.sent_attributes) | ({"model": model} if model else {})


def _printed(difference: Difference) -> bool:
    """In place of objects as Python prints them: what was ranked, what a prompt was made of, which nodes were found."""
    side = _side(difference)
    if side is None:
        return False
    raw, shown = _raw(difference)[side], difference.values[1]
    if side == "outputs":
        return python_repr.nodes(raw) == shown is not None
    if python_repr.query(raw) is not None:
        return python_repr.query(raw) == shown
    if not python_repr.is_printed(raw):
        return False
    ranked = _type(difference) == "RERANKER" and documents.ranking(difference.sent_attributes)
    is_made = "llm.prompt_template.template" in difference.sent_attributes
    return shown == (ranked or is_made and documents.prompt(difference.sent_attributes))


def _objects(difference: Difference) -> bool:
    """Objects as Python prints them, as what they say."""
    side = _side(difference)
    if side is None:
        return False
    raw, shown = _raw(difference)[side], difference.values[1]
    return raw != shown and raw_messages.is_plain(_read(difference)[side], shown)


def _plain(difference: Difference) -> bool:
    """LangChain's messages as OpenAI's; what a tool found as its words."""
    side = _side(difference)
    if side is None:
        return False
    raw, shown = _raw(difference)[side], difference.values[1]
    only = raw["output"] if isinstance(raw, dict) and list(raw) == ["output"] else raw
    found = raw_messages.langchain(only) or []
    if [turn.role for turn in found] == ["tool"]:
        return shown == parsed(found[0].texts[0])
    return raw != shown and raw_messages.is_plain(raw, shown)


def _summarised(difference: Difference) -> bool:
    """An agent or chain without values shows the first request and the last answer of the model calls below it.

    The outermost span may be a chain, and all calls of the trace are its own. A span that has a request lacks an answer alone,
    unless it failed.
    """
    span, trace = difference.span, difference.translated
    is_outermost = bool(span) and span is expected.outermost_span(trace)
    if not span or _type(difference) not in (_FRAMES if is_outermost else {"AGENT"}):
        return False
    sent = {side for side, key in _VALUES.items() if parsed(difference.sent_attributes.get(key))}
    if "outputs" in sent or sent and span["status"] == "ERROR":
        return False
    summary = previews.conversation_summary(trace, None if is_outermost else span)
    if difference.attribute == _FORMAT:
        return not sent and len(summary) == 2 and difference.values == (ABSENT, "openai")
    side = _side(difference)
    return side is not None and side not in sent and side in summary and difference.values[1] == summary[side]


RULES = (
    Rule("request", "MLflow shows requests of most providers as JSON although the span carries their messages", _request),
    Rule("answer", "MLflow shows answers of most providers as JSON although the span carries their messages", _answer),
    Rule("format", "MLflow guesses formats, and never Anthropic's", _format),
    Rule("messages", "MLflow draws no failed call", _messages),
    Rule("tools", "MLflow does not read `llm.tools`", _tools),
    Rule("documents", "MLflow does not read `retrieval.documents` and a reranker's", _found),
    Rule("vectors", "MLflow shows the numbers of vectors", _counted),
    Rule("python repr", "MLflow shows Python reprs as they are", _printed),
    Rule("printed objects", "MLflow shows objects as Python prints them, and no messages in them", _objects),
    Rule("arguments not given", "MLflow shows arguments that nobody gave as Python prints their placeholders", _given),
    Rule("langchain messages", "MLflow knows none of the forms in which LangChain writes messages", _plain),
    Rule("summary", "MLflow shows nothing of agents whose span carries no values, and no answer of those that carry a request", _summarised),
    Rule("filled", "MLflow leaves inputs and outputs empty when only other attributes have them", _filled),
)
