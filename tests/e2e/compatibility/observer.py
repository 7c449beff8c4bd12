"""What the MLflow client of this interpreter's version shows of an experiment's traces, as JSON on standard output.

Run by the Python of each MLflow version, so it imports nothing of these tests:
`python observer.py TRACKING_URI EXPERIMENT`.
"""

import json
import sys

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException


def main(tracking_uri: str, experiment: str) -> None:
    client = MlflowClient(tracking_uri=tracking_uri)
    experiment_id = client.get_experiment_by_name(experiment).experiment_id
    traces, token = {}, None
    while True:
        page = client.search_traces(
            locations=[experiment_id], max_results=100, page_token=token, include_spans=False
        )
        for trace in page:
            trace_id = trace.info.trace_id
            try:
                traces[trace_id.removeprefix("tr-")] = _trace(client.get_trace(trace_id))
            except MlflowException as error:
                print(f"MLflow cannot read {trace_id}: {error}", file=sys.stderr)
        token = page.token
        if not token:
            break
    json.dump(traces, sys.stdout)


def _trace(trace) -> dict:
    info = trace.info
    metadata = info.trace_metadata
    spans = {span.span_id: span for span in trace.data.spans}

    def of_spans(read) -> dict:
        return {span_id: value for span_id, span in spans.items() if (value := _plain(read(span))) not in (None, {}, [])}

    return {
        "spans": of_spans(lambda span: [span.name, span.parent_id, span.start_time_ns, span.end_time_ns]),
        "types": of_spans(lambda span: span.span_type),
        "inputs and outputs": of_spans(lambda span: [span.inputs, span.outputs]),
        "messages and tools": of_spans(
            lambda span: [span.attributes.get(key) for key in ("mlflow.chat.messages", "mlflow.chat.tools")]
        ),
        "model": of_spans(lambda span: span.attributes.get("mlflow.llm.model")),
        "token usage of spans": of_spans(lambda span: span.attributes.get("mlflow.chat.tokenUsage")),
        "status and events": of_spans(
            lambda span: [str(span.status.status_code.value), span.status.description, [e.name for e in span.events]]
        ),
        "state": str(info.state.value),
        "token usage": _parsed(metadata.get("mlflow.trace.tokenUsage")),
        "cost": _parsed(metadata.get("mlflow.trace.cost")),
        "session and user": [metadata.get("mlflow.trace.session"), metadata.get("mlflow.trace.user")],
        # Their texts depend on how busy the server was: the gateway drops optional requests.
        "previews": [bool(info.request_preview), bool(info.response_preview)],
        "name and tags": {key: value for key, value in info.tags.items() if not _is_about_storage(key)},
        "assessments": sorted(
            [each.name, _plain(each.value if hasattr(each, "value") else None), str(each.source.source_type)]
            for each in info.assessments
        ),
    }


def _is_about_storage(tag: str) -> bool:
    return tag in ("mlflow.artifactLocation", "mlflow.trace.spansLocation")


def _parsed(text: str | None) -> object:
    return json.loads(text) if text else None


def _plain(value: object) -> object:
    return json.loads(json.dumps(value, default=str, sort_keys=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
