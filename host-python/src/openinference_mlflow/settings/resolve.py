"""One complete set of settings from options, environment and MLflow's client.

Precedence: an option of `autolog()`, then MLflow's client if set in code, then the environment, then the default.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan

from openinference_mlflow.settings import mlflow_client
from openinference_mlflow.settings.check import checked
from openinference_mlflow.settings.databricks import find_workspace, is_databricks
from openinference_mlflow.settings.environment import Complain, read_boolean, read_count, read_text
from openinference_mlflow.settings.hide import Mask, compose_masks, read_hide_settings
from openinference_mlflow.settings.tracking_uri import TrackingUri, parse_tracking_uri

Filter = Callable[[ReadableSpan], bool]

MAX_QUEUE_BYTES = 256 * 1024 * 1024
FLUSH_SECONDS = 10.0


@dataclass(frozen=True)
class Options:
    """The options of `autolog()`; `None` leaves one to MLflow's client, the environment or the default."""

    batch: bool | None = None
    disable: bool = False
    silent: bool = False
    log_traces: bool = True
    tracking_uri: str | None = None
    experiment: str | None = None
    experiment_id: str | None = None
    run_id: str | None = None
    workspace: str | None = None
    trace_location: str | None = None
    filter: Filter | None = None
    mask: Mask | None = None
    openinference_only: bool | None = None
    attachments: bool | None = None
    attachment_max_bytes: int | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    flush_on_exit: bool | None = None
    flush_on_signals: bool | None = None
    flush_timeout: float | None = None
    max_queue_bytes: int | None = None
    max_queue_spans: int | None = None


class Target(NamedTuple):
    """The trace destination of one span."""

    experiment_id: str | None
    experiment_name: str | None
    run_id: str | None
    workspace: str | None


@dataclass(frozen=True)
class DeliverySettings:
    """What one delivery is made from; it lives as long as these do not change."""

    tracking_uri: str
    is_default_uri: bool
    # In Unity Catalog, if the server is a Databricks workspace.
    trace_location: str | None
    batch: bool
    openinference_only: bool
    attachments: bool
    attachment_max_bytes: int | None
    max_queue_bytes: int
    max_queue_spans: int | None
    settle_millis: int | None
    batch_spans: int | None
    timeout_millis: int | None
    insecure_tls: bool
    server_cert_path: str | None
    client_cert_path: str | None
    headers: tuple[tuple[str, str], ...] = field(repr=False)


@dataclass(frozen=True)
class Settings:
    """Everything that holds from now on."""

    is_enabled: bool
    silent: bool
    delivery: DeliverySettings
    target: Target
    # Whether `mlflow.set_experiment()` in code decides: no option names an experiment.
    follows_mlflow: bool
    filter: Filter | None
    mask: Mask | None
    flush_on_exit: bool
    flush_on_signals: bool
    flush_millis: int


def resolve(options: Options, complain: Complain) -> Settings:
    """Settings from these options and the environment as it is now. Wrong values are named and ignored."""
    is_disabled = options.disable or any(
        read_boolean(name, complain) for name in ("OPENINFERENCE_MLFLOW_DISABLED", "OTEL_SDK_DISABLED")
    )
    uri_text = (
        options.tracking_uri or mlflow_client.tracking_uri_set_in_code() or read_text("MLFLOW_TRACKING_URI") or ""
    )
    server = _server(options, uri_text.strip(), complain)
    batch = options.batch
    if batch is None:
        batch = read_boolean("MLFLOW_ENABLE_ASYNC_TRACE_LOGGING", complain)
    if batch is None:
        # Lambda freezes the process when the handler returns: a background thread would not run on.
        batch = "AWS_LAMBDA_FUNCTION_NAME" not in os.environ
    attachments = options.attachments
    if attachments is None:
        attachments = read_boolean("MLFLOW_TRACE_EXTRACT_ATTACHMENTS", complain)
    insecure = read_boolean("MLFLOW_TRACKING_INSECURE_TLS", complain) or False
    server_cert = read_text("MLFLOW_TRACKING_SERVER_CERT_PATH")
    if insecure and server_cert:
        complain(
            "MLFLOW_TRACKING_INSECURE_TLS is ignored because MLFLOW_TRACKING_SERVER_CERT_PATH is set: "
            "the server's certificate is verified"
        )
    delivery = DeliverySettings(
        tracking_uri=server.address if server else "",
        is_default_uri=not uri_text,
        trace_location=server.trace_location if server else None,
        headers=tuple((server.credentials | dict(options.headers or {})).items()) if server else (),
        batch=batch,
        openinference_only=options.openinference_only is True,
        attachments=attachments is not False,
        attachment_max_bytes=options.attachment_max_bytes or read_count("MLFLOW_TRACE_MAX_ATTACHMENT_SIZE", complain),
        max_queue_bytes=options.max_queue_bytes or MAX_QUEUE_BYTES,
        max_queue_spans=options.max_queue_spans or read_count("OTEL_BSP_MAX_QUEUE_SIZE", complain),
        settle_millis=read_count("OTEL_BSP_SCHEDULE_DELAY", complain),
        batch_spans=read_count("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", complain),
        timeout_millis=read_count("OTEL_BSP_EXPORT_TIMEOUT", complain),
        insecure_tls=insecure and not server_cert,
        server_cert_path=server_cert,
        client_cert_path=read_text("MLFLOW_TRACKING_CLIENT_CERT_PATH"),
    )
    return Settings(
        is_enabled=not is_disabled and options.log_traces and server is not None,
        silent=options.silent,
        delivery=delivery,
        target=_target(options, complain),
        follows_mlflow=options.experiment is None and options.experiment_id is None,
        filter=options.filter,
        mask=compose_masks(read_hide_settings(complain), options.mask),
        flush_on_exit=options.flush_on_exit is not False,
        flush_on_signals=options.flush_on_signals is True,
        flush_millis=int((options.flush_timeout or FLUSH_SECONDS) * 1000),
    )


class _Server(NamedTuple):
    """`credentials` are headers; a header that the application gives wins over them."""

    address: str
    credentials: dict[str, str]
    trace_location: str | None = None


def _server(options: Options, uri_text: str, complain: Complain) -> _Server | None:
    """Returns `None` if nothing can be sent, and says why."""
    if is_databricks(uri_text):
        workspace = find_workspace(uri_text, options.token, options.trace_location, complain)
        uri = parse_tracking_uri(workspace.host, complain) if workspace else None
        if workspace is None or uri is None:
            return None
        return _Server(uri.address, {"authorization": f"Bearer {workspace.token}"}, workspace.trace_location)
    uri = parse_tracking_uri(uri_text, complain)
    return _Server(uri.address, _credentials(options, uri)) if uri else None


def _credentials(options: Options, uri: TrackingUri) -> dict[str, str]:
    username = options.username or read_text("MLFLOW_TRACKING_USERNAME") or uri.username
    password = options.password or read_text("MLFLOW_TRACKING_PASSWORD") or uri.password
    token = options.token or read_text("MLFLOW_TRACKING_TOKEN")
    if username and password:
        encoded = base64.b64encode(f"{username}:{password}".encode()).decode()
        return {"authorization": f"Basic {encoded}"}
    return {"authorization": f"Bearer {token}"} if token else {}


def _target(options: Options, complain: Complain) -> Target:
    # A name that the caller gives wins over an id from the environment.
    experiment_id = options.experiment_id or (None if options.experiment else read_text("MLFLOW_EXPERIMENT_ID"))
    if experiment_id and not (experiment_id.isascii() and experiment_id.isdigit()):
        complain("the experiment id is ignored: MLflow numbers experiments; use the option `experiment` for a name")
        experiment_id = None
    return Target(
        experiment_id=experiment_id,
        experiment_name=options.experiment or read_text("MLFLOW_EXPERIMENT_NAME"),
        run_id=options.run_id or read_text("MLFLOW_RUN_ID"),
        workspace=options.workspace or read_text("MLFLOW_WORKSPACE"),
    )


def changed(options: Options, given: Mapping[str, Any], complain: Complain) -> Options:
    """These options with the given ones in place of the earlier ones. Bad ones are named and left out."""
    defaults = Options()
    usable = checked(given, complain)
    return replace(
        options, **{name: getattr(defaults, name) if value is None else value for name, value in usable.items()}
    )
