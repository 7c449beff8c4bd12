"""The rules for what single spans say: conversations, tools, documents, embeddings and prompts.

The raw side has what MLflow makes of `input.value` and `output.value`; the attributes as sent have what it leaves out.
"""

from e2e.parity import documents, drawn, expected, previews, printed, spoken, turns
from e2e.parity.compare import ABSENT
from e2e.parity.documents import parsed
from e2e.parity.rule import Rule
from e2e.parity.sighting import Sighting

_SIDES = {"mlflow.spanInputs": "inputs", "mlflow.spanOutputs": "outputs"}
_VALUES = {"inputs": "input.value", "outputs": "output.value"}
_FORMAT, _MESSAGES = "mlflow.message.format", "mlflow.chat.messages"
# A request's own words for what was said: told as messages, not as parameters.
_SAID = {"messages", "input", "request", "prompt", "contents", "choices", "model"}
_MODELS = {"LLM", "CHAT_MODEL"}
# The types of spans that frame others.
_FRAMES = {"AGENT", "CHAIN"}


def _side(seen: Sighting) -> str | None:
    """`inputs` or `outputs`, as a field or as the attribute that it is read from."""
    side = seen.field if seen.field in _SIDES.values() else _SIDES.get(seen.attribute or "")
    return side if side and seen.values[1] is not ABSENT else None


def _raw(seen: Sighting) -> dict:
    return seen.raw["spans"].get(seen.path[1], {})


def _type(seen: Sighting) -> str:
    return expected.span_type(seen.sent_attributes)


def _asked(seen: Sighting) -> list[turns.Turn]:
    raw = _raw(seen)["inputs"]
    found = spoken.fuller(turns.asked(seen.sent_attributes), spoken.messages(raw, "user"))
    beside = parsed(seen.sent_attributes.get("gen_ai.system_instructions", "[]"))
    apart = raw if turns.hidden_system(raw) else {"system": [{"text": each["content"]} for each in beside]}
    return turns.with_system(turns.without_silence(found), apart) or _spoken(raw, "user")


def _answered(seen: Sighting) -> list[turns.Turn]:
    raw = _raw(seen)["outputs"]
    return spoken.fuller(turns.answered(seen.sent_attributes), spoken.answers(raw)) or _spoken(raw, "assistant")


def _spoken(raw: object, role: str) -> list[turns.Turn]:
    return [turns.Turn(role, (raw,))] if isinstance(raw, str) else []


def _is_retold(seen: Sighting, side: str) -> bool:
    """A call to a model whose raw pair the UI does not draw; on other spans, what is missing or a bare list."""
    raw = _raw(seen)
    if _type(seen) not in _MODELS:
        return raw[side] is None or isinstance(raw[side], list)
    is_hidden = _hides_system(seen)
    if drawn.format_of(raw["inputs"], raw["outputs"]) is not None and not is_hidden:
        return False
    if side == "inputs":
        return is_hidden or not drawn.is_openai_request(raw["inputs"])
    return not drawn.is_openai_answer(raw["outputs"])


def _hides_system(seen: Sighting) -> bool:
    """Where the UI would leave out what the system says, although all that is said can be told again."""
    asked, answered = _asked(seen), _answered(seen)
    said = [turn for turn in asked if turn.role != "system"]
    is_answered = turns.speak(answered) or _raw(seen)["outputs"] is None
    return bool(turns.hidden_system(_raw(seen)["inputs"])) and turns.speak(said) and is_answered


def _request(seen: Sighting) -> bool:
    found = seen.values[1]
    if _side(seen) != "inputs" or not isinstance(found, dict) or not _is_retold(seen, "inputs"):
        return False
    parameters = parsed(seen.sent_attributes.get("llm.invocation_parameters"))
    parameters = parameters if isinstance(parameters, dict) else {}
    raw = _raw(seen)["inputs"]
    named = [each["model"] for each in (parameters, raw) if isinstance(each, dict) and each.get("model")]
    wanted = {key: value for key, value in parameters.items() if key not in _SAID}
    wanted |= {"model": name for name in named[:1] if isinstance(name, str)}
    rest = {key: value for key, value in found.items() if key != "messages"}
    return rest == wanted and turns.are_told(_asked(seen), found.get("messages"))


def _answer(seen: Sighting) -> bool:
    found = seen.values[1]
    if _side(seen) != "outputs" or not isinstance(found, dict) or not _is_retold(seen, "outputs"):
        return False
    raw = _raw(seen)["outputs"]
    model = {"model": raw["model"]} if isinstance(raw, dict) and isinstance(raw.get("model"), str) else {}
    reason = seen.sent_attributes.get("llm.finish_reason")
    choices = found.get("choices", [])
    frames = [{key: value for key, value in choice.items() if key != "message"} for choice in choices]
    told = {"index": 0} if reason is None else {"finish_reason": reason}
    return (
        {key: value for key, value in found.items() if key != "choices"} == model
        and frames == [{**told, "index": index} for index in range(len(choices))]
        and turns.are_told(_answered(seen), [choice.get("message") for choice in choices])
    )


def _format(seen: Sighting) -> bool:
    if seen.attribute != _FORMAT or _type(seen) not in _MODELS:
        return False
    return seen.values == (ABSENT, drawn.format_of(seen.span["inputs"], seen.span["outputs"]))


def _messages(seen: Sighting) -> bool:
    """By themselves, where there is no answer to draw."""
    if seen.attribute != _MESSAGES or _type(seen) not in _MODELS or seen.values[0] is not ABSENT:
        return False
    answered = _answered(seen)
    return not turns.speak(answered) and turns.are_told(_asked(seen), seen.values[1])


def _tools(seen: Sighting) -> bool:
    raw, bridged = seen.values
    if seen.attribute != "mlflow.chat.tools" or (raw is not ABSENT and _are_drawn_tools(raw)):
        return False
    request = _raw(seen)["inputs"] if _type(seen) in _MODELS else None
    return _are_drawn_tools(bridged) and bridged == documents.tools(seen.sent_attributes, request)


def _are_drawn_tools(value: object) -> bool:
    return documents.are_tools(value) and all("function" in tool for tool in value)


def _found(seen: Sighting) -> bool:
    """Cards take the place of what is no list of cards on a span that finds documents; elsewhere they fill a gap."""
    if _side(seen) != "outputs":
        return False
    raw = _raw(seen)["outputs"]
    for kind, family in (("RETRIEVER", "retrieval.documents"), ("RERANKER", "reranker.output_documents")):
        found = documents.documents(seen.sent_attributes, family)
        if found and found == seen.values[1]:
            return not documents.are_cards(raw) if _type(seen) == kind else raw is None
    return False


def _filled(seen: Sighting) -> bool:
    """What a span without a value was given, and gave, by its other attributes."""
    side = _side(seen)
    if side is None or parsed(seen.sent_attributes.get(_VALUES[side])):
        return False
    sent = seen.sent_attributes
    given = {
        "RERANKER": documents.ranking,
        "EMBEDDING": documents.embedded,
        "TOOL": lambda attributes: parsed(attributes.get("tool.parameters")),
    }
    wanted = given.get(_type(seen)) if side == "inputs" else {"EMBEDDING": documents.vectors}.get(_type(seen))
    if str(sent.get("openinference.span.kind")).upper() == "PROMPT":
        wanted = documents.prompt if side == "inputs" else documents.rendered
    return wanted is not None and bool(wanted(sent)) and seen.values[1] == wanted(sent)


def _counted(seen: Sighting) -> bool:
    """How many vectors there are, and of which dimension, in place of their numbers."""
    if _side(seen) != "outputs" or _type(seen) != "EMBEDDING" or not documents.holds_numbers(_raw(seen)["outputs"]):
        return False
    model = _raw(seen)["outputs"].get("model")
    return seen.values[1] == documents.vectors(seen.sent_attributes) | ({"model": model} if model else {})


def _printed(seen: Sighting) -> bool:
    """In place of objects as Python prints them: what was ranked, what a prompt was made of, which nodes were found."""
    side = _side(seen)
    if side is None:
        return False
    raw = _raw(seen)[side]
    if side == "outputs":
        return printed.nodes(raw) == seen.values[1] is not None
    if printed.query(raw) is not None:
        return printed.query(raw) == seen.values[1]
    if not printed.is_printed(raw):
        return False
    ranked = _type(seen) == "RERANKER" and documents.ranking(seen.sent_attributes)
    is_made = "llm.prompt_template.template" in seen.sent_attributes
    return seen.values[1] == (ranked or is_made and documents.prompt(seen.sent_attributes))


def _plain(seen: Sighting) -> bool:
    """LangChain's messages as OpenAI's; what a tool found as its words."""
    side = _side(seen)
    if side is None:
        return False
    raw, shown = _raw(seen)[side], seen.values[1]
    only = raw["output"] if isinstance(raw, dict) and list(raw) == ["output"] else raw
    found = spoken.langchain(only) or []
    if [turn.role for turn in found] == ["tool"]:
        return shown == parsed(found[0].texts[0])
    return raw != shown and spoken.is_plain(raw, shown)


def _lent(seen: Sighting) -> bool:
    """A frame without values shows what the models below it were asked first and answered last."""
    if not seen.span or _type(seen) not in _FRAMES or seen.span is not expected.headline(seen.bridged):
        return False
    if any(parsed(seen.sent_attributes.get(value)) for value in _VALUES.values()):
        return False
    lent = previews.lent(seen.bridged)
    if seen.attribute == _FORMAT:
        return len(lent) == 2 and seen.values == (ABSENT, "openai")
    side = _side(seen)
    return side is not None and side in lent and seen.values[1] == lent[side]


RULES = (
    Rule("request", "MLflow shows requests of most providers as JSON although their messages are told", _request),
    Rule("answer", "MLflow shows answers of most providers as JSON although their messages are told", _answer),
    Rule("format", "MLflow guesses formats, and never Anthropic's", _format),
    Rule("messages", "MLflow draws no failed call", _messages),
    Rule("tools", "MLflow does not read `llm.tools`", _tools),
    Rule("documents", "MLflow does not read `retrieval.documents` and a reranker's", _found),
    Rule("vectors", "MLflow shows the numbers of vectors", _counted),
    Rule("printed", "MLflow shows objects as Python prints them", _printed),
    Rule("plain", "MLflow knows none of the forms in which LangChain writes messages", _plain),
    Rule("lent", "MLflow shows nothing of agents whose span carries no values", _lent),
    Rule("filled", "MLflow leaves inputs and outputs empty when only other attributes tell them", _filled),
)
