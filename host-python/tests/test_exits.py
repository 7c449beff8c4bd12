"""Every way in which a process ends: what arrives, and what the process says."""

import signal

import pytest

from conftest import run_app, start_app


def ours(stderr: str) -> list[str]:
    """What this package printed."""
    return [line.partition(": ")[2] for line in stderr.splitlines() if line.startswith("openinference-mlflow: ")]


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("raise ValueError('no')", 1),
        ("import signal; signal.raise_signal(signal.SIGINT)", -signal.SIGINT),
        ("om.flush(); import os; os._exit(4)", 4),
    ],
    ids=["natural end", "sys.exit", "exception", "Ctrl-C", "os._exit after a flush"],
)
def test_everything_arrives_when_the_process_ends(mlflow, ending, status):
    done = run_app(f"with span('root'):\n    with span('child'): pass\n{ending}\n", mlflow.uri)
    assert done.returncode == status
    assert mlflow.names() == ["child", "root"], done.stderr
    assert ours(done.stderr) == [f"traces are at {mlflow.uri}/#/experiments/7/traces"]


SIGTERM_WAYS = {
    "flush_on_signals": ("om.autolog(flush_on_signals=True)", 128 + signal.SIGTERM),
    "a handler of the application": ("signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))", 9),
}


@pytest.mark.parametrize(("way", "status"), SIGTERM_WAYS.values(), ids=SIGTERM_WAYS)
def test_everything_arrives_at_sigterm_the_open_span_too(mlflow, way, status):
    code = f"""
import signal, time
{way}
with span('before'): pass
with span('open'):
    print('ready', flush=True)
    while True: time.sleep(0.1)
"""
    process = start_app(code, mlflow.uri)
    assert process.stdout.readline() == "ready\n", process.stderr.read()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == status, err
    assert mlflow.names() == ["before", "open"], err
    assert ours(err) == [f"traces are at {mlflow.uri}/#/experiments/7/traces"]


@pytest.mark.parametrize("ending", ["os._exit(0)", "os.kill(os.getpid(), 15)", "os.kill(os.getpid(), 9)"])
def test_an_end_that_nobody_can_see_costs_what_was_not_flushed_and_nothing_else(mlflow, ending):
    code = f"""
import os
with span('flushed'): pass
assert om.flush(), om.stats()
with span('waiting'): pass
{ending}
"""
    done = run_app(code, mlflow.uri)
    assert mlflow.names() in (["flushed"], ["flushed", "waiting"])
    assert ours(done.stderr) == [f"traces are at {mlflow.uri}/#/experiments/7/traces"]


def test_the_handler_of_the_application_stays(mlflow):
    code = f"""
import signal
signal.signal(signal.SIGTERM, print)
before = signal.getsignal(signal.SIGTERM)
om.autolog(tracking_uri={mlflow.uri!r}, flush_on_signals=True)
assert signal.getsignal(signal.SIGTERM) is before
"""
    assert run_app(code, mlflow.uri).returncode == 0


def test_parent_and_forked_child_deliver_their_own_spans_once(mlflow):
    code = """
import os
with span('before'): pass
om.flush()
with span('parent-queued'): pass
child = os.fork()
if child == 0:
    with span('child'): pass
    assert om.flush(), om.stats()
    assert om.stats()['received'] == 1, om.stats()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
with span('after'): pass
"""
    done = run_app(code, mlflow.uri)
    assert done.returncode == 0, done.stderr
    assert mlflow.names() == ["after", "before", "child", "parent-queued"]
    assert ours(done.stderr) == [f"traces are at {mlflow.uri}/#/experiments/7/traces"]


@pytest.mark.parametrize("method", ["fork"])
def test_children_of_multiprocessing_flush_at_their_end(mlflow, method):
    code = f"""
import multiprocessing
def work():
    with span('child'): pass
with span('parent'):
    process = multiprocessing.get_context({method!r}).Process(target=work)
    process.start()
    process.join()
assert process.exitcode == 0
"""
    done = run_app(code, mlflow.uri)
    assert done.returncode == 0, done.stderr
    assert mlflow.names() == ["child", "parent"]
    child, parent = sorted(mlflow.spans(), key=lambda span: span.name)
    assert child.parent_span_id == parent.span_id and child.trace_id == parent.trace_id
