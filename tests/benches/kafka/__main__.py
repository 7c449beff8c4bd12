"""`python -m benches.kafka`: measures, and writes docs/benchmarks/kafka.md."""

import argparse
import tempfile
from pathlib import Path

from benches.kafka import capacity, page, rebalance, throughput


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=24_000, help="in each round of each set of partitions and members")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mlflow-spans", type=int, default=6_000, help="for each kind of MLflow server")
    parser.add_argument("--rate", type=float, default=200.0, help="messages a second during rebalances")
    parser.add_argument("--page", type=Path, default=page.PAGE)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-kafka-") as name:
        folder = Path(name)
        groups, journal = throughput.measure(folder / "throughput", arguments.spans, arguments.rounds)
        moves = rebalance.measure(folder / "rebalance", arguments.rate)
        servers = capacity.measure(folder / "capacity", arguments.mlflow_spans)
    text = page.page(arguments, groups, journal, moves, servers)
    arguments.page.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
