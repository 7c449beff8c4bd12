"""The translator fails: another one takes over, and what waits is delivered, apart from the spans on which it fails.

The traps are real: a function of a WebAssembly module executes `unreachable`.
"""

import pytest

from conftest import run_app, start_app

# `trap_when` decides before each call of the module; `bad` tells whether the instance has ingested the span `bad`.
TRAPS = """
import wasmtime
from openinference_mlflow.delivery import backlog
from openinference_mlflow.translator import bridge
backlog.CHUNK_SPANS = 1
opened, traps = [], []
class Trapping(bridge.Translator):
    def __init__(self):
        super().__init__()
        opened.append(self)
        self.has_bad = False
        module = wasmtime.Module(self._store.engine, '(module (func (export "trap") unreachable))')
        self.trap = wasmtime.Instance(self._store, module, []).exports(self._store)['trap']
    def call(self, name, *arguments, value=None, payload=None):
        self.has_bad |= name == 'ingest' and b'bad' in payload
        if trap_when(name, self.has_bad, payload or b''):
            traps.append(name)
            self.trap(self._store)
        return super().call(name, *arguments, value=value, payload=payload)
bridge.Translator = Trapping
"""


@pytest.mark.parametrize("name", ["ingest", "poll", "complete", "events"])
def test_the_payload_on_which_the_translator_traps_is_dropped_and_no_other(mlflow, name):
    code = (
        TRAPS
        + f"""
def trap_when(name, has_bad, payload):
    return name == {name!r} and (has_bad if name != 'ingest' else b'bad' in payload)
for number in range(20):
    with span(f'good-{{number}}'): pass
    if number == 13:
        with span('bad'): pass
assert om.flush(), om.stats()
stats = om.stats()
assert (stats['received'], stats['delivered'], stats['dropped'], stats['pending']) == (21, 20, 1, 0), stats
assert stats['pending_bytes'] < 100_000
with span('later'): pass
assert om.flush() and om.stats()['delivered'] == 21
assert len(traps) <= 8, traps
"""
    )
    done = run_app(code, mlflow.uri)
    assert done.returncode == 0, done.stderr
    names = {span.name for span in mlflow.spans()}
    assert names == {f"good-{number}" for number in range(20)} | {"later"} | (names & {"bad"})
    assert "takes over with the same spans (Trap: " in done.stderr
    assert "1 spans are dropped: the translator fails on them" in done.stderr
    assert len(done.stderr.splitlines()) == 3, done.stderr


def test_a_translator_that_traps_once_costs_no_span(mlflow):
    code = (
        TRAPS
        + """
def trap_when(name, has_bad, payload):
    return name == 'poll' and not traps
for number in range(50):
    with span(str(number)): pass
assert om.flush() and om.stats()['delivered'] == 50 and om.stats()['dropped'] == 0, om.stats()
assert len(traps) == 1 and len(opened) > 1
"""
    )
    done = run_app(code, mlflow.uri)
    assert done.returncode == 0, done.stderr
    assert {span.name for span in mlflow.spans()} == {str(number) for number in range(50)}


def test_when_no_translator_works_spans_are_counted_as_dropped_and_the_application_goes_on(mlflow):
    code = (
        TRAPS
        + """
def trap_when(name, has_bad, payload):
    return name == 'open'
for number in range(5):
    with span(str(number)): pass
om.flush()
with span('later'): pass
stats = om.stats()
assert (stats['received'], stats['dropped'], stats['pending']) == (6, 6, 0), stats
assert len(opened) == 3
"""
    )
    done = run_app(code, mlflow.uri)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("traces are no longer collected: Trap: ") == 1, done.stderr
    assert mlflow.spans() == []


def test_a_defect_in_the_background_thread_costs_no_span(mlflow):
    """`SystemExit` ends a thread; any other exception is taken for a failure of the translator."""
    code = """
from openinference_mlflow.delivery import http
perform, raised = http.MlflowClient.request, []
def request(self, request):
    if len(raised) < 2:
        raised.append((SystemExit, ZeroDivisionError)[len(raised)]())
        raise raised[-1]
    return perform(self, request)
http.MlflowClient.request = request
for number in range(50):
    with span(str(number)): pass
assert om.flush() and om.stats()['delivered'] == 50, om.stats()
assert len(raised) == 2
"""
    done = run_app(code, mlflow.uri)
    assert done.returncode == 0, done.stderr
    assert {span.name for span in mlflow.spans()} == {str(number) for number in range(50)}


def test_what_waits_is_kept_and_counted_within_the_limit(mlflow):
    mlflow.status = 503
    code = """
om.autolog(max_queue_bytes=2_000_000)
for number in range(100):
    with span(str(number), **{'input.value': 'x' * 100_000}): pass
    om.flush(0.05)
stats = om.stats()
assert 0 < stats['dropped'] == 100 - stats['pending'], stats
assert 500_000 < stats['pending_bytes'] < 2_200_000, stats
print('full', flush=True)
sys.stdin.readline()
assert om.flush(60), om.stats()
stats = om.stats()
assert stats['delivered'] == 100 - stats['dropped'] and stats['pending_bytes'] < 100_000, stats
"""
    process = start_app(code, mlflow.uri)
    assert process.stdout.readline() == "full\n", process.stderr.read()
    mlflow.status = 200
    _, err = process.communicate("go\n", timeout=60)
    assert process.returncode == 0, err


def test_the_noise_filter_counts_what_it_leaves_out(mlflow):
    code = f"""
om.autolog(tracking_uri={mlflow.uri!r}, openinference_only=True, filter=lambda span: span.name != 'unwanted')
with span('root'):
    with trace.get_tracer('http').start_as_current_span('GET'): pass
    with span('unwanted'): pass
assert om.flush(), om.stats()
stats = om.stats()
assert (stats['received'], stats['delivered'], stats['filtered']) == (3, 1, 2), stats
"""
    done = run_app(code, mlflow.uri)
    assert done.returncode == 0, done.stderr
    assert mlflow.names() == ["root"]
