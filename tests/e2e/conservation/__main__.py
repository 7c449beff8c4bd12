"""`python -m e2e.conservation --seconds 600`: a longer run, and the account of it. Exits with 1 when it does not balance."""

import argparse
import sys
import tempfile
from pathlib import Path

from e2e.harness.environment import clean_this_process

# Before the imports below: MLflow reads its environment when it is imported.
clean_this_process()

from e2e.conservation.oracle import Run  # noqa: E402
from e2e.harness.mlflow_server import MlflowServer  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = MlflowServer(Path(folder) / "mlflow").start()
        try:
            result = Run(Path(folder) / "bridge", server, arguments.seed).through(arguments.seconds)
        finally:
            server.kill()
    print(f"seed {arguments.seed}, {arguments.seconds:g} s of trouble\n{result}")
    return 0 if result.holds() else 1


if __name__ == "__main__":
    sys.exit(main())
