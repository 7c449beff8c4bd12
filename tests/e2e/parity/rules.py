"""Where the gateway may differ from MLflow's own translation: each rule names an improvement and recognises it.

A rule does not excuse a place. It works out what the gateway should have stored there, so that a wrong value in the
right place stays unexplained.
"""

import ast
import base64
import json
import math

from mlflow.tracing.utils import calculate_cost_by_model_and_token_usage

from e2e.parity import assessments, expected, previews, span_rules
from e2e.parity.compare import ABSENT
from e2e.parity.copies import SEARCHED_TYPES
from e2e.parity.rule import Rule
from e2e.parity.difference import Difference

_USAGE, _COST = "mlflow.chat.tokenUsage", "mlflow.llm.cost"
_DECISION = {"mlflow.llm.model": "decision.model_name", "mlflow.llm.provider": "decision.provider"}
_TOTALS = ("input_tokens", "output_tokens", "total_tokens")
_NO_ROOT = "openinference_mlflow.no_root"
_TRACE_TAG = "mlflow.traceTag."
_PREVIEWS = {("info", "request_preview"): ("inputs", "user"), ("info", "response_preview"): ("outputs", "assistant")}
# What MLflow keeps of a tag's value, and what the gateway sends of one.
_TAG_SHOWN, _TAG_SENT = 4096, 8000


def _typed(difference: Difference) -> bool:
    if difference.attribute != "mlflow.spanType" and difference.field != "type":
        return False
    raw, translated = difference.values
    return raw in (None, ABSENT) and translated == expected.span_type(difference.span["attributes"])


def _searchable(difference: Difference) -> bool:
    if difference.path != ("searchable_types",):
        return False
    types = {_type_on_arrival(difference, span_id) for span_id in difference.translated["spans"]}
    return difference.values[1] == [each for each in SEARCHED_TYPES if each in types]


def _type_on_arrival(difference: Difference, span_id: str) -> str | None:
    """What a span's type column holds: the server fills it from what arrives, before it translates anything."""
    span = difference.translated["spans"][span_id]
    preset = difference.preset(span_id, "mlflow.spanType")
    if preset is not None or not expected.is_openinference(span):
        return preset
    return expected.span_type(span["attributes"])


def _counted(difference: Difference) -> bool:
    if difference.attribute != _USAGE:
        return False
    wanted = expected.token_usage(difference.span["attributes"])
    return difference.values[1] == wanted if wanted else difference.values[1] in (ABSENT, None)


def _tool_error(difference: Difference) -> bool:
    """The texts of a result with `isError`, on a tool's span without a status."""
    if difference.attribute != "openinference_mlflow.tool_error" or difference.values[0] is not ABSENT:
        return False
    result = difference.span["attributes"].get("output.value")
    result = json.loads(result) if isinstance(result, str) else result
    texts = [part["text"] for part in result["content"]]
    return result["isError"] is True and difference.values[1] == "\n".join(texts)


def _counts_differ(difference: Difference) -> bool:
    return any(
        span["attributes"].get(_USAGE) != difference.raw["spans"].get(span_id, {}).get("attributes", {}).get(_USAGE)
        for span_id, span in difference.translated["spans"].items()
    )


def _summed_counts(difference: Difference) -> bool:
    if difference.path != ("info", "token_usage") or not _counts_differ(difference):
        return False
    return difference.values[1] == expected.tree_sum(difference.translated, _USAGE, _TOTALS)


def _counted_once(difference: Difference) -> bool:
    if difference.path != ("info", "token_usage") or not difference.repeated_spans:
        return False
    return difference.values[1] == expected.tree_sum(difference.translated, _USAGE, _TOTALS)


def _latest_version(difference: Difference) -> bool:
    if difference.path in _PREVIEWS and difference.repeated_spans:
        return _is_preview(difference)
    if difference.path[0] != "spans" or difference.path[1] not in difference.repeated_spans or not difference.span:
        return False
    ends = [span.end_time_unix_nano for _, span in difference.sent_spans if span.span_id.hex() == difference.path[1]]
    return difference.span["end_ns"] == max(ends)


def _priced(difference: Difference) -> bool:
    wanted = _cost(difference.span) if difference.attribute == _COST else None
    return wanted is not None and _close(difference.values[1], wanted)


def _cost(span: dict) -> dict[str, float] | None:
    """What the producer knows, or MLflow's own price of a model whose name it does not find by itself."""
    attributes = span["attributes"]
    model, provider = (attributes.get(key) for key in _DECISION.values())
    return expected.cost(attributes) or calculate_cost_by_model_and_token_usage(model, expected.token_usage(attributes), provider)


def _priced_with_cache(difference: Difference) -> bool:
    """MLflow prices what a cache holds lower, once the span says how much that is."""
    if difference.attribute != _COST or expected.cost(difference.span["attributes"]) is not None:
        return False
    raw, translated = difference.values
    if not isinstance(raw, dict) or not isinstance(translated, dict) or not _reads_cache(difference.span):
        return False
    parts = translated["input_cost"] + translated["output_cost"]
    is_cheaper = translated["input_cost"] < raw["input_cost"] and translated["output_cost"] == raw["output_cost"]
    return is_cheaper and _close({"total_cost": translated["total_cost"]}, {"total_cost": parts})


def _reads_cache(span: dict) -> bool:
    return "cache_read_input_tokens" in str(span["attributes"].get(_USAGE))


def _summed_cost(difference: Difference) -> bool:
    if difference.path != ("info", "cost"):
        return False
    spans = difference.translated["spans"].values()
    sent = any(_cost(span) or _reads_cache(span) for span in spans)
    return sent and _close(difference.values[1], expected.tree_sum(difference.translated, _COST, ()))


def _bytes(difference: Difference) -> bool:
    raw, translated = difference.values
    if not isinstance(raw, str) or not raw.startswith(("b'", 'b"')) or not isinstance(translated, str):
        return False
    return base64.b64decode(translated, validate=True) == ast.literal_eval(raw)


def _model(difference: Difference) -> bool:
    name = difference.span["attributes"].get("reranker.model_name") if difference.attribute == "mlflow.llm.model" else None
    return name is not None and difference.values == (ABSENT, name)


def _decided(difference: Difference) -> bool:
    key = _DECISION.get(difference.attribute)
    sent = difference.span["attributes"].get(key) if key else None
    return sent is not None and difference.values[1] == sent


def _named(difference: Difference) -> bool:
    if difference.tag != "mlflow.traceName":
        return False
    named = expected.outermost_span(difference.translated) or min(expected.roots(difference.translated), key=lambda span: span["start_ns"])
    return difference.values == (ABSENT, named["name"])


def _tagged(difference: Difference) -> bool:
    outermost_span = expected.outermost_span(difference.translated) if difference.tag else None
    if outermost_span is None or difference.values[0] is not ABSENT:
        return False
    wanted = expected.tags(outermost_span["attributes"]).get(difference.tag)
    return wanted is not None and (_same_json(difference.values[1], wanted) or difference.values[1] == wanted[:_TAG_SHOWN])


def _every_resource(difference: Difference) -> bool:
    resources = [resource_spans.resource for resource_spans, _ in difference.sent_spans]
    if not difference.tag or all(resource == resources[0] for resource in resources):
        return False
    attributes = [attribute for resource in resources for attribute in resource.attributes]
    return difference.values[1] in [each.value.string_value for each in attributes if each.key == difference.tag]


def _tag_attribute(difference: Difference) -> bool:
    """The OTLP path's way to set a trace tag is an attribute of a root span."""
    if not (difference.attribute or "").startswith(_TRACE_TAG) or difference.span["parent_id"] is not None:
        return False
    tag = difference.attribute.removeprefix(_TRACE_TAG)
    raw, translated = difference.values
    shown = difference.translated["info"]["tags"].get(tag)
    cut = isinstance(translated, str) and len(translated) == _TAG_SENT and shown == translated[:_TAG_SHOWN]
    return raw is ABSENT and (cut or _same_json(shown, translated))


def _needs_trace_info(difference: Difference) -> bool:
    """OTLP cannot carry it: there is no root, or several, or another span than the root speaks for the trace."""
    return len(expected.roots(difference.translated)) != 1 or _has_foreign_root(difference)


def _has_foreign_root(difference: Difference) -> bool:
    foreign = [root for root in expected.roots(difference.translated) if not expected.is_openinference(root)]
    return bool(foreign) and expected.outermost_span(difference.translated) is not None


def _previewed(difference: Difference) -> bool:
    """Below an HTTP handler, without a root, or with several: the previews of the span that speaks for the trace."""
    return difference.path in _PREVIEWS and _needs_trace_info(difference) and _is_preview(difference)


def _previews_of_rebuilt_values(difference: Difference) -> bool:
    """MLflow derives previews from the root's values, which the translator renders differently."""
    if difference.path not in _PREVIEWS or not difference.both_shown or _needs_trace_info(difference) or _has_readable_previews(difference):
        return False
    source, _ = _PREVIEWS[difference.path]
    (root,) = expected.roots(difference.translated)
    span_id = next(each for each, span in difference.translated["spans"].items() if span is root)
    return difference.raw["spans"][span_id][source] != root[source] and _is_preview(difference)


def _readable(difference: Difference) -> bool:
    """Text, where MLflow shows raw JSON or objects as Python prints them."""
    is_single = difference.both_shown and not _needs_trace_info(difference)
    return is_single and difference.path in _PREVIEWS and _has_readable_previews(difference) and _is_preview(difference)


def _has_readable_previews(difference: Difference) -> bool:
    found = previews.of_trace(difference.translated) if difference.both_shown else None
    return found is not None and found.is_rendered_as_messages


def _is_preview(difference: Difference) -> bool:
    found = previews.of_trace(difference.translated)
    source, _ = _PREVIEWS[difference.path]
    wanted = getattr(found, source) if found else None
    # MLflow shows JSON as it came, whatever the spaces in it.
    return wanted is not None and _same_json(difference.values[1], wanted)


def _of_earliest_root(difference: Difference) -> bool:
    """Roots beside each other: the state is that of the earliest."""
    roots = expected.roots(difference.translated) if difference.both_shown else []
    if len(roots) < 2 or difference.path != ("info", "state"):
        return False
    earliest = min(roots, key=lambda span: span["start_ns"])
    return difference.values[1] == ("ERROR" if earliest["status"] == "ERROR" else "OK")


def _own_parent(difference: Difference) -> bool:
    if not difference.both_shown:
        return False
    own = [span_id for span_id, span in difference.raw["spans"].items() if span["parent_id"] == span_id]
    if not own:
        return False
    if difference.field == "parent_id":
        return difference.path[1] in own and difference.values[1] is None
    if difference.path in _PREVIEWS:
        return difference.values[0] is None and _is_preview(difference)
    return difference.path == ("info", "state") and difference.values == ("IN_PROGRESS", "OK")


def _of_outermost(difference: Difference) -> bool:
    keys = {("info", "session"): "session.id", ("info", "user"): "user.id"}
    if difference.path not in keys:
        return False
    spans = difference.translated["spans"]
    order = sorted(spans.values(), key=lambda span: (len(list(expected.ancestors(span, spans))), span["start_ns"]))
    named = [span["attributes"][keys[difference.path]] for span in order if keys[difference.path] in span["attributes"]]
    return difference.values[1] == named[0]


def _long_user(difference: Difference) -> bool:
    raw, translated = difference.values
    if difference.attribute != "user.id" or not isinstance(raw, str) or not isinstance(translated, str):
        return False
    return len(raw) > len(translated) == 8000 and raw[:7000] == translated[:7000]


def _finalized(difference: Difference) -> bool:
    return difference.path == ("info", "metadata", previews.FINALIZED) and difference.values[1] == "true" and (
        _needs_trace_info(difference) or _has_readable_previews(difference)
    )


def _closed(difference: Difference) -> bool:
    if not difference.both_shown or expected.roots(difference.translated):
        return False
    spans = difference.translated["spans"]
    failed = any(span["status"] == "ERROR" and span["parent_id"] not in spans for span in spans.values())
    is_reported = difference.tag == _NO_ROOT and difference.values[0] is ABSENT and bool(difference.values[1])
    return is_reported or (difference.path == ("info", "state") and difference.values == ("IN_PROGRESS", "ERROR" if failed else "OK"))


def _finite(difference: Difference) -> bool:
    raw, translated = difference.values
    return "not finite" in repr(raw) and _same_json(translated, _as_text(raw))


def _as_text(value: object) -> object:
    """What `observe` calls not finite, as the texts that OTLP/JSON has for it."""
    match value:
        case dict():
            return {key: _as_text(item) for key, item in value.items()}
        case list():
            return [_as_text(item) for item in value]
        case str() if value.startswith("not finite: "):
            return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[value.removeprefix("not finite: ")]
    return value


def _timed(difference: Difference) -> bool:
    if not difference.both_shown:
        return False
    spans = difference.translated["spans"].values()
    start, end = min(span["start_ns"] for span in spans), max(span["end_ns"] for span in spans)
    if _in_another_unit(difference):
        return True
    match difference.path:
        case ("spans", _, "start_ns"):
            return difference.values == (0, difference.span["end_ns"])
        case ("spans", _, "end_ns"):
            return difference.values[1] == difference.span["start_ns"] > (difference.values[0] or 0)
        case ("info", "request_time_ms"):
            return difference.values == (0, start // 10**6)
        case ("info", "duration_ms"):
            was = [(span["start_ns"], span["end_ns"] or 0) for span in difference.raw["spans"].values()]
            odd = any(not 0 < first <= last for first, last in was)
            return odd and difference.values[1] == (end - start) // 10**6
    return False


def _in_another_unit(difference: Difference) -> bool:
    """Seconds, milliseconds or microseconds of 2010 to 2099, as nanoseconds."""
    raw, translated = difference.values
    if difference.path[-1] in {"start_ns", "end_ns", "timestamp"}:
        return translated in (raw * 10**3, raw * 10**6, raw * 10**9) and 2010 <= 1970 + translated / 31_556_952e9 < 2100
    spans = difference.raw["spans"].values()
    if difference.path not in {("info", "request_time_ms"), ("info", "duration_ms")} or any(span["end_ns"] > 10**17 for span in spans):
        return False
    spans = difference.translated["spans"].values()
    start, end = min(span["start_ns"] for span in spans), max(span["end_ns"] for span in spans)
    return translated == (start if difference.path[-1] == "request_time_ms" else end - start) // 10**6


def _stored(difference: Difference) -> bool:
    if difference.path != ("trace",) or not isinstance(difference.raw, str) or not isinstance(difference.translated, dict):
        return False
    return difference.translated["info"]["state"] in {"OK", "ERROR"} and bool(difference.translated["spans"])


def _close(found: object, wanted: dict | None) -> bool:
    if not isinstance(found, dict) or not wanted or found.keys() != wanted.keys():
        return False
    return all(math.isclose(found[key], wanted[key], rel_tol=1e-9, abs_tol=1e-12) for key in wanted)


def _assessed(difference: Difference) -> bool:
    if difference.path != ("info", "assessments") or difference.values[0] != []:
        return False
    stored = next(each for each, original in difference.sent.original_ids.items() if original == difference.trace_id)
    wanted = assessments.expected((span for _, span in difference.sent_spans), stored)
    return assessments.comparable(difference.values[1]) == wanted


def _zero_id(difference: Difference) -> bool:
    zeros = isinstance(difference.raw, dict) and any(set(span_id) == {"0"} for span_id in difference.raw["spans"])
    return difference.path == ("trace",) and zeros and difference.translated == "absent" and difference.trace_id in difference.reported


def _same_json(found: object, wanted: object) -> bool:
    """Equal as JSON values, whichever of the two is still text."""
    return found == wanted or _loaded(found) == _loaded(wanted)


def _loaded(value: object) -> object:
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


RULES = (
    *span_rules.RULES,
    Rule("type", "MLflow has no type for PROMPT, for kinds it does not know and for spans without one", _typed),
    Rule("searchable type", "MLflow leaves the column that `span.type = …` searches empty (issue 24237)", _searchable),
    Rule("token counts", "MLflow drops whole numbers sent as doubles, reads `true` as one token, and no raw answers", _counted),
    Rule("tool error", "MLflow shows a result that reports an error like any other", _tool_error),
    Rule("token totals", "the trace's total follows the counts of its spans", _summed_counts),
    Rule("duplicates", "MLflow counts a span twice that is twice in one request", _counted_once),
    Rule("latest version", "of two versions of a span the one that ends later counts, in any order", _latest_version),
    Rule("cost", "MLflow does not read the cost that the producer knows", _priced),
    Rule("cost of a cache", "MLflow does not read the cached tokens that only the raw answer has", _priced_with_cache),
    Rule("cost totals", "the trace's cost follows the costs of its spans", _summed_cost),
    Rule("bytes", "MLflow shows bytes as Python would print them", _bytes),
    Rule("reranker's model", "MLflow does not look for the model of a reranker", _model),
    Rule("decision's model", "MLflow does not look for the model of a decision, and so has no price for it", _decided),
    Rule("trace name", "MLflow names no trace that came over OTLP", _named),
    Rule("tags", "MLflow makes no trace tags of `tag.tags` and `metadata`", _tagged),
    Rule("resources", "MLflow reads the first resource of a trace alone", _every_resource),
    Rule("tag attributes", "trace tags travel as attributes of the root", _tag_attribute),
    Rule("previews", "MLflow has previews of the last root alone, and none below an HTTP handler", _previewed),
    Rule("rebuilt previews", "previews follow the inputs and outputs of the root", _previews_of_rebuilt_values),
    Rule("readable previews", "MLflow shows answers of Anthropic, LangGraph and others as raw JSON, and texts in quotes", _readable),
    Rule("trace info", "MLflow marks a trace whose info was sent", _finalized),
    Rule("closed", "MLflow leaves a trace without a root in progress for ever", _closed),
    Rule("not finite", "NaN and infinities make a trace unreadable in MLflow's UI", _finite),
    Rule("times", "an unknown time or an end before the start makes a duration of years, or a negative one", _timed),
    Rule("several roots", "MLflow takes the state of the root that a request has first", _of_earliest_root),
    Rule("own parent", "a span that is its own parent leaves its trace in progress for ever", _own_parent),
    Rule("session", "MLflow takes session and user of the span that comes first, not of the outermost", _of_outermost),
    Rule("long user", "the column for users holds 8,000 characters, and databases refuse more", _long_user),
    Rule("feedback", "MLflow leaves feedback among a span's attributes", _assessed),
    Rule("zero id", "OTLP calls an id of zeros invalid: two such spans would be one in MLflow", _zero_id),
    Rule("stored", "MLflow refuses the whole request for one bad value, or stores what it cannot return", _stored),
)
