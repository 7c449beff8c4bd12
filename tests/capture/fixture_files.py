"""Writing `fixtures/otlp/`: payload files and `manifest.json`, which says for each where it came from.

What a captured payload says about itself (instrumentation scopes and SDK, with their versions) is read out of it with
`describe`; what it cannot say (scenario, interpreter, day of capture, the rule it was built for) its writer adds.
"""

import datetime
import json
import os
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

FOLDER = Path(__file__).resolve().parents[1] / "fixtures/otlp"
MANIFEST = FOLDER / "manifest.json"


def write(entries: dict[str, tuple[bytes, dict]]) -> None:
    """Write payloads by file name, each with what its writer knows about it, and bring the manifest up to date.

    Entries of files that are gone leave the manifest.
    """
    manifest = json.loads(MANIFEST.read_text()) if MANIFEST.exists() else {}
    for name, (body, known) in entries.items():
        (FOLDER / name).write_bytes(body)
        manifest[name] = known
    present = {path.name for path in FOLDER.iterdir()}
    kept = {name: manifest[name] for name in sorted(manifest) if name in present}
    MANIFEST.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def describe(body: bytes) -> dict:
    """What a protobuf payload says of its makers: `{"scopes": ["name version"], "sdk": ["language version"]}`."""
    message = ExportTraceServiceRequest.FromString(body)
    scopes: set[str] = set()
    sdks: set[str] = set()
    for resource_spans in message.resource_spans:
        resource = {each.key: each.value.string_value for each in resource_spans.resource.attributes}
        sdks.add(f"{resource.get('telemetry.sdk.language', '')} {resource.get('telemetry.sdk.version', '')}".strip())
        for scope_spans in resource_spans.scope_spans:
            scopes.add(f"{scope_spans.scope.name} {scope_spans.scope.version}".strip())
    return {"scopes": sorted(scopes - {""}), "sdk": sorted(sdks - {""})}


def today() -> str:
    """The day of capture: `SOURCE_DATE_EPOCH` (https://reproducible-builds.org/specs/source-date-epoch/) or now."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.datetime.fromtimestamp(int(epoch), datetime.UTC) if epoch else datetime.datetime.now(datetime.UTC)
    return moment.date().isoformat()
