"""Captures `openinference-instrumentation-codex`: `py_codex_<scenario>.pb`.

It instruments no library: it reads what Codex's command line wrote down of its sessions, and makes a trace of each turn. So the
command line runs first, as a process of its own, with settings and a folder that are nobody's.
"""

from capture.python.recorder import record  # isort: skip

import os
import subprocess
import tempfile
from pathlib import Path

from codex_cli_bin import bundled_codex_path
from openinference.instrumentation.codex import CodexJsonlForwarder

from capture.python import prompts
from capture.python.model_api import ModelApi

_KEY = "MODEL_API_KEY"
_SETTINGS = """
model = "gpt-5.4"
model_provider = "mock"
check_for_update_on_startup = false

[analytics]
enabled = false

[model_providers.mock]
name = "mock"
base_url = "{uri}/v1"
env_key = "{key}"
request_max_retries = 0
stream_max_retries = 0
"""


def turn(api: ModelApi) -> None:
    """A turn in which the agent runs a command and answers."""
    with tempfile.TemporaryDirectory() as folder, api.answering("openai/response_command.sse", "openai/response_command_result.sse"):
        home, project = Path(folder, "home"), Path(folder, "project")
        home.mkdir()
        project.mkdir()
        (home / "config.toml").write_text(_SETTINGS.format(uri=api.uri, key=_KEY))
        (project / "weather.txt").write_text(f"Lisbon: {prompts.WEATHER}\n")
        _ask(home, project, prompts.WEATHER_QUESTION)
        # Without a provider of its own it takes the one that is set.
        CodexJsonlForwarder(codex_home=home, state_path=home / "forwarder.json").backfill()


def _ask(home: Path, project: Path, question: str) -> None:
    # The command reads a file of the project and runs without a sandbox, which not every machine can make.
    options = ("--skip-git-repo-check", "--sandbox", "danger-full-access", "--cd", str(project))
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "CODEX_HOME": str(home), "NO_PROXY": "*", _KEY: "not-a-real-key"}
    command = [str(bundled_codex_path()), "exec", *options, question]
    subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=120)


if __name__ == "__main__":
    record(
        "codex",
        ("openinference-instrumentation-codex", "openai-codex-cli-bin"),
        lambda _: None,
        {"turn": turn},
    )
