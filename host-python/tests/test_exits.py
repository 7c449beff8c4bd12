"""Every way in which a process ends: what arrives, and what the process says."""

import signal

import pytest

from conftest import run_app, start_app


@pytest.mark.parametrize(
    ("ending", "status"),
    [("", 0), ("sys.exit(3)", 3), ("raise ValueError('no')", 1)],
    ids=["natural end", "sys.exit", "exception"],
)
def test_everything_arrives_when_the_process_ends(mlflow, ending, status):
    done = run_app(f"with span('root'):\n    with span('child'): pass\n{ending}\n", mlflow.uri)
    assert done.returncode == status
    assert mlflow.names() == ["child", "root"], done.stderr
    assert f"traces are at {mlflow.uri}/#/experiments/7/traces" in done.stderr


def test_sigterm_flushes_when_asked_to(mlflow):
    code = f"""
om.autolog(tracking_uri={mlflow.uri!r}, experiment="x", flush_on_signals=True)
with span('root'): pass
print('ready', flush=True)
sys.stdin.read()
"""
    process = start_app(code, mlflow.uri)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert mlflow.names() == ["root"]


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


def test_a_server_that_is_down_is_reported_once_and_does_not_hold_the_process(mlflow):
    mlflow.close()
    done = run_app("for _ in range(5):\n    with span('root'): pass\n", mlflow.uri)
    assert done.returncode == 0
    assert "the process ends before 5 spans are delivered" in done.stderr
    assert len(done.stderr.splitlines()) == 2, done.stderr
