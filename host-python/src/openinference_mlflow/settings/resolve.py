"""One complete set of settings from options, environment and MLflow's client.

Precedence: an option of `autolog()`, then MLflow's client if set in code, then the environment, then the default.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan

from openinference_mlflow.settings import mlflow_client
from openinference_mlflow.settings.environment import Complain, read_boolean, read_count, read_text
from openinference_mlflow.settings.hide import Mask, compose_masks, read_hide_settings
from openinference_mlflow.settings.tracking_uri import parse_tracking_uri

Filter = Callable[[ReadableSpan], bool]

MAX_QUEUE_BYTES = 256 * 1024 * 1024


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
    filter: Filter | None = None
    mask: Mask | None = None
    openinference_only: bool = False
    attachments: bool | None = None
    flush_on_signals: bool = False


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
    batch: bool
    openinference_only: bool
    attachments: bool
    attachment_max_bytes: int | None
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
    flush_on_signals: bool


def resolve(options: Options, complain: Complain) -> Settings:
    """Settings from these options and the environment as it is now. Wrong values are named and ignored."""
    uri_text = (
        options.tracking_uri or mlflow_client.tracking_uri_set_in_code() or read_text("MLFLOW_TRACKING_URI") or ""
    )
    uri = parse_tracking_uri(uri_text.strip(), complain)
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
        tracking_uri=uri.address if uri else "",
        is_default_uri=not uri_text,
        headers=_credentials(uri.username if uri else "", uri.password if uri else ""),
        batch=batch,
        openinference_only=options.openinference_only,
        attachments=attachments is not False,
        attachment_max_bytes=read_count("MLFLOW_TRACE_MAX_ATTACHMENT_SIZE", complain),
        max_queue_spans=read_count("OTEL_BSP_MAX_QUEUE_SIZE", complain),
        settle_millis=read_count("OTEL_BSP_SCHEDULE_DELAY", complain),
        batch_spans=read_count("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", complain),
        timeout_millis=read_count("OTEL_BSP_EXPORT_TIMEOUT", complain),
        insecure_tls=insecure and not server_cert,
        server_cert_path=server_cert,
        client_cert_path=read_text("MLFLOW_TRACKING_CLIENT_CERT_PATH"),
    )
    return Settings(
        is_enabled=not options.disable and options.log_traces and uri is not None,
        silent=options.silent,
        delivery=delivery,
        target=_target(options, complain),
        follows_mlflow=options.experiment is None and options.experiment_id is None,
        filter=options.filter,
        mask=compose_masks(read_hide_settings(complain), options.mask),
        flush_on_signals=options.flush_on_signals,
    )


def _credentials(username: str, password: str) -> tuple[tuple[str, str], ...]:
    username = read_text("MLFLOW_TRACKING_USERNAME") or username
    password = read_text("MLFLOW_TRACKING_PASSWORD") or password
    if username and password:
        encoded = base64.b64encode(f"{username}:{password}".encode()).decode()
        return (("authorization", f"Basic {encoded}"),)
    token = read_text("MLFLOW_TRACKING_TOKEN")
    return (("authorization", f"Bearer {token}"),) if token else ()


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


def changed(options: Options, given: dict[str, Any]) -> Options:
    """These options with the given ones in place of the earlier ones."""
    names = {each.name for each in fields(Options)}
    kept = {name: getattr(options, name) for name in names}
    return Options(**(kept | {name: value for name, value in given.items() if name in names}))
