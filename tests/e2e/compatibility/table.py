"""How many traces each version shows as the newest does, as the table of docs/compatibility.md."""

from pathlib import Path

from e2e.compatibility.delivery import Delivered

PAGE = Path(__file__).resolve().parents[3] / "docs/compatibility.md"
_BEGIN, _END = "<!-- table: begin -->", "<!-- table: end -->"


def columns(newest: Delivered) -> list[str]:
    return list(next(iter(newest.traces.values())))


def differing(column: str, newest: Delivered, other: Delivered) -> list[str]:
    """The traces of which `other` shows something else."""
    return [name for name, trace in newest.traces.items() if other.traces.get(name, {}).get(column) != trace[column]]


def row(number: str, newest: Delivered, other: Delivered) -> str:
    """A line of the table: of the traces for which the newest version shows something, how many look the same."""
    cells = []
    for column in columns(newest):
        shown = [name for name, trace in newest.traces.items() if _is_shown(trace[column])]
        different = set(differing(column, newest, other))
        same = sum(name not in different for name in shown)
        cells.append("all" if same == len(shown) else f"{same} of {len(shown)}")
    return f"| {number} | {' | '.join(cells)} |"


def of(newest: str, delivered: dict[str, Delivered]) -> list[str]:
    """The table's lines, versions in ascending order."""
    reference = delivered[newest]
    names = columns(reference)
    lines = [f"| MLflow | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    numbers = sorted(delivered, key=lambda number: [int(part) for part in number.split(".")])
    return lines + [row(number, reference, delivered[number]) for number in numbers]


def read() -> list[str]:
    """The table's lines on the page."""
    return PAGE.read_text().split(_BEGIN)[1].split(_END)[0].strip().splitlines()


def write(lines: list[str]) -> None:
    before, rest = PAGE.read_text().split(_BEGIN)
    PAGE.write_text(before + _BEGIN + "\n" + "\n".join(lines) + "\n" + _END + rest.split(_END)[1])


def _is_shown(value: object) -> bool:
    return value not in (None, {}, [], [None, None], [False, False])
