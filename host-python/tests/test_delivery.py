"""Load, and the options that decide what is sent."""

import pytest

from conftest import run_app


def test_no_provider_is_set_and_spans_arrive_with_their_parent(mlflow):
    code = """
with span('root'):
    with span('child'): pass
assert type(trace.get_tracer_provider()).__name__ == 'ProxyTracerProvider'
assert trace._TRACER_PROVIDER is None
assert om.flush() and om.stats()['delivered'] == 2
print(om.last_trace_id(), om.get_trace_url())
"""
    done = run_app(code, mlflow.uri)
    assert done.returncode == 0, done.stderr
    trace_id, url = done.stdout.split()
    # The parameter by which the UI of every supported MLflow opens a trace.
    assert url == f"{mlflow.uri}/#/experiments/7/traces?selectedEvaluationId={trace_id}"
    child, root = sorted(mlflow.spans(), key=lambda span: span.name)
    assert child.parent_span_id == root.span_id and not root.parent_span_id


@pytest.mark.parametrize("threads", [1, 50])
def test_fifty_thousand_spans_at_once_all_arrive_once(mlflow, threads):
    code = f"""
import threading
def work():
    for number in range(50_000 // {threads}):
        with span('root'): pass
threads = [threading.Thread(target=work) for _ in range({threads})]
for each in threads: each.start()
for each in threads: each.join()
assert om.flush(), om.stats()
assert om.stats()['delivered'] == 50_000 and om.stats()['dropped'] == 0, om.stats()
"""
    done = run_app(code, mlflow.uri)
    assert done.returncode == 0, done.stderr
    assert len({span.span_id for span in mlflow.spans()}) == 50_000 == len(mlflow.spans())
    assert done.stderr == f"openinference-mlflow: traces are at {mlflow.uri}/#/experiments/7/traces\n"


def test_a_span_of_five_megabytes_arrives_whole(mlflow):
    done = run_app("with span('root', **{'input.value': 'a b ' * 1_310_720}): pass\n", mlflow.uri)
    assert done.returncode == 0, done.stderr
    (span,) = mlflow.spans()
    values = {each.key: each.value.string_value for each in span.attributes}
    assert values["input.value"] == "a b " * 1_310_720
    assert done.stderr == f"openinference-mlflow: traces are at {mlflow.uri}/#/experiments/7/traces\n"


def test_a_queue_that_is_full_drops_counts_and_says_so(mlflow):
    mlflow.status = 503
    code = """
for _ in range(100):
    with span('root'): pass
om.flush(1)
assert om.stats()['dropped'] > 0 and om.stats()['dropped'] + om.stats()['pending'] == 100, om.stats()
import os; os._exit(0)
"""
    done = run_app(code, mlflow.uri, OTEL_BSP_MAX_QUEUE_SIZE="10")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("spans are dropped") == 1


def test_without_batching_the_trace_has_arrived_when_its_root_ends(mlflow):
    code = """
with span('root'):
    with span('child'): pass
assert om.stats()['delivered'] == 2, om.stats()
"""
    done = run_app(code, mlflow.uri, MLFLOW_ENABLE_ASYNC_TRACE_LOGGING="false")
    assert done.returncode == 0, done.stderr


def test_disable_stops_and_a_later_call_resumes(mlflow):
    code = """
om.autolog(disable=True)
with span('off'): pass
om.autolog()
with span('on'): pass
"""
    assert run_app(code, mlflow.uri).returncode == 0
    assert mlflow.names() == ["on"]


def test_mask_filter_and_hide_settings(mlflow):
    code = f"""
def mask(value, key):
    if key == 'bad': raise ValueError
    return 'masked' if key == 'secret' else value
om.autolog(tracking_uri={mlflow.uri!r}, mask=mask, filter=lambda span: span.name != 'skipped')
with span('root', secret='s', **{{'input.value': 'private'}}): pass
with span('skipped'): pass
with span('dropped', bad='x'): pass
om.flush()
assert om.stats()['dropped'] == 1 and om.stats()['delivered'] == 1, om.stats()
"""
    done = run_app(code, mlflow.uri, OPENINFERENCE_HIDE_INPUTS="true")
    assert done.returncode == 0, done.stderr
    (span,) = mlflow.spans()
    values = {each.key: each.value.string_value for each in span.attributes}
    assert values["secret"] == "masked" and values["input.value"] == "__REDACTED__"


def test_credentials_go_to_the_server_and_into_no_message(mlflow):
    uri = mlflow.uri.replace("//", "//user:s3cret@")
    done = run_app("with span('root'): pass\n", uri)
    assert mlflow.headers[-1]["authorization"].startswith("Basic ")
    assert done.returncode == 0 and "s3cret" not in done.stderr


def test_feedback_follows_its_trace(mlflow):
    code = """
with span('root'): pass
om.log_feedback(om.last_trace_id(), 'correct', True, 'as expected')
assert om.flush()
"""
    assert run_app(code, mlflow.uri).returncode == 0
    assert mlflow.paths.index("/v1/traces") < next(
        place for place, path in enumerate(mlflow.paths) if path.endswith("/assessments")
    )


def test_a_damaged_cache_is_not_used(mlflow, tmp_path):
    folder = str(tmp_path)
    assert run_app("with span('a'): pass\n", mlflow.uri, OPENINFERENCE_MLFLOW_CACHE_DIR=folder).returncode == 0
    (file,) = tmp_path.glob("*.cwasm")
    content = file.read_bytes()
    file.write_bytes(content[:1000] + b"\0" * 1000 + content[2000:])
    assert run_app("with span('b'): pass\n", mlflow.uri, OPENINFERENCE_MLFLOW_CACHE_DIR=folder).returncode == 0
    assert mlflow.names() == ["a", "b"]
    assert file.read_bytes() == content
