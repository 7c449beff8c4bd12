"""Every option, every variable: what it does, what a bad value does, and that docs/python.md lists it."""

from __future__ import annotations

import dataclasses
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import openinference_mlflow as om
from conftest import SOURCES, run_app
from openinference_mlflow.settings.hide import read_hide_settings
from openinference_mlflow.settings.resolve import Options, changed, resolve

PAGE = (Path(__file__).resolve().parents[2] / "docs/python.md").read_text()
# The first ones are those of `mlflow.otel.autolog()` and of this package's first release, in this order.
POSITIONAL = [
    *("batch", "disable", "silent", "log_traces", "tracking_uri", "experiment", "experiment_id", "run_id"),
    *("workspace", "filter", "mask", "openinference_only", "attachments"),
]


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("MLFLOW_", "OTEL_", "OPENINFERENCE_", "AWS_")):
            monkeypatch.delenv(name)


def _settings(**options: object) -> tuple[dict[str, object], list[str]]:
    """Everything that holds, flat, and what was complained about."""
    complaints: list[str] = []
    settings = resolve(changed(Options(), options, complaints.append), complaints.append)
    flat = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}
    flat |= {field.name: getattr(settings.delivery, field.name) for field in dataclasses.fields(settings.delivery)}
    return flat | settings.target._asdict() | {"headers": dict(settings.delivery.headers)}, complaints


def _a_filter(span: object) -> bool:
    return True


def _a_mask(value: object, key: str) -> object:
    return value


BASIC = {"authorization": "Basic dTpw"}
BEARER = {"authorization": "Bearer t"}

# Options, variables, and what then holds.
HOLDS = [
    ({}, {}, {"batch": True, "tracking_uri": "http://127.0.0.1:5000", "is_enabled": True, "headers": {}}),
    ({}, {}, {"experiment_id": None, "experiment_name": None, "run_id": None, "workspace": None, "attachments": True}),
    ({}, {}, {"flush_on_exit": True, "flush_millis": 10_000, "max_queue_bytes": 256 << 20, "max_queue_spans": None}),
    ({"batch": False}, {"MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "true"}, {"batch": False}),
    ({}, {"MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "FALSE"}, {"batch": False}),
    ({}, {"AWS_LAMBDA_FUNCTION_NAME": "f"}, {"batch": False}),
    ({"batch": True}, {"AWS_LAMBDA_FUNCTION_NAME": "f"}, {"batch": True}),
    ({"disable": True}, {}, {"is_enabled": False}),
    ({}, {"OPENINFERENCE_MLFLOW_DISABLED": "1"}, {"is_enabled": False}),
    ({}, {"OTEL_SDK_DISABLED": "true"}, {"is_enabled": False}),
    ({"log_traces": False}, {}, {"is_enabled": False}),
    ({"silent": True}, {}, {"silent": True}),
    ({"tracking_uri": "http://a/"}, {"MLFLOW_TRACKING_URI": "http://b"}, {"tracking_uri": "http://a"}),
    ({}, {"MLFLOW_TRACKING_URI": "https://b:1/prefix/"}, {"tracking_uri": "https://b:1/prefix"}),
    ({"experiment": "a"}, {"MLFLOW_EXPERIMENT_NAME": "b"}, {"experiment_name": "a"}),
    ({}, {"MLFLOW_EXPERIMENT_NAME": "b"}, {"experiment_name": "b"}),
    ({"experiment_id": "1"}, {"MLFLOW_EXPERIMENT_ID": "2"}, {"experiment_id": "1"}),
    ({"experiment_id": 1}, {}, {"experiment_id": "1"}),
    ({}, {"MLFLOW_EXPERIMENT_ID": "2"}, {"experiment_id": "2"}),
    ({"experiment": "a"}, {"MLFLOW_EXPERIMENT_ID": "2"}, {"experiment_id": None, "experiment_name": "a"}),
    ({"run_id": "r"}, {"MLFLOW_RUN_ID": "s"}, {"run_id": "r"}),
    ({}, {"MLFLOW_RUN_ID": "s"}, {"run_id": "s"}),
    ({"workspace": "w"}, {"MLFLOW_WORKSPACE": "v"}, {"workspace": "w"}),
    ({}, {"MLFLOW_WORKSPACE": "v"}, {"workspace": "v"}),
    ({"filter": _a_filter}, {}, {"filter": _a_filter}),
    ({"mask": _a_mask}, {}, {"mask": _a_mask}),
    ({"openinference_only": True}, {}, {"openinference_only": True}),
    ({"attachments": False}, {"MLFLOW_TRACE_EXTRACT_ATTACHMENTS": "true"}, {"attachments": False}),
    ({}, {"MLFLOW_TRACE_EXTRACT_ATTACHMENTS": "0"}, {"attachments": False}),
    ({"attachment_max_bytes": 5}, {"MLFLOW_TRACE_MAX_ATTACHMENT_SIZE": "6"}, {"attachment_max_bytes": 5}),
    ({}, {"MLFLOW_TRACE_MAX_ATTACHMENT_SIZE": "6"}, {"attachment_max_bytes": 6}),
    ({"username": "u", "password": "p", "token": "t"}, {}, {"headers": BASIC}),
    ({}, {"MLFLOW_TRACKING_USERNAME": "u", "MLFLOW_TRACKING_PASSWORD": "p"}, {"headers": BASIC}),
    ({"tracking_uri": "http://u:p@a"}, {}, {"headers": BASIC, "tracking_uri": "http://a"}),
    ({"token": "t"}, {"MLFLOW_TRACKING_TOKEN": "s"}, {"headers": BEARER}),
    ({}, {"MLFLOW_TRACKING_TOKEN": "t"}, {"headers": BEARER}),
    ({"headers": {"X-Key": "k"}, "token": "t"}, {}, {"headers": BEARER | {"x-key": "k"}}),
    ({"headers": {"Authorization": "Bearer t"}, "token": "other"}, {}, {"headers": BEARER}),
    ({"flush_on_exit": False}, {}, {"flush_on_exit": False}),
    ({"flush_on_signals": True}, {}, {"flush_on_signals": True}),
    ({"flush_timeout": 1.5}, {}, {"flush_millis": 1_500}),
    ({"max_queue_bytes": 7}, {}, {"max_queue_bytes": 7}),
    ({"max_queue_spans": 7}, {"OTEL_BSP_MAX_QUEUE_SIZE": "8"}, {"max_queue_spans": 7}),
    ({}, {"OTEL_BSP_MAX_QUEUE_SIZE": "8"}, {"max_queue_spans": 8}),
    ({}, {"OTEL_BSP_SCHEDULE_DELAY": "9"}, {"settle_millis": 9}),
    ({}, {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "9"}, {"batch_spans": 9}),
    ({}, {"OTEL_BSP_EXPORT_TIMEOUT": "9"}, {"timeout_millis": 9}),
    ({}, {"MLFLOW_TRACKING_SERVER_CERT_PATH": "a.pem"}, {"server_cert_path": "a.pem"}),
    ({}, {"MLFLOW_TRACKING_CLIENT_CERT_PATH": "c.pem"}, {"client_cert_path": "c.pem"}),
    ({}, {"MLFLOW_TRACKING_INSECURE_TLS": "true"}, {"insecure_tls": True}),
]


@pytest.mark.parametrize(("options", "variables", "expected"), HOLDS)
def test_an_option_wins_over_its_variable_which_wins_over_the_default(monkeypatch, options, variables, expected):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    holds, complaints = _settings(**options)
    assert ({name: holds[name] for name in expected}, complaints) == (expected, [])


# Options, variables, and what the complaint says.
BAD = [
    ({"batch": "yes"}, {}, "the option batch is ignored: expected True or False, got 'yes'"),
    ({"tracking_uri": 5000}, {}, "the option tracking_uri is ignored: expected an address such as"),
    ({"experiment": 5}, {}, "the option experiment is ignored: expected a string, got 5"),
    ({"experiment_id": "main"}, {}, "the option experiment_id is ignored: expected a number"),
    ({"filter": "all"}, {}, "the option filter is ignored: expected a function"),
    ({"mask": 1}, {}, "the option mask is ignored: expected a function"),
    ({"attachment_max_bytes": 1.5}, {}, "the option attachment_max_bytes is ignored: expected a whole number above 0"),
    ({"max_queue_spans": -1}, {}, "the option max_queue_spans is ignored: expected a whole number above 0, got -1"),
    ({"max_queue_bytes": True}, {}, "the option max_queue_bytes is ignored"),
    ({"flush_timeout": "1s"}, {}, "the option flush_timeout is ignored: expected seconds above 0"),
    ({"password": 5}, {}, "the option password is ignored: expected a string, got a int"),
    ({"headers": {"bad name": "v"}}, {}, "the option headers is ignored: expected a dictionary of valid HTTP headers"),
    ({"headers": {"x-a": "v\n"}}, {}, "the option headers is ignored"),
    ({"experimentId": "1"}, {}, "the option experimentId is not known"),
    ({}, {"MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "later"}, "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING is ignored: expected true"),
    ({}, {"MLFLOW_EXPERIMENT_ID": "main"}, "the experiment id is ignored"),
    ({}, {"OTEL_BSP_MAX_QUEUE_SIZE": "many"}, "OTEL_BSP_MAX_QUEUE_SIZE is ignored: expected a whole number above 0"),
    (
        {"tracking_uri": "sqlite:///mlflow.db"},
        {},
        "no traces are collected: `sqlite:` URIs need MLflow's Python library",
    ),
    ({"tracking_uri": "./mlruns"}, {}, "no traces are collected: paths need"),
    ({"tracking_uri": "localhost:5000"}, {}, "the tracking URI has no scheme: http:// is taken"),
    (
        {},
        {"MLFLOW_TRACKING_INSECURE_TLS": "true", "MLFLOW_TRACKING_SERVER_CERT_PATH": "a.pem"},
        "MLFLOW_TRACKING_INSECURE_TLS is ignored",
    ),
]


@pytest.mark.parametrize(("options", "variables", "complaint"), BAD)
def test_a_bad_value_is_named_once_and_the_default_holds(monkeypatch, options, variables, complaint):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    _, complaints = _settings(**options)
    assert [complaint in each for each in complaints] == [True], complaints


def test_a_complaint_shows_no_secret():
    _, complaints = _settings(password=["s3cret"], token=b"s3cret", headers={"x": "s3cret\n"}, tracking_uri=b"s3cret")
    assert len(complaints) == 4 and "s3cret" not in str(complaints)


@pytest.mark.parametrize(
    ("variable", "key", "becomes"),
    [
        ("INPUTS", "input.value", "__REDACTED__"),
        ("OUTPUTS", "output.value", "__REDACTED__"),
        ("INPUT_MESSAGES", "llm.input_messages.0.message.role", None),
        ("OUTPUT_MESSAGES", "llm.output_messages.0.message.role", None),
        ("INPUT_TEXT", "llm.input_messages.0.message.content", "__REDACTED__"),
        ("OUTPUT_TEXT", "llm.output_messages.0.message.content", "__REDACTED__"),
        ("INPUT_IMAGES", "llm.input_messages.0.message.contents.0.message_content.image.image.url", None),
        ("EMBEDDING_VECTORS", "embedding.embeddings.0.embedding.vector", None),
        ("LLM_INVOCATION_PARAMETERS", "llm.invocation_parameters", None),
        ("PROMPTS", "llm.prompts.0", "__REDACTED__"),
        ("LLM_TOOLS", "llm.tools.0.tool.json_schema", None),
    ],
)
def test_a_privacy_setting_of_openinference_hides_its_attributes(monkeypatch, variable, key, becomes):
    monkeypatch.setenv(f"OPENINFERENCE_HIDE_{variable}", "true")
    hide = read_hide_settings(print)
    assert hide is not None
    assert (hide("private", key), hide("kept", "llm.model_name")) == (becomes, "kept")


def test_long_images_are_redacted(monkeypatch):
    monkeypatch.setenv("OPENINFERENCE_BASE64_IMAGE_MAX_LENGTH", "30")
    hide = read_hide_settings(print)
    assert hide is not None
    key = "llm.input_messages.0.message.contents.0.message_content.image.image.url"
    assert hide("data:image/png;base64,AAAA", key) == "data:image/png;base64,AAAA"
    assert hide("data:image/png;base64," + "A" * 30, key) == "__REDACTED__"


def test_autolog_has_the_documented_signature_and_the_page_lists_every_option():
    parameters = inspect.signature(om.autolog).parameters
    assert list(parameters)[: len(POSITIONAL)] == POSITIONAL
    options = {field.name: field.default for field in dataclasses.fields(Options)}
    assert {name: parameter.default for name, parameter in parameters.items()} == options
    assert set(options) == _listed_options()
    documented = inspect.getdoc(om.autolog)
    assert documented is not None
    assert [name for name in options if not re.search(rf"\b{name}\b.*:", documented)] == []


def test_the_page_lists_every_variable_that_the_package_reads_and_no_other():
    listed = set(re.findall(r"\b(?:MLFLOW|OTEL|OPENINFERENCE|AWS)_[A-Z0-9_]+\b", PAGE))
    code = "\n".join(file.read_text() for file in SOURCES.rglob("*.py"))
    read = set(re.findall(r'"((?:MLFLOW|OTEL|OPENINFERENCE|AWS)_[A-Z0-9_]+)"', code))
    from openinference_mlflow.settings.hide import _RULES

    read |= {f"OPENINFERENCE_HIDE_{variable}" for rule in _RULES for variable in rule.variables}
    # The SDK, OpenTelemetry's own command, and urllib read these.
    elsewhere = {"OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG", "OTEL_PYTHON_DISTRO"}
    assert listed - elsewhere == read
    assert elsewhere <= listed


def test_every_option_and_variable_of_the_page_is_in_a_test():
    tests = "\n".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))
    names = _listed_options() | set(re.findall(r"\b(?:MLFLOW|OTEL|OPENINFERENCE|AWS)_[A-Z0-9_]+\b", PAGE))
    hide = {name for name in names if name.startswith("OPENINFERENCE_HIDE_")}
    assert {name for name in names - hide if not re.search(rf"\b{name}\b", tests)} == set()
    assert {name for name in hide if f'"{name.removeprefix("OPENINFERENCE_HIDE_")}"' not in tests} == set()


def _listed_options() -> set[str]:
    rows = PAGE.partition("## Options")[2].partition("\n| variable |")[0]
    cells = re.findall(r"^\| ([^|]*) \|", rows, re.M)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def test_tracing_that_is_disabled_touches_nothing(mlflow):
    code = """
assert not hasattr(trace._set_tracer_provider, '__wrapped__')
with span('a') as one: assert not one.is_recording()
om.log_feedback('1' * 32, 'x', 1)
assert om.flush() and om.stats()['received'] == 0
"""
    done = run_app(code, mlflow.uri, OPENINFERENCE_MLFLOW_DISABLED="true")
    assert (done.returncode, done.stderr, mlflow.paths) == (0, "", [])


def test_bad_options_and_calls_cost_no_span_and_raise_nothing(mlflow):
    code = """
om.autolog(batch='yes', flush_timeout=0, headers=3)
om.MlflowSpanProcessor(batch=5, unknown=6)
om.log_feedback(om.last_trace_id(), 'x', 1)
om.log_feedback('1' * 32, 'x', object())
assert om.get_trace_url() is None
om.set_tracking_uri(5)
with span('a'): pass
"""
    done = run_app(code, mlflow.uri)
    assert done.returncode == 0, done.stderr
    assert mlflow.names() == ["a"]
    expected = ["option batch", "option headers", "option flush_timeout", "option batch", "option unknown"]
    expected += ["log_feedback() is ignored: trace_id is None", "log_feedback() is ignored: TypeError"]
    expected += ["option tracking_uri", "traces are at"]
    lines = done.stderr.splitlines()
    assert [text in line for text, line in zip(expected, lines, strict=True)] == [True] * 9, lines


def test_later_calls_change_what_they_give_and_flags_of_mlflow_hold_for_their_call(mlflow):
    code = f"""
om.autolog(headers={{'x-key': 'k'}})
om.autolog(log_traces=False)
with span('not collected'): pass
om.autolog()
om.set_experiment('x')
with span('a'): pass
assert om.flush() and om.get_trace_url() == om.get_trace_url(om.last_trace_id()) != None
assert '/experiments/7/' in om.get_trace_url()
om.set_experiment(experiment_id='12')
assert '/experiments/12/' in om.get_trace_url()
with span('b'): pass
om.set_experiment('x')
om.shutdown()
with span('not collected'): pass
om.autolog(tracking_uri={mlflow.uri!r})
with span('c'): pass
"""
    done = run_app(code, mlflow.uri)
    assert done.returncode == 0, done.stderr
    assert mlflow.names() == ["a", "b", "c"]
    sent = [each for path, each in zip(mlflow.paths, mlflow.headers, strict=True) if path == "/v1/traces"]
    assert [(each["x-mlflow-experiment-id"], each["x-key"]) for each in sent] == [("7", "k"), ("12", "k"), ("7", "k")]


@pytest.mark.parametrize(
    ("option", "first"), [("openinference_only", True), ("flush_on_exit", False), ("flush_on_signals", True)]
)
def test_a_later_call_may_give_the_default_again_and_one_without_the_option_keeps_it(mlflow, option, first):
    code = f"""
from openinference_mlflow.state import shared
def holds():
    settings = shared().pipeline.settings
    return getattr(settings, {option!r}, getattr(settings.delivery, {option!r}, None))
seen = []
for options in ({{{option!r}: {first}}}, {{}}, {{{option!r}: {not first}}}):
    om.autolog(**options)
    seen.append(holds())
assert seen == [{first}, {first}, {not first}], seen
"""
    done = run_app(code, mlflow.uri)
    assert done.returncode == 0, done.stderr


def test_without_a_flush_on_exit_the_process_says_what_it_leaves(mlflow):
    code = "om.autolog(flush_on_exit=False)\nfor _ in range(3):\n    with span('a'): pass\n"
    done = run_app(code, mlflow.uri, OTEL_BSP_SCHEDULE_DELAY="60000")
    assert done.returncode == 0
    assert "the process ends before 3 spans are delivered" in done.stderr


def test_a_sampler_holds_while_there_is_no_provider(mlflow):
    code = """
for _ in range(200):
    with span('root'):
        with span('child'): pass
"""
    environment = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.5"}
    done = run_app(code, mlflow.uri, **environment)
    assert done.returncode == 0, done.stderr
    roots, children = (mlflow.names().count(name) for name in ("root", "child"))
    assert roots == children and 50 < roots < 150


@pytest.mark.parametrize("variable", [None, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT"])
def test_a_long_conversation_is_whole_unless_a_limit_is_set(mlflow, variable):
    code = "with span('root', **{f'llm.input_messages.{n}.message.content': 'x' for n in range(300)}): pass\n"
    done = run_app(code, mlflow.uri, **({variable: "200"} if variable else {}))
    assert done.returncode == 0, done.stderr
    (span,) = mlflow.spans()
    assert sum(each.key.startswith("llm.input_messages") for each in span.attributes) == (200 if variable else 300)


def test_what_mlflow_set_in_code_holds_whenever_it_was_set(mlflow):
    """MLflow's own client is installed elsewhere: test_real_mlflow.py runs beside the real one."""
    code = f"""
import types
for name in ('mlflow', 'mlflow.tracking', 'mlflow.tracking._tracking_service'):
    sys.modules[name] = types.ModuleType(name)
uris = sys.modules['mlflow.tracking._tracking_service.utils'] = types.ModuleType('utils')
fluent = sys.modules['mlflow.tracking.fluent'] = types.ModuleType('fluent')
uris._tracking_uri, fluent._active_experiment_id = {mlflow.uri!r}, '21'
processor = om.MlflowSpanProcessor()
from opentelemetry.sdk.trace import TracerProvider
provider = TracerProvider()
provider.add_span_processor(processor)
with provider.get_tracer('t').start_as_current_span('before'): pass
assert om.flush(), om.stats()
uris._tracking_uri, fluent._active_experiment_id = {mlflow.uri!r} + '/moved', '22'
with provider.get_tracer('t').start_as_current_span('after'): pass
om.flush(5)
"""
    done = run_app(code, mlflow.uri)
    assert done.returncode == 0, done.stderr
    sent = [
        (p, h["x-mlflow-experiment-id"]) for p, h in zip(mlflow.paths, mlflow.headers, strict=True) if "traces" in p
    ]
    assert sent == [("/v1/traces", "21"), ("/moved/v1/traces", "22")]


def test_the_command_runs_a_program_or_a_module_with_its_instrumentors(mlflow, tmp_path):
    program = """
import sys, openai
client = openai.OpenAI(api_key='none', base_url=sys.argv[1] + '/v1', max_retries=0)
client.chat.completions.create(model='gpt-4o-mini', messages=[{'role': 'user', 'content': 'Hi'}])
"""
    (tmp_path / "app.py").write_text(program)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "OTEL_"))}
    env |= {"MLFLOW_TRACKING_URI": mlflow.uri, "PYTHONPATH": str(SOURCES)}
    run = [sys.executable, "-m", "openinference_mlflow", "run"]
    for command in ([*run, "app.py"], [*run, "-m", "app"]):
        done = subprocess.run(
            [*command, mlflow.uri], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
    assert mlflow.names() == ["ChatCompletion", "ChatCompletion"]


def test_opentelemetrys_own_command_starts_the_package_as_a_distro(mlflow, tmp_path):
    """The sources with the entry points that an installed package has."""
    project = (SOURCES.parent / "pyproject.toml").read_text()
    distro = re.search(r'\[project.entry-points.opentelemetry_distro\]\n(\w+) = "(.*)"', project)
    assert distro is not None
    metadata = tmp_path / "openinference_mlflow-0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: openinference-mlflow\nVersion: 0\n")
    (metadata / "entry_points.txt").write_text(f"[opentelemetry_distro]\n{distro[1]} = {distro[2]}\n")
    (tmp_path / "app.py").write_text(
        "from opentelemetry import trace\nwith trace.get_tracer('app').start_as_current_span('root'): pass\n"
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "OTEL_"))}
    env |= {"MLFLOW_TRACKING_URI": mlflow.uri, "PYTHONPATH": f"{SOURCES}:{tmp_path}"}
    env |= {"OTEL_PYTHON_DISTRO": "openinference_mlflow", "OTEL_TRACES_EXPORTER": "none"}
    command = [str(Path(sys.executable).with_name("opentelemetry-instrument")), sys.executable, "app.py"]
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert mlflow.names() == ["root"], done.stderr
