"""The functions that `openinference_mlflow` exports."""

from __future__ import annotations

from collections.abc import Mapping

from openinference_mlflow.delivery.experiments import experiment_url
from openinference_mlflow.pipeline import add_stats
from openinference_mlflow.settings.hide import Mask
from openinference_mlflow.settings.resolve import Filter
from openinference_mlflow.state import shared


def autolog(
    batch: bool | None = None,
    disable: bool = False,
    silent: bool = False,
    log_traces: bool = True,
    tracking_uri: str | None = None,
    experiment: str | None = None,
    experiment_id: str | None = None,
    run_id: str | None = None,
    workspace: str | None = None,
    filter: Filter | None = None,
    mask: Mask | None = None,
    openinference_only: bool | None = None,
    attachments: bool | None = None,
    *,
    trace_location: str | None = None,
    attachment_max_bytes: int | None = None,
    username: str | None = None,
    password: str | None = None,
    token: str | None = None,
    headers: Mapping[str, str] | None = None,
    flush_on_exit: bool | None = None,
    flush_on_signals: bool | None = None,
    flush_timeout: float | None = None,
    max_queue_bytes: int | None = None,
    max_queue_spans: int | None = None,
) -> None:
    """Sends every OpenInference span of this process to MLflow, from now on.

    Call it once, before or after instrumentors and tracer providers. It leaves OpenTelemetry's global provider to the
    application. Calling it again changes the options that are given and keeps the others; `disable=True` stops, and a
    later call resumes.

    An option wins over what the application set with `mlflow`, which wins over the environment. `autolog` reads the
    environment when you call it. It never raises: an option that cannot be used is named, and its default holds.

    Args:
        batch: `False` delivers each trace before the call that ends its root returns. Default:
            `MLFLOW_ENABLE_ASYNC_TRACE_LOGGING`, else `True` (`False` on AWS Lambda).
        disable: Stops at once. Default: `OPENINFERENCE_MLFLOW_DISABLED`, `OTEL_SDK_DISABLED`, else `False`.
        silent: Prints nothing.
        log_traces: `False` collects nothing.
        tracking_uri: The MLflow server, or `databricks`. Default: `mlflow.set_tracking_uri()`, `MLFLOW_TRACKING_URI`,
            else `http://127.0.0.1:5000`.
        experiment: The experiment's name; created when missing. Default: `mlflow.set_experiment()`,
            `MLFLOW_EXPERIMENT_NAME`, the resource's `openinference.project.name`, else experiment 0.
        experiment_id: The experiment's id; wins over the name. Default: `MLFLOW_EXPERIMENT_ID`.
        run_id: Links the traces to this run. Default: `MLFLOW_RUN_ID`.
        workspace: MLflow's workspace. Default: `MLFLOW_WORKSPACE`.
        filter: Which finished spans to send; runs on the background thread. Default: all.
        mask: `(value, key) -> value` for attributes of spans, events and links, and for `status.message`; `None`
            removes the attribute. Runs on the background thread; a span whose mask raises is dropped and counted. What
            `OPENINFERENCE_HIDE_…` hides is hidden before. Default: none.
        openinference_only: Sends OpenInference spans alone, each below its nearest OpenInference ancestor. Default:
            `False`.
        attachments: Sends base64 media as attachments where the server takes them. Default:
            `MLFLOW_TRACE_EXTRACT_ATTACHMENTS`, else `True`.
        trace_location: Where in Unity Catalog a Databricks workspace keeps the traces, as `catalog.schema.prefix` or
            `catalog.schema`. Default: `MLFLOW_TRACING_DESTINATION`.
        attachment_max_bytes: Larger media stays in the spans. Default: `MLFLOW_TRACE_MAX_ATTACHMENT_SIZE`, else 64 MiB.
        username, password: Basic authentication. Default: `MLFLOW_TRACKING_USERNAME`, `MLFLOW_TRACKING_PASSWORD`, else
            what the tracking URI has.
        token: Bearer authentication. Default: `MLFLOW_TRACKING_TOKEN`; of a Databricks workspace `DATABRICKS_TOKEN`.
        headers: Headers that every request carries. Default: none.
        flush_on_exit: Sends the remaining spans when the process ends. Default: `True`.
        flush_on_signals: SIGTERM, if nobody handles it, ends the process as `sys.exit()` does: everything is sent.
            Default: `False`.
        flush_timeout: A flush gives up after so many seconds without progress. Default: 10; at exit at most 5.
        max_queue_bytes: Spans beyond it are dropped, counted and reported. Default: 256 MiB.
        max_queue_spans: Likewise. Default: `OTEL_BSP_MAX_QUEUE_SIZE`, else no limit but `max_queue_bytes`.
    """
    shared().autolog(dict(locals()))


def flush(timeout: float | None = None) -> bool:
    """Sends everything that ended so far. Returns whether MLflow has it.

    Gives up after 10 seconds without progress, 2 when the server cannot be reached, and after `timeout` seconds.
    """
    return shared().flush(None if timeout is None else int(timeout * 1000))


def shutdown() -> None:
    """`flush()`, then `autolog(disable=True)`."""
    flush()
    shared().autolog({"disable": True})


def stats() -> dict[str, int]:
    """Spans of this process: `received` = `delivered` + `dropped` + `filtered` + `quarantined` + `pending`.

    MLflow has `delivered` ones. `dropped` ones are lost, for a reason that was printed. `filter` or
    `openinference_only` left out `filtered` ones. MLflow refused `quarantined` ones. `pending` ones wait and take
    `pending_bytes` of memory, about 256 MiB at most.
    """
    return add_stats(pipeline.stats() for pipeline in shared().pipelines)


def set_tracking_uri(uri: str) -> None:
    """The server of spans that end from now on, before or after `autolog()`."""
    shared().change(tracking_uri=uri)


def set_experiment(experiment: str | None = None, *, experiment_id: str | None = None) -> None:
    """The experiment of spans that end from now on, before or after `autolog()`."""
    shared().change(experiment=experiment, experiment_id=experiment_id)


def last_trace_id() -> str | None:
    """MLflow's id (`tr-…`) of the trace whose root ended last in this process."""
    last = shared().pipeline.last_trace_id
    return None if last is None else f"tr-{last:032x}"


def get_trace_url(trace_id: str | int | None = None) -> str | None:
    """The page of a trace in MLflow's UI. `trace_id`: MLflow's `tr-…`, hexadecimal digits, or OpenTelemetry's number.
    Default: the last trace.

    `None` while there is no trace or, if the experiment has only a name, before the first delivery.
    """
    pipeline = shared().pipeline
    experiment, given = pipeline.experiment_id(), trace_id or last_trace_id()
    if pipeline.settings is None or experiment is None or given is None:
        return None
    traces = experiment_url(pipeline.settings.delivery.tracking_uri, experiment)
    return f"{traces}?selectedEvaluationId={mlflow_trace_id(given)}"


def mlflow_trace_id(trace_id: str | int) -> str:
    """MLflow's id of a trace, however it is given."""
    if isinstance(trace_id, int):
        return f"tr-{trace_id:032x}"
    return f"tr-{trace_id.removeprefix('tr-').lower()}"


def log_feedback(
    trace_id: str | int | None,
    name: str,
    value: float | int | str | bool,
    rationale: str | None = None,
    *,
    source_type: str = "HUMAN",
    source_id: str | None = None,
    span_id: str | None = None,
) -> None:
    """Sends feedback on a trace, or on one of its spans, as an MLflow assessment. It follows the trace's own spans.

    `source_type` is MLflow's: `HUMAN`, `LLM_JUDGE` or `CODE`. Delivered in the background like spans; never raises.
    """
    from openinference_mlflow import feedback

    pipeline = shared().pipeline
    if trace_id is None:
        pipeline.report.warn("log_feedback() is ignored: trace_id is None; expected the id of a trace")
        return
    try:
        body = feedback.payload(mlflow_trace_id(trace_id), name, value, rationale, source_type, source_id, span_id)
    except Exception as error:
        pipeline.report.warn(f"log_feedback() is ignored: {type(error).__name__}: {error}")
        return
    pipeline.send_feedback(body)
