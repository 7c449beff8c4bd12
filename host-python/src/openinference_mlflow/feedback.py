"""Feedback on a trace, as a payload that the core delivers as an MLflow assessment."""

from __future__ import annotations

import json
from datetime import datetime, timezone


def payload(
    trace_id: str,
    name: str,
    value: float | int | str | bool,
    rationale: str | None,
    source_type: str,
    source_id: str | None,
    span_id: str | None,
) -> bytes:
    """MLflow's trace JSON without spans: the assessment alone. `trace_id` is MLflow's."""
    time = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assessment = {
        "assessment_name": name,
        "trace_id": trace_id,
        "span_id": span_id,
        "source": {"source_type": source_type, "source_id": source_id or "default"},
        "create_time": time,
        "last_update_time": time,
        "feedback": {"value": value},
        "rationale": rationale,
        "valid": True,
    }
    present = {key: entry for key, entry in assessment.items() if entry is not None}
    return json.dumps({"info": {"trace_id": trace_id, "assessments": [present]}, "data": {"spans": []}}).encode()
