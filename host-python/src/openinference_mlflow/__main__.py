"""`python -m openinference_mlflow run app.py [ARGUMENT…]`: runs a program with `autolog()` and its instrumentors."""

from __future__ import annotations

import argparse
import runpy
import sys
from importlib.metadata import entry_points
from pathlib import Path

from openinference_mlflow.api import autolog


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m openinference_mlflow")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a program with autolog() and every installed OpenInference instrumentor")
    run.add_argument("-m", dest="is_module", action="store_true", help="PROGRAM is a module, as for python -m")
    run.add_argument("program", metavar="PROGRAM")
    run.add_argument("arguments", nargs=argparse.REMAINDER)
    given = parser.parse_args(arguments)
    autolog()
    _instrument()
    sys.argv = [given.program, *given.arguments]
    if given.is_module:
        sys.path.insert(0, str(Path.cwd()))
        runpy.run_module(given.program, run_name="__main__", alter_sys=True)
    else:
        sys.path.insert(0, str(Path(given.program).resolve().parent))
        runpy.run_path(given.program, run_name="__main__")


def _instrument() -> None:
    for entry in entry_points(group="openinference_instrumentor"):
        try:
            entry.load()().instrument(skip_dep_check=False)
        except Exception as error:
            print(f"openinference-mlflow: {entry.name} cannot be instrumented: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
