"""`python -m e2e.conservation --seconds 600`: a fault at every moment, then a longer run of random ones, then one of a consumer
group, and the account of each. Exits with 1 when one does not balance."""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from e2e.harness.environment import clean_this_process

# Before the imports below: MLflow reads its environment when it is imported.
clean_this_process()

from e2e.conservation import moments  # noqa: E402
from e2e.conservation.consumer_group import GroupRun  # noqa: E402
from e2e.conservation.interrupted import Interrupted, leave_damaged  # noqa: E402
from e2e.conservation.oracle import Run  # noqa: E402
from e2e.conservation.pretend_mlflow import PretendMlflow  # noqa: E402
from e2e.harness.mlflow_server import MlflowServer  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=600.0, help="of random faults; 0: none")
    parser.add_argument("--kafka-seconds", type=float, default=600.0, help="of random faults with Kafka; 0: none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--moments", type=int, help="at most so many of both kinds; without it: all of them")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        balanced = _every_moment(Path(folder), arguments.moments, arguments.seed)
        if arguments.seconds > 0:
            balanced &= _random(Path(folder), arguments.seconds, arguments.seed)
        if arguments.kafka_seconds > 0:
            balanced &= _group(Path(folder) / "group", arguments.kafka_seconds, arguments.seed)
    return 0 if balanced else 1


def _every_moment(folder: Path, at_most: int | None, seed: int) -> bool:
    left = leave_damaged(folder / "left")
    return all([_moments(folder, at_most, seed, None), _moments(folder, at_most, seed, left)])


def _moments(folder: Path, at_most: int | None, seed: int, left: Path | None) -> bool:
    with tempfile.TemporaryDirectory(dir=folder) as own:
        seen = Interrupted(Path(own), None, left).run().seen
    chosen = moments.every(seen) if at_most is None else moments.some(seen, at_most, at_most, seed)
    met, wrong = Counter[str](), 0
    for moment in chosen:
        with tempfile.TemporaryDirectory(dir=folder) as own:
            run = Interrupted(Path(own), moment, left).run()
        if run.was_met:
            met[f"{moment.call} {moment.place}"] += 1
        if run.wrong:
            wrong += 1
            print(f"{moment}:", *run.wrong, sep="\n  ", flush=True)
    where = "while a damaged journal is taken over" if left else "from start to stop"
    print(f"{len(chosen)} moments {where}, {met.total()} of them met: {dict(met)}\n{wrong} went wrong", flush=True)
    return not wrong


def _random(folder: Path, seconds: float, seed: int) -> bool:
    server = MlflowServer(folder / "mlflow").start()
    try:
        result = Run(folder / "gateway", server, seed).through(seconds)
    finally:
        server.kill()
    print(f"seed {seed}, {seconds:g} s of random faults\n{result}")
    return result.holds()


def _group(folder: Path, seconds: float, seed: int) -> bool:
    """MLflow is a pretence here: there are more spans than a real one takes in that time."""
    with PretendMlflow(frozenset()) as mlflow:
        run = GroupRun(folder, mlflow.port, lambda: Counter(set(mlflow.stored)), seed, pause_s=0.01)
        result = run.through(seconds)
    print(f"seed {seed}, {seconds:g} s of random faults with Kafka as the source\n{result}")
    return result.holds()


if __name__ == "__main__":
    sys.exit(main())
