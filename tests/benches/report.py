"""Writes docs/benchmarks/README.md and its charts from the rows that the benchmarks have appended to a file.

Run by `make bench`: `python tests/benches/report.py ROWS`. Each row is a JSON object: see `tests/src/report.rs`.
"""

import json
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

import vl_convert

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs/benchmarks"
BLUE, GREY, RED = "#0194e2", "#9aa5b1", "#d64545"

# Rows of this name have one side and several sizes.
GROWTH = "growth"
TABLES = {
    "translate": (
        "The core",
        "`translate` over the captured protobuf payloads, beside prost's decoding and encoding of the same bytes, natively. "
        "`interruptible` is what `serve` runs.",
    ),
    "gateway": (
        "The gateway beside a pass-through",
        "CPU time of the process for one span of 1.8 KB, OTLP/HTTP in and out, with a server behind it that only counts. rotel is a "
        "collector in Rust that passes spans on without looking at them and without a disk.",
    ),
    "mlflow": (
        "The gateway before a real MLflow",
        "20 clients send 20,480 spans, one in a request, through `serve`: spans/s until MLflow (SQLite, four workers, its default) holds all of them.",
    ),
    "npm": (
        "The npm package in an application",
        "A Node process makes 1,000 spans/s and exports them. CPU time and memory are those of the whole process, without what "
        "making the spans takes.",
    ),
}


def main() -> None:
    rows = [json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()]
    FOLDER.mkdir(parents=True, exist_ok=True)
    parts = ["# Benchmarks", introduction()]
    for table, of_table in groupby(rows, key=lambda row: row["table"]):
        of_table = list(of_table)
        if table == GROWTH:
            parts.append(growth(of_table))
            continue
        title, text = TABLES[table]
        chart = FOLDER / f"{table}.svg"
        chart.write_text(vl_convert.vegalite_to_svg(drawn(title, of_table)) + "\n")
        parts += [f"## {title}", text, f"![{title}]({chart.name})", as_table(of_table)]
    (FOLDER / "README.md").write_text("\n\n".join(parts) + "\n")


def introduction() -> str:
    rotel, today = version("rotel"), datetime.now(UTC).strftime("%d %B %Y")
    return (
        f"`make bench` wrote this page on {today}: {processor()}, {processors()} cores, Linux {platform.release().split('-')[0]}, "
        f"{said('rustc', '--version')}, Node {said('node', '--version')}, rotel {rotel}.\n\n"
        "Both sides of a row are measured in the same run and take turns; the ratio is the median of the rounds. Compare ratios, not "
        "figures of other machines. A ratio in bold reaches what the project aims at.\n\n"
        "Other pages: [a Python application](python.md), [crossing into WebAssembly](border.md), [an installation](install.md)."
    )


def as_table(rows: list[dict]) -> str:
    lines = ["| what | unit | beside | its figure | ours | ratio | aim |", "|---|---|---|---:|---:|---:|---:|"]
    for row in rows:
        ratio = f"**{row['ratio']:.2f}**" if reaches(row) else f"{row['ratio']:.2f}"
        aim = "" if row["target"] is None else f"{'≥' if is_rate(row) else '≤'} {row['target']:g}"
        other, theirs = row["beside"]
        lines.append(
            f"| {row['name']} | {row['unit']} | {other} | {theirs:,.1f} | {row['ours']:,.1f} | {ratio} | {aim} |"
        )
    return "\n".join(lines)


def growth(rows: list[dict]) -> str:
    lines = ["| what grows | counted | at each size |", "|---|---|---|"]
    for row in rows:
        points = " · ".join(f"{size:,}: **{cost:,.0f}**" for size, cost in row["points"])
        lines.append(f"| {row['what']} | {row['unit']} | {points} |")
    text = (
        "Executed instructions of the WebAssembly for one unit, which no other program disturbs. A cost that does not grow with the "
        "size is flat from left to right; at small sizes what a payload takes anyway is in it. "
        "`tests/tests/growth.rs` fails when one stops being flat."
    )
    return "\n\n".join(["## How the cost grows", text, "\n".join(lines)])


def is_rate(row: dict) -> bool:
    return row["unit"].endswith("/s")


def reaches(row: dict) -> bool:
    if row["target"] is None:
        return False
    return row["ratio"] >= row["target"] if is_rate(row) else row["ratio"] <= row["target"]


def drawn(title: str, rows: list[dict]) -> dict:
    """One bar a row: the ratio, with a line at 1, which is the other side, and a tick at the aim."""
    values = [{"name": row["name"], "ratio": row["ratio"], "aim": row["target"]} for row in rows]
    y = {"field": "name", "type": "nominal", "sort": None, "axis": {"title": None, "labelLimit": 340}}
    besides = {row["beside"][0] for row in rows}
    axis = f"ratio to {besides.pop()}" if len(besides) == 1 else "ratio to what it is beside"
    x = {"type": "quantitative", "axis": {"title": axis, "grid": False}}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": title,
        "width": 420,
        "height": {"step": 26},
        "data": {"values": values},
        "config": {"view": {"stroke": None}, "background": "white"},
        "layer": [
            {"mark": {"type": "bar", "color": BLUE}, "encoding": {"y": y, "x": {**x, "field": "ratio"}}},
            {"mark": {"type": "rule", "color": GREY, "strokeDash": [4, 3]}, "encoding": {"x": {"datum": 1}}},
            {
                "transform": [{"filter": "datum.aim != null"}],
                "mark": {"type": "tick", "color": RED, "thickness": 2},
                "encoding": {"y": y, "x": {**x, "field": "aim"}},
            },
        ],
    }


def said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def processors() -> int:
    return len([line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("processor")])


if __name__ == "__main__":
    main()
