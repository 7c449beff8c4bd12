"""What a child process may see of the machine it runs on.

Guarantees that no child reaches past loopback because of an inherited proxy, reports telemetry, or is configured by
an `MLFLOW_*`, `DATABRICKS_*`, `OTEL_*`, `OPENAI_*` or `OPENINFERENCE_*` variable that happens to be set in the shell.
"""

import os

_INHERITED_SETTINGS = ("MLFLOW_", "DATABRICKS_", "OTEL_", "OPENAI_", "OPENINFERENCE_", "PHOENIX_", "RUST_")
# Settings of the tests themselves, see README.md.
_FOR_THE_TESTS = ("OPENINFERENCE_MLFLOW_BINARY", "OPENINFERENCE_MLFLOW_FAULT_INJECTOR")
_PROXIES = {"http_proxy", "https_proxy", "all_proxy", "ftp_proxy"}

# Both words switch MLflow's telemetry off; the second is the cross-tool convention (https://consoledonottrack.com).
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "NO_PROXY": "*",
    "no_proxy": "*",
    "PYTHONUNBUFFERED": "1",
}


def clean_environment(**settings: str) -> dict[str, str]:
    """The parent's environment without what would steer a server, plus `settings`."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(_INHERITED_SETTINGS) and key.lower() not in _PROXIES
    }
    return kept | QUIET | settings


def clean_this_process() -> None:
    """The same for the test process itself. Call before `mlflow` or `openai` is imported."""
    environment = clean_environment(**{key: os.environ[key] for key in _FOR_THE_TESTS if key in os.environ})
    os.environ.clear()
    os.environ.update(environment)
    # A test wants the first answer of a server it started, not seven patient repetitions.
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "1"
    os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = "30"
