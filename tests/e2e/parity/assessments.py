"""Expected assessments, computed independently from the feedback that was sent."""

import json
import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

_WORDS = {"annotations": "annotation", "evaluations": "evaluation"}
_SCOPES = ("", "trace.", "session.")
_SOURCES = {"HUMAN": "HUMAN", "LLM": "LLM_JUDGE", "CODE": "CODE"}
# A link on one of these is no target: it is itself what is judged.
_JUDGED = {"LLM", "AGENT", "TOOL", "RETRIEVER", "EMBEDDING", "RERANKER", "DECISION", "PROMPT"}
_EVENT = "gen_ai.evaluation."
_VERSION = "openinference_mlflow.version"
_SESSION = "mlflow.trace.session"
_LONGEST = 250


def comparable(assessments: Iterable[dict]) -> list[dict]:
    """Assessments as MLflow shows them, in an order of their own, without what only names them: ids, versions."""
    found = []
    for each in assessments:
        metadata = {key: value for key, value in each.get("metadata", {}).items() if key != _VERSION}
        named = ("assessment_id", "trace_id", "last_update_time", "valid")
        found.append({key: value for key, value in each.items() if key not in named} | {"metadata": metadata})
    return sorted(found, key=lambda each: json.dumps(each, sort_keys=True))


def expected(spans: Iterable[Span], trace_id: str) -> list[dict]:
    """The assessments of a trace, given every span that was sent with it; of one identity the latest."""
    latest: dict[tuple, tuple[int, dict]] = {}
    spans = list(spans)
    for span in spans:
        for scope, time, fields in _given(span):
            found = _assessment(span, scope, time, fields)
            if found is None or _target(span, scope, spans)[0] != trace_id:
                continue
            identity = fields.get("identifier") or json.dumps(found, sort_keys=True)
            key = (scope, found.get("span_id"), found["assessment_name"], found["source"]["source_type"], identity)
            if key not in latest or latest[key][0] < time:
                latest[key] = (time, found)
    return comparable(found for _, found in latest.values())


def _given(span: Span) -> Iterator[tuple[str, int, dict]]:
    """Scope, time and fields of each result that a span carries."""
    for scope in _SCOPES:
        for family, word in _WORDS.items():
            items: dict[str, dict] = {}
            for attribute in span.attributes:
                prefix, _, rest = attribute.key.partition(f"{scope}{family}.")
                number, _, field = rest.partition(f".{word}.")
                if not prefix and number.isdigit():
                    items.setdefault(number, {})[field] = _value(attribute.value)
            yield from ((scope, span.end_time_unix_nano, fields) for fields in items.values())
    for event in span.events:
        if event.name == f"{_EVENT}result":
            values = {attribute.key: _value(attribute.value) for attribute in event.attributes}
            fields = {
                "name": values.pop(f"{_EVENT}name", None),
                "score": values.pop(f"{_EVENT}score.value", None),
                "label": values.pop(f"{_EVENT}score.label", None),
                "explanation": values.pop(f"{_EVENT}explanation", None),
            }
            yield "", event.time_unix_nano, fields | {"metadata": json.dumps(values)}


def _assessment(span: Span, scope: str, time: int, fields: dict) -> dict | None:
    score, label = _score(fields.get("score"), fields.get("label"))
    explanation, kind = fields.get("explanation"), fields.get("annotator_kind")
    results = [each for each in (score, label, explanation) if each is not None]
    if not results:
        return None
    value, *others = results
    source = _SOURCES.get((kind or "CODE").upper(), "CODE")
    notes = _metadata(fields.get("metadata"))
    if score is not None and label is not None:
        notes["openinference.label"] = label
    if fields.get("identifier"):
        notes["openinference.identifier"] = fields["identifier"]
    if kind and kind.upper() not in _SOURCES:
        notes["openinference.annotator_kind"] = kind
    if scope == "session.":
        notes[_SESSION] = _session(span)
    found = {
        "assessment_name": (fields.get("name") or "feedback")[:_LONGEST],
        "source": {"source_type": source, "source_id": (fields.get("identifier") or "default")[:_LONGEST]},
        "create_time": _rfc3339(time),
        # MLflow holds every number as a double.
        "feedback": {"value": float(value) if _is_number(value) else value},
        "metadata": notes,
    }
    if explanation is not None and others:
        found["rationale"] = explanation
    if scope == "":
        found["span_id"] = _target(span, scope, [])[1]
    return found


def _target(span: Span, scope: str, spans: list[Span]) -> tuple[str, str]:
    """Trace and span that feedback of this scope is about."""
    if scope == "session.":
        in_session = [each for each in spans if _session(each) == _session(span)]
        newest = max(in_session, key=lambda each: each.start_time_unix_nano, default=span)
        return newest.trace_id.hex(), ""
    kind = next((each.value.string_value for each in span.attributes if each.key == "openinference.span.kind"), "")
    named = span.links[0] if len(span.links) == 1 and kind not in _JUDGED else span
    return named.trace_id.hex(), named.span_id.hex()


def _session(span: Span) -> str | None:
    return next((each.value.string_value for each in span.attributes if each.key == "session.id"), None)


def _score(score: object, label: str | None) -> tuple[object, str | None]:
    """A number or a truth value; of a score that is neither, the label."""
    if isinstance(score, str):
        try:
            return float(score), label
        except ValueError:
            return None, label or score
    if isinstance(score, float) and not math.isfinite(score):
        return None, label or "NaN"
    return score, label


def _metadata(text: str | None) -> dict[str, str]:
    if not text:
        return {}
    try:
        values = json.loads(text)
    except ValueError:
        return {"metadata": text}
    return {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items() if value is not None
    }


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _rfc3339(nanoseconds: int) -> str:
    milliseconds = nanoseconds // 10**6
    text = datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00").removesuffix(".000") + "Z"


def _value(value: AnyValue) -> object:
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind else None
