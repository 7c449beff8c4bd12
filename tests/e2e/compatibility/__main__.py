"""`python -m e2e.compatibility`: every version, and the table of docs/compatibility.md written anew."""

import argparse
import tempfile
from pathlib import Path

from e2e.harness.environment import clean_this_process

clean_this_process()

from e2e.compatibility import table, versions  # noqa: E402
from e2e.compatibility.delivery import deliver_to  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", nargs="*", default=versions.OLD, help="these alone; the table stays as it is")
    parser.add_argument("--differences", type=int, default=0, help="print so many differing traces of each column")
    options = parser.parse_args()
    newest = versions.newest()
    with tempfile.TemporaryDirectory() as folder:
        delivered = deliver_to([newest, *map(versions.old, options.versions)], Path(folder))
    reference = delivered[newest.number]
    for number, other in delivered.items():
        print(f"{number}: quarantined beyond the newest: {sorted(set(other.quarantined) - set(reference.quarantined))}")
        for column in table.columns(reference) if options.differences else ():
            for name in table.differing(column, reference, other)[: options.differences]:
                print(f"  {column}: {name}\n    newest {reference.traces[name][column]}")
                print(f"    {number} {other.traces.get(name, {}).get(column)}")
    lines = table.of(newest.number, delivered)
    print("\n".join(lines))
    if options.versions == versions.OLD:
        table.write(lines)


if __name__ == "__main__":
    main()
