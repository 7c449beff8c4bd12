"""The functions that `openinference_mlflow` exports."""

from __future__ import annotations

from typing import Any

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
    openinference_only: bool = False,
    attachments: bool | None = None,
    flush_on_signals: bool = False,
) -> None:
    """Sends every OpenInference span of this process to MLflow, from now on.

    Call it once, before or after instrumentors and tracer providers. It leaves OpenTelemetry's global provider to the
    application. Calling it again changes the options that are given and keeps the others; `disable=True` stops, and a
    later call resumes.

    An option wins over what the application set with `mlflow`, which wins over the environment. `autolog` reads the
    environment when you call it.

    Args:
        batch: `False` delivers each trace before the call that ends its root returns. Default:
            `MLFLOW_ENABLE_ASYNC_TRACE_LOGGING`, else `True` (`False` on AWS Lambda).
        disable: Stops at once.
        silent: Prints nothing.
        log_traces: `False` collects nothing.
        tracking_uri: The MLflow server. Default: `mlflow.set_tracking_uri()`, `MLFLOW_TRACKING_URI`, else
            `http://127.0.0.1:5000`. Credentials: in the URI, or `MLFLOW_TRACKING_USERNAME` with
            `MLFLOW_TRACKING_PASSWORD`, or `MLFLOW_TRACKING_TOKEN`.
        experiment: The experiment's name; created when missing. Default: `mlflow.set_experiment()`,
            `MLFLOW_EXPERIMENT_NAME`, the resource's `openinference.project.name`, else experiment 0.
        experiment_id: The experiment's id; wins over the name. Default: `MLFLOW_EXPERIMENT_ID`.
        run_id: Links the traces to this run. Default: `MLFLOW_RUN_ID`.
        workspace: MLflow's workspace. Default: `MLFLOW_WORKSPACE`.
        filter: Which finished spans to send; runs on the background thread. Default: all.
        mask: `(value, key) -> value` for attributes of spans, events and links, and for `status.message`; `None`
            removes the attribute. Runs on the background thread; a span whose mask raises is dropped and counted. What
            `OPENINFERENCE_HIDE_…` hides is hidden before. Default: none.
        openinference_only: Sends OpenInference spans alone, each below its nearest OpenInference ancestor.
        attachments: Sends base64 media as attachments where the server takes them. Default:
            `MLFLOW_TRACE_EXTRACT_ATTACHMENTS`, else `True`; at most `MLFLOW_TRACE_MAX_ATTACHMENT_SIZE` bytes each.
        flush_on_signals: SIGTERM, if nobody handles it, ends the process as `sys.exit()` does: everything is sent.
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
    """Spans `received`, `delivered`, `dropped`, `quarantined` (MLflow does not take them) and `pending`."""
    every = [pipeline.stats() for pipeline in shared().pipelines]
    return {name: sum(each[name] for each in every) for name in every[0]}


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


def get_trace_url(trace_id: str | int) -> str | None:
    """The page of a trace in MLflow's UI. `trace_id`: MLflow's `tr-…`, hexadecimal digits, or OpenTelemetry's number.

    `None` before the first delivery, which is when the experiment's id is known.
    """
    pipeline = shared().pipeline
    experiment = _experiment_of(pipeline)
    if pipeline.settings is None or experiment is None:
        return None
    uri = pipeline.settings.delivery.tracking_uri
    return f"{uri}/#/experiments/{experiment}/traces?traceId={mlflow_trace_id(trace_id)}"


def mlflow_trace_id(trace_id: str | int) -> str:
    """MLflow's id of a trace, however it is given."""
    if isinstance(trace_id, int):
        return f"tr-{trace_id:032x}"
    return f"tr-{trace_id.removeprefix('tr-').lower()}"


def _experiment_of(pipeline: Any) -> str | None:
    if pipeline.settings is not None and pipeline.settings.target.experiment_id:
        return str(pipeline.settings.target.experiment_id)
    experiments = pipeline.experiments()
    return max(experiments, key=int) if experiments else None


def log_feedback(
    trace_id: str | int,
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

    body = feedback.payload(mlflow_trace_id(trace_id), name, value, rationale, source_type, source_id, span_id)
    shared().pipeline.send(body)
