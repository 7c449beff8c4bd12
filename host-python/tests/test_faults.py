"""The server is away, slow, restarted or refuses: what arrives, and every line that the process prints."""

import threading

import pytest

from conftest import FakeMlflow, run_app, start_app

HELD = {
    401: "the MLflow server does not accept the credentials (401); spans are held: check MLFLOW_TRACKING_USERNAME and "
    "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
    403: "something that is not MLflow answers 403 (a proxy, or a wrong tracking URI); spans are held",
    404: "something that is not MLflow answers 404 (a proxy, or a wrong tracking URI); spans are held",
    503: "the MLflow server is busy (503); spans are held and tried again",
}
AWAY, CLOSED = (
    f"no answer from the MLflow server ({why}); spans are held and tried again"
    for why in ("Connection refused", "the server closed the connection")
)


def lines(*messages: str) -> list[str]:
    return [f"openinference-mlflow: {message}" for message in messages]


def success(server: FakeMlflow) -> str:
    return f"traces are at {server.uri}/#/experiments/7/traces"


@pytest.mark.parametrize("status", HELD)
def test_spans_that_are_refused_wait_and_arrive_once_they_are_taken(mlflow, status):
    mlflow.status = status
    code = """
with span('root'): pass
sys.stdin.readline()
assert om.stats()['pending'] == 1, om.stats()
assert om.flush(60), om.stats()
"""
    process = start_app(code, mlflow.uri)
    assert [process.stderr.readline().rstrip()] == lines(HELD[status])
    mlflow.status = 200
    _, err = process.communicate("go\n", timeout=120)
    assert process.returncode == 0, err
    assert mlflow.names() == ["root"]
    assert err.splitlines() == lines(success(mlflow))


@pytest.mark.parametrize("status", HELD)
def test_a_process_that_ends_while_it_is_refused_says_what_it_leaves(mlflow, status):
    mlflow.status = status
    done = run_app("for _ in range(5):\n    with span('root'): pass\n", mlflow.uri)
    assert done.returncode == 0
    assert done.stderr.splitlines() == lines(HELD[status], "the process ends before 5 spans are delivered")


def test_a_server_that_is_down_is_reported_once_and_does_not_hold_the_process(mlflow):
    mlflow.close()
    done = run_app("for _ in range(5):\n    with span('root'): pass\n", mlflow.uri)
    assert done.returncode == 0
    assert done.stderr.splitlines() == lines(AWAY, "the process ends before 5 spans are delivered")


def test_a_server_that_starts_after_the_application_gets_everything():
    gone = FakeMlflow()
    gone.close()
    code = """
for number in range(5):
    with span(str(number)): pass
sys.stdin.readline()
assert om.stats()['pending'] == 5, om.stats()
assert om.flush(60), om.stats()
"""
    process = start_app(code, gone.uri)
    assert [process.stderr.readline().rstrip()] == lines(AWAY)
    server = FakeMlflow(gone.port)
    _, err = process.communicate("go\n", timeout=120)
    assert process.returncode == 0, err
    assert server.names() == ["0", "1", "2", "3", "4"]
    assert err.splitlines() == lines(success(server))
    server.close()


def test_spans_of_an_outage_arrive_when_the_server_is_back():
    server = FakeMlflow()
    code = """
with span('before'): pass
assert om.flush(), om.stats()
print('delivered', flush=True)
sys.stdin.readline()
with span('meanwhile'): pass
print('ended', flush=True)
sys.stdin.readline()
assert om.stats()['pending'] == 1, om.stats()
assert om.flush(60), om.stats()
"""
    process = start_app(code, server.uri)
    assert process.stdout.readline() == "delivered\n", process.stderr.read()
    assert [process.stderr.readline().rstrip()] == lines(success(server))
    server.close()
    process.stdin.write("go\n")
    process.stdin.flush()
    assert [process.stderr.readline().rstrip()] == lines(CLOSED)
    restarted = FakeMlflow(server.port)
    _, err = process.communicate("go\n", timeout=120)
    assert process.returncode == 0, err
    assert (server.names(), restarted.names()) == (["before"], ["meanwhile"])
    assert err == ""
    restarted.close()


def test_the_application_does_not_wait_for_a_server_that_does_not_answer(mlflow):
    """The server answers only after the application has ended all its spans."""
    mlflow.is_free = threading.Event()
    code = """
for i in range(1000):
    with span(str(i)): pass
print('ended', flush=True)
assert om.flush(60), om.stats()
"""
    process = start_app(code, mlflow.uri)
    assert process.stdout.readline() == "ended\n", process.stderr.read()
    mlflow.is_free.set()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert mlflow.names() == sorted(map(str, range(1000)))
    assert err.splitlines() == lines(success(mlflow))


def test_a_process_ends_although_the_server_never_answers(mlflow):
    mlflow.is_free = threading.Event()
    done = run_app("with span('root'): pass\n", mlflow.uri)
    mlflow.is_free.set()
    assert done.returncode == 0
    assert done.stderr.splitlines() == lines("the process ends before 1 spans are delivered")


def test_a_slow_server_gets_everything_before_the_process_ends(mlflow):
    """Each batch takes long; as long as answers come, the process waits."""
    mlflow.delay = 0.5
    code = "for number in range(400):\n    with span(str(number)): pass\n"
    done = run_app(code, mlflow.uri, OTEL_BSP_MAX_EXPORT_BATCH_SIZE="50")
    assert done.returncode == 0, done.stderr
    assert len(mlflow.payloads) >= 8
    assert mlflow.names() == sorted(map(str, range(400)))
    assert done.stderr.splitlines() == lines(success(mlflow))
