"""What a user of MLflow sees of a trace, as plain JSON values that compare.

Guarantees that two copies of one payload, stored under different trace ids in different experiments of one server,
give equal observations when MLflow shows the same: trace ids are written back to those of the fixture, and what names
the place of storage is left out. Nothing else is.
"""

import json
import math

from mlflow.entities import Link, Trace
from mlflow.entities.span import Span

# Where a trace is kept, not what it says.
_STORAGE_TAGS = {"mlflow.artifactLocation", "mlflow.trace.spansLocation"}
_READ_METADATA = {
    "mlflow.trace.tokenUsage": "token_usage",
    "mlflow.trace.cost": "cost",
    "mlflow.trace.session": "session",
    "mlflow.trace.user": "user",
}
_JSON_METADATA = {"token_usage", "cost"}


def observe(trace: Trace, original_ids: dict[str, str]) -> dict:
    """One trace: `info` and `spans` by span id. `original_ids` maps stored trace ids to those of the fixture."""
    seen = {"info": _info(trace), "spans": {span.span_id: _span(span) for span in trace.data.spans}}
    return json_value(seen, original_ids)


def json_value(value: object, original_ids: dict[str, str]) -> object:
    """`value` as JSON could hold it, with trace ids written back. NaN becomes a word, so that it equals itself."""
    match value:
        case dict():
            return {str(key): json_value(item, original_ids) for key, item in value.items()}
        case list() | tuple():
            return [json_value(item, original_ids) for item in value]
        case float() if not math.isfinite(value):
            return f"not finite: {value}"
        case str():
            for stored, original in original_ids.items():
                value = value.replace(stored, original)
            return value
    return value


def _info(trace: Trace) -> dict:
    info = trace.info
    metadata = dict(info.trace_metadata)
    read = {}
    for key, name in _READ_METADATA.items():
        found = metadata.pop(key, None)
        read[name] = json.loads(found) if found and name in _JSON_METADATA else found
    return read | {
        "state": str(info.state),
        "request_time_ms": info.request_time,
        "duration_ms": info.execution_duration,
        "request_preview": info.request_preview,
        "response_preview": info.response_preview,
        "client_request_id": info.client_request_id,
        "tags": {key: value for key, value in info.tags.items() if key not in _STORAGE_TAGS},
        "metadata": metadata,
        "assessments": [each.to_dictionary() for each in info.assessments],
    }


def _span(span: Span) -> dict:
    return {
        "name": span.name,
        "type": span.span_type,
        "parent_id": span.parent_id,
        "start_ns": span.start_time_ns,
        "end_ns": span.end_time_ns,
        "status": str(span.status.status_code.value),
        "status_message": span.status.description,
        "inputs": span.inputs,
        "outputs": span.outputs,
        "attributes": span.attributes,
        "events": [
            {"name": event.name, "timestamp_ns": event.timestamp, "attributes": dict(event.attributes or {})}
            for event in span.events
        ],
        "links": [_link(link) for link in span.links],
    }


def _link(link: Link) -> dict:
    return {"trace_id": link.trace_id, "span_id": link.span_id, "attributes": dict(link.attributes or {})}
