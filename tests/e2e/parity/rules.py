"""Where the bridge may differ from MLflow's own translation: each rule names an improvement and recognises it.

A rule does not excuse a place. It works out what the bridge should have stored there, so that a wrong value in the
right place stays unexplained.
"""

import ast
import base64
import json
import math

from e2e.parity import assessed, expected, previews, told
from e2e.parity.compare import ABSENT
from e2e.parity.pair import SEARCHED_TYPES
from e2e.parity.rule import Rule
from e2e.parity.sighting import Sighting

_USAGE, _COST = "mlflow.chat.tokenUsage", "mlflow.llm.cost"
_TOTALS = ("input_tokens", "output_tokens", "total_tokens")
_NO_ROOT = "openinference_mlflow.no_root"
_TRACE_TAG = "mlflow.traceTag."
_PREVIEWS = {("info", "request_preview"): ("inputs", "user"), ("info", "response_preview"): ("outputs", "assistant")}
# What MLflow keeps of a tag's value, and what the bridge sends of one.
_TAG_SHOWN, _TAG_SENT = 4096, 8000


def _typed(seen: Sighting) -> bool:
    if seen.attribute != "mlflow.spanType" and seen.field != "type":
        return False
    raw, bridged = seen.values
    return raw in (None, ABSENT) and bridged == expected.span_type(seen.span["attributes"])


def _searchable(seen: Sighting) -> bool:
    if seen.path != ("searchable_types",):
        return False
    types = {_type_on_arrival(seen, span_id) for span_id in seen.bridged["spans"]}
    return seen.values[1] == [each for each in SEARCHED_TYPES if each in types]


def _type_on_arrival(seen: Sighting, span_id: str) -> str | None:
    """What a span's type column holds: the server fills it from what arrives, before it translates anything."""
    span = seen.bridged["spans"][span_id]
    preset = seen.preset(span_id, "mlflow.spanType")
    if preset is not None or not expected.is_openinference(span):
        return preset
    return expected.span_type(span["attributes"])


def _counted(seen: Sighting) -> bool:
    if seen.attribute != _USAGE:
        return False
    wanted = expected.token_usage(seen.span["attributes"])
    return seen.values[1] == wanted if wanted else seen.values[1] in (ABSENT, None)


def _counts_differ(seen: Sighting) -> bool:
    return any(
        span["attributes"].get(_USAGE) != seen.raw["spans"].get(span_id, {}).get("attributes", {}).get(_USAGE)
        for span_id, span in seen.bridged["spans"].items()
    )


def _summed_counts(seen: Sighting) -> bool:
    if seen.path != ("info", "token_usage") or not _counts_differ(seen):
        return False
    return seen.values[1] == expected.tree_sum(seen.bridged, _USAGE, _TOTALS)


def _counted_once(seen: Sighting) -> bool:
    if seen.path != ("info", "token_usage") or not seen.repeated_spans:
        return False
    return seen.values[1] == expected.tree_sum(seen.bridged, _USAGE, _TOTALS)


def _latest_version(seen: Sighting) -> bool:
    if seen.path in _PREVIEWS and seen.repeated_spans:
        return _is_preview(seen)
    if seen.path[0] != "spans" or seen.path[1] not in seen.repeated_spans or not seen.span:
        return False
    ends = [span.end_time_unix_nano for _, span in seen.sent_spans if span.span_id.hex() == seen.path[1]]
    return seen.span["end_ns"] == max(ends)


def _priced(seen: Sighting) -> bool:
    wanted = expected.cost(seen.span["attributes"]) if seen.attribute == _COST else None
    return wanted is not None and _close(seen.values[1], wanted)


def _summed_cost(seen: Sighting) -> bool:
    if seen.path != ("info", "cost"):
        return False
    sent = any(expected.cost(span["attributes"]) for span in seen.bridged["spans"].values())
    return sent and _close(seen.values[1], expected.tree_sum(seen.bridged, _COST, ()))


def _bytes(seen: Sighting) -> bool:
    raw, bridged = seen.values
    if not isinstance(raw, str) or not raw.startswith(("b'", 'b"')) or not isinstance(bridged, str):
        return False
    return base64.b64decode(bridged, validate=True) == ast.literal_eval(raw)


def _model(seen: Sighting) -> bool:
    name = seen.span["attributes"].get("reranker.model_name") if seen.attribute == "mlflow.llm.model" else None
    return name is not None and seen.values == (ABSENT, name)


def _named(seen: Sighting) -> bool:
    if seen.tag != "mlflow.traceName":
        return False
    named = expected.headline(seen.bridged) or min(expected.roots(seen.bridged), key=lambda span: span["start_ns"])
    return seen.values == (ABSENT, named["name"])


def _tagged(seen: Sighting) -> bool:
    headline = expected.headline(seen.bridged) if seen.tag else None
    if headline is None or seen.values[0] is not ABSENT:
        return False
    wanted = expected.tags(headline["attributes"]).get(seen.tag)
    return wanted is not None and (_same_json(seen.values[1], wanted) or seen.values[1] == wanted[:_TAG_SHOWN])


def _every_resource(seen: Sighting) -> bool:
    resources = [resource_spans.resource for resource_spans, _ in seen.sent_spans]
    if not seen.tag or all(resource == resources[0] for resource in resources):
        return False
    attributes = [attribute for resource in resources for attribute in resource.attributes]
    return seen.values[1] in [each.value.string_value for each in attributes if each.key == seen.tag]


def _tag_attribute(seen: Sighting) -> bool:
    """The OTLP path's way to set a trace tag is an attribute of a root span."""
    if not (seen.attribute or "").startswith(_TRACE_TAG) or seen.span["parent_id"] is not None:
        return False
    tag = seen.attribute.removeprefix(_TRACE_TAG)
    raw, bridged = seen.values
    shown = seen.bridged["info"]["tags"].get(tag)
    cut = isinstance(bridged, str) and len(bridged) == _TAG_SENT and shown == bridged[:_TAG_SHOWN]
    return raw is ABSENT and (cut or _same_json(shown, bridged))


def _needs_trace_info(seen: Sighting) -> bool:
    """OTLP cannot carry it: there is no root, or several, or another span than the root speaks for the trace."""
    return len(expected.roots(seen.bridged)) != 1 or _has_foreign_root(seen)


def _has_foreign_root(seen: Sighting) -> bool:
    foreign = [root for root in expected.roots(seen.bridged) if not expected.is_openinference(root)]
    return bool(foreign) and expected.headline(seen.bridged) is not None


def _previewed(seen: Sighting) -> bool:
    """Below an HTTP handler, without a root, or with several: the previews of the span that speaks for the trace."""
    return seen.path in _PREVIEWS and _needs_trace_info(seen) and _is_preview(seen)


def _previewed_as_told(seen: Sighting) -> bool:
    """MLflow derives previews from what the root says, which is told better."""
    if seen.path not in _PREVIEWS or not seen.both_shown or _needs_trace_info(seen) or _has_readable_previews(seen):
        return False
    source, _ = _PREVIEWS[seen.path]
    (root,) = expected.roots(seen.bridged)
    span_id = next(each for each, span in seen.bridged["spans"].items() if span is root)
    return seen.raw["spans"][span_id][source] != root[source] and _is_preview(seen)


def _readable(seen: Sighting) -> bool:
    """Text, where MLflow shows raw JSON or objects as Python prints them."""
    is_single = seen.both_shown and not _needs_trace_info(seen)
    return is_single and seen.path in _PREVIEWS and _has_readable_previews(seen) and _is_preview(seen)


def _has_readable_previews(seen: Sighting) -> bool:
    found = previews.of_trace(seen.bridged) if seen.both_shown else None
    return found is not None and found.are_told


def _is_preview(seen: Sighting) -> bool:
    found = previews.of_trace(seen.bridged)
    source, _ = _PREVIEWS[seen.path]
    wanted = getattr(found, source) if found else None
    # MLflow shows JSON as it came, whatever the spaces in it.
    return wanted is not None and _same_json(seen.values[1], wanted)


def _of_earliest_root(seen: Sighting) -> bool:
    """Roots beside each other: the state is that of the earliest."""
    roots = expected.roots(seen.bridged) if seen.both_shown else []
    if len(roots) < 2 or seen.path != ("info", "state"):
        return False
    earliest = min(roots, key=lambda span: span["start_ns"])
    return seen.values[1] == ("ERROR" if earliest["status"] == "ERROR" else "OK")


def _own_parent(seen: Sighting) -> bool:
    if not seen.both_shown:
        return False
    own = [span_id for span_id, span in seen.raw["spans"].items() if span["parent_id"] == span_id]
    if not own:
        return False
    if seen.field == "parent_id":
        return seen.path[1] in own and seen.values[1] is None
    if seen.path in _PREVIEWS:
        return seen.values[0] is None and _is_preview(seen)
    return seen.path == ("info", "state") and seen.values == ("IN_PROGRESS", "OK")


def _of_outermost(seen: Sighting) -> bool:
    keys = {("info", "session"): "session.id", ("info", "user"): "user.id"}
    if seen.path not in keys:
        return False
    spans = seen.bridged["spans"]
    order = sorted(spans.values(), key=lambda span: (len(list(expected.ancestors(span, spans))), span["start_ns"]))
    named = [span["attributes"][keys[seen.path]] for span in order if keys[seen.path] in span["attributes"]]
    return seen.values[1] == named[0]


def _long_user(seen: Sighting) -> bool:
    raw, bridged = seen.values
    if seen.attribute != "user.id" or not isinstance(raw, str) or not isinstance(bridged, str):
        return False
    return len(raw) > len(bridged) == 8000 and raw[:7000] == bridged[:7000]


def _finalized(seen: Sighting) -> bool:
    return seen.path == ("info", "metadata", previews.FINALIZED) and seen.values[1] == "true" and (
        _needs_trace_info(seen) or _has_readable_previews(seen)
    )


def _closed(seen: Sighting) -> bool:
    if not seen.both_shown or expected.roots(seen.bridged):
        return False
    spans = seen.bridged["spans"]
    failed = any(span["status"] == "ERROR" and span["parent_id"] not in spans for span in spans.values())
    said = seen.tag == _NO_ROOT and seen.values[0] is ABSENT and bool(seen.values[1])
    return said or (seen.path == ("info", "state") and seen.values == ("IN_PROGRESS", "ERROR" if failed else "OK"))


def _finite(seen: Sighting) -> bool:
    raw, bridged = seen.values
    return "not finite" in repr(raw) and _same_json(bridged, _as_text(raw))


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


def _timed(seen: Sighting) -> bool:
    if not seen.both_shown:
        return False
    spans = seen.bridged["spans"].values()
    start, end = min(span["start_ns"] for span in spans), max(span["end_ns"] for span in spans)
    match seen.path:
        case ("spans", _, "start_ns"):
            return seen.values == (0, seen.span["end_ns"])
        case ("spans", _, "end_ns"):
            return seen.values[1] == seen.span["start_ns"] > (seen.values[0] or 0)
        case ("info", "request_time_ms"):
            return seen.values == (0, start // 10**6)
        case ("info", "duration_ms"):
            was = [(span["start_ns"], span["end_ns"] or 0) for span in seen.raw["spans"].values()]
            odd = any(not 0 < first <= last for first, last in was)
            return odd and seen.values[1] == (end - start) // 10**6
    return False


def _stored(seen: Sighting) -> bool:
    if seen.path != ("trace",) or not isinstance(seen.raw, str) or not isinstance(seen.bridged, dict):
        return False
    return seen.bridged["info"]["state"] in {"OK", "ERROR"} and bool(seen.bridged["spans"])


def _close(found: object, wanted: dict | None) -> bool:
    if not isinstance(found, dict) or not wanted or found.keys() != wanted.keys():
        return False
    return all(math.isclose(found[key], wanted[key], rel_tol=1e-9, abs_tol=1e-12) for key in wanted)


def _assessed(seen: Sighting) -> bool:
    if seen.path != ("info", "assessments") or seen.values[0] != []:
        return False
    stored = next(each for each, original in seen.sent.original_ids.items() if original == seen.trace_id)
    wanted = assessed.expected((span for _, span in seen.sent_spans), stored)
    return assessed.comparable(seen.values[1]) == wanted


def _zero_id(seen: Sighting) -> bool:
    zeros = isinstance(seen.raw, dict) and any(set(span_id) == {"0"} for span_id in seen.raw["spans"])
    return seen.path == ("trace",) and zeros and seen.bridged == "absent" and seen.trace_id in seen.reported


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
    *told.RULES,
    Rule("type", "MLflow has no type for PROMPT, for kinds it does not know and for spans without one", _typed),
    Rule("searchable type", "MLflow leaves the column that `span.type = …` searches empty (issue 24237)", _searchable),
    Rule("token counts", "MLflow drops whole numbers sent as doubles and reads `true` as one token", _counted),
    Rule("token totals", "the trace's total follows the counts of its spans", _summed_counts),
    Rule("duplicates", "MLflow counts a span twice that is twice in one request", _counted_once),
    Rule("latest version", "of two versions of a span the one that ends later counts, in any order", _latest_version),
    Rule("cost", "MLflow does not read the cost that the producer knows", _priced),
    Rule("cost totals", "the trace's cost follows the costs of its spans", _summed_cost),
    Rule("bytes", "MLflow shows bytes as Python would print them", _bytes),
    Rule("reranker's model", "MLflow does not look for the model of a reranker", _model),
    Rule("trace name", "MLflow names no trace that came over OTLP", _named),
    Rule("tags", "MLflow makes no trace tags of `tag.tags` and `metadata`", _tagged),
    Rule("resources", "MLflow reads the first resource of a trace alone", _every_resource),
    Rule("tag attributes", "trace tags travel as attributes of the root", _tag_attribute),
    Rule("previews", "MLflow has previews of the last root alone, and none below an HTTP handler", _previewed),
    Rule("told previews", "previews follow the inputs and outputs of the root", _previewed_as_told),
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
