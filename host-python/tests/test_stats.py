"""The counts add up at every moment, whatever the application, the server and the translator do."""

import json
import random
from collections.abc import Sequence

import pytest

from conftest import FakeMlflow, run_app
from test_failures import TRAPS

APPLICATION = """
import json, threading, time
# Each name that a span got, in any thread.
made = []
named = span
def span(name, **attributes):
    made.append(name)
    return named(name, **attributes)
def noise(name):
    made.append(name)
    return trace.get_tracer('http').start_as_current_span(name)
def tree():
    with span('keep'), noise('GET'), span('skip'), noise('POST'), span('leaf'): pass
def in_threads():
    threads = [threading.Thread(target=lambda: [tree() for _ in range(10)]) for _ in range(4)]
    for each in threads: each.start()
    for each in threads: each.join()
def mask(value, key):
    if value == 'boom': raise ValueError
    return value
om.autolog(mask=mask)

wrong, last = [], om.stats()
lock = threading.Lock()
def check():
    global last
    with lock:
        now = om.stats()
        total = sum(now[name] for name in ('delivered', 'dropped', 'filtered', 'quarantined', 'pending'))
        rising = ('received', 'delivered', 'dropped', 'filtered', 'quarantined')
        fell = [name for name in rising if now[name] < last[name]]
        if now['received'] != total or min(now.values()) < 0 or fell:
            wrong.append([total, fell, now])
        last = now
is_over = threading.Event()
def watch():
    while not is_over.wait(0.001): check()
watching = threading.Thread(target=watch)
watching.start()
"""

STEPS = """with span('keep'): pass
with span('skip'): pass
with noise('GET'): pass
tree()
for _ in range(40): tree()
in_threads()
with span('refused'): pass
with span('masked', secret='boom'): pass
om.autolog(filter=lambda span: span.name != 'skip')
om.autolog(filter=lambda span: True)
om.autolog(openinference_only=True)
om.autolog(headers={'x-number': str(len(made))})
om.autolog(max_queue_spans=50)
om.autolog(max_queue_spans=5_000)
om.flush(0.2)
time.sleep(0.02)""".splitlines()

END = """
assert om.flush(60), om.stats()
is_over.set(); watching.join(); check()
print(json.dumps([wrong[:3], om.stats(), {name: made.count(name) for name in set(made)}]))
"""


TRAP = """
def trap_when(name, has_bad, payload):
    return name == 'ingest' and b'trap' in payload
"""
# In a queue with room.
TRAPPED = "om.autolog(max_queue_spans=5_000); om.flush(60)\nwith span('trap'): pass"


def run(mlflow: FakeMlflow, seed: int, *, before: str = "", more: Sequence[str] = ()) -> tuple[dict, str]:
    """An application of random steps. Returns its counts, and what it printed."""
    steps = [*random.Random(seed).choices(STEPS, k=60), *more]
    random.Random(seed).shuffle(steps)
    done = run_app(before + APPLICATION + "\n".join(f"{step}\ncheck()" for step in steps) + END, mlflow.uri)
    assert done.returncode == 0, done.stderr
    wrong, stats, made = json.loads(done.stdout.splitlines()[-1])
    assert wrong == []
    arrived = {(span.trace_id, span.span_id) for span in mlflow.spans()}
    assert len(arrived) > 0
    assert (stats["received"], stats["delivered"], stats["pending"]) == (sum(made.values()), len(arrived), 0)
    assert stats["quarantined"] <= made.get("refused", 0)
    return stats, done.stderr


def refusing(body: bytes) -> int | None:
    return 422 if b"refused" in body else None


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_with_a_server_that_refuses_some_spans(mlflow, seed):
    mlflow.judge = refusing
    run(mlflow, seed)


@pytest.mark.parametrize("seed", [4, 5, 6])
def test_with_a_server_that_is_often_busy(mlflow, seed):
    chance = random.Random(seed)
    mlflow.judge = lambda body: 503 if chance.random() < 0.3 else refusing(body)
    run(mlflow, seed)


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_with_a_translator_that_traps(mlflow, seed):
    mlflow.judge = refusing
    stats, printed = run(mlflow, seed, before=TRAPS + TRAP, more=[TRAPPED] * 2)
    assert "takes over with the same spans" in printed
    assert stats["dropped"] >= 2
