"""Runs the captured applications with `openinference_mlflow.autolog()` beside what captures them.

    ../.venv/bin/python -m capture.autolog TRACKING_URI EXPERIMENT FOLDER

Their traces are in MLflow when this ends, and the payloads of the same run in the folder, named as their fixtures are.
`make setup-applications` installs what they run on.
"""

import argparse
from pathlib import Path

from capture.fixture_files import FOLDER
from capture.openai_python import export_scenarios
from e2e.harness.application import APPLICATIONS, LLAMA_INDEX, run_module

_INTERPRETERS = dict.fromkeys(("openai", "anthropic", "langchain", "openai_agents"), APPLICATIONS) | {
    "llama_index": LLAMA_INDEX
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("tracking_uri", "experiment", "folder"):
        parser.add_argument(name)
    given = parser.parse_args()
    run_applications(given.tracking_uri, given.experiment, Path(given.folder))


def payload_names() -> list[str]:
    """The fixtures of these applications, which a run makes again."""
    return sorted({path.name for name in _INTERPRETERS for path in FOLDER.glob(f"py_{name}_*.pb")})


def run_applications(tracking_uri: str, experiment: str, folder: Path) -> None:
    for name, python in _INTERPRETERS.items():
        run_module(python, f"capture.python.{name}", "--autolog", tracking_uri, experiment, str(folder))
    for scenario, body in export_scenarios(("--autolog", tracking_uri, experiment), APPLICATIONS).items():
        (folder / f"py_openai_{scenario}.pb").write_bytes(body)


if __name__ == "__main__":
    main()
