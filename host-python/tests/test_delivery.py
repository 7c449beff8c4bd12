"""Faults of the server, load, and the options that decide what is sent."""

from conftest import FakeMlflow, run_app


def test_no_provider_is_set_and_spans_arrive_with_their_parent(mlflow):
    code = """
with span('root'):
    with span('child'): pass
assert type(trace.get_tracer_provider()).__name__ == 'ProxyTracerProvider'
assert trace._TRACER_PROVIDER is None
assert om.flush() and om.stats()['delivered'] == 2
assert om.get_trace_url(om.last_trace_id()).endswith(om.last_trace_id())
"""
    done = run_app(code, mlflow.uri)
    assert done.returncode == 0, done.stderr
    child, root = sorted(mlflow.spans(), key=lambda span: span.name)
    assert child.parent_span_id == root.span_id and not root.parent_span_id


def test_fifty_thousand_spans_at_once_all_arrive(mlflow):
    code = """
for number in range(50_000):
    with span('root'): pass
assert om.flush(), om.stats()
assert om.stats()['delivered'] == 50_000 and om.stats()['dropped'] == 0, om.stats()
"""
    done = run_app(code, mlflow.uri)
    assert done.returncode == 0, done.stderr
    assert len({span.span_id for span in mlflow.spans()}) == 50_000 == len(mlflow.spans())


def test_a_span_of_five_megabytes_arrives_whole(mlflow):
    done = run_app("with span('root', **{'input.value': 'a b ' * 1_310_720}): pass\n", mlflow.uri)
    assert done.returncode == 0, done.stderr
    (span,) = mlflow.spans()
    values = {each.key: each.value.string_value for each in span.attributes}
    assert values["input.value"] == "a b " * 1_310_720


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


def test_a_server_that_refuses_is_reported_and_spans_arrive_once_it_takes_them(mlflow):
    for status in (401, 404, 503):
        server = FakeMlflow()
        server.status = status
        code = """
with span('root'): pass
assert not om.flush(3) and om.stats()['pending'] == 1, om.stats()
print('refused', flush=True)
sys.stdin.readline()
assert om.flush(), om.stats()
"""
        from conftest import start_app

        process = start_app(code, server.uri)
        assert process.stdout.readline() == "refused\n", process.stderr.read()
        server.status = 200
        _, err = process.communicate("go\n", timeout=60)
        assert process.returncode == 0, err
        assert server.names() == ["root"], status
        assert "openinference-mlflow: " in err
        server.close()


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
