"""Every command in README.md and docs/ is known here, and runs as it is written (ports and paths aside, which tests choose)."""

import hashlib
import os
import re
import shlex
import shutil
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from e2e.harness.certificate import make_certificate
from e2e.harness.environment import clean_environment
from e2e.harness.gateway import binary, run
from e2e.harness.kafka_broker import KafkaBroker
from e2e.harness.ports import free_ports
from e2e.harness.process import Process
from e2e.harness.readback import Reader
from e2e.harness.settings_table import rewrite, settings_table, with_settings_table
from e2e.harness.wait import eventually
from install import commands as installing

_REPOSITORY = Path(__file__).resolve().parents[2]

_DEMO = "make demo"
_TEST = "make test"
_MLFLOW = ".venv/bin/mlflow server --port 5000"
_SERVE = "target/release/openinference-mlflow serve --tracking-uri http://127.0.0.1:5000 --experiment my-agent"
_CURL = (
    "curl --fail --data-binary @host-native/demo/openai_agents.pb "
    "--header 'content-type: application/x-protobuf' http://127.0.0.1:4318/v1/traces"
)
_ADD_SENDER = "target/release/openinference-mlflow auth add team-a --auth-file senders"
_SERVE_A_TEAM = (
    "target/release/openinference-mlflow serve --grpc-listen 0.0.0.0:4317 --http-listen 0.0.0.0:4318 "
    "--tls-cert server.pem --tls-key server.key --auth-file senders"
)
_AGENT = "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 python my_agent.py"

_PAGES = [_REPOSITORY / "README.md", *sorted((_REPOSITORY / "docs").glob("*.md"))]
# Tests of the two packages run the commands of these pages.
_TESTED_ELSEWHERE = ("node.md", "python.md")
_MY_AGENT = _REPOSITORY / "docs/examples/my_agent.py"
# In docs/, where the gateway is on the PATH.
_PROGRAM = "openinference-mlflow"
_DOCTOR = f"{_PROGRAM} doctor --tracking-uri http://127.0.0.1:5000 --experiment my-agent"
_REPLAY = f"{_PROGRAM} replay traces --tracking-uri http://127.0.0.1:5000"
_STATUS = f"{_PROGRAM} status --once"
_QUARANTINE_LIST = f"{_PROGRAM} quarantine list"
_QUARANTINE_REPLAY = f"{_PROGRAM} quarantine replay --all --tracking-uri http://127.0.0.1:5000"
# test_import.py runs these against a real Phoenix.
_IMPORT = [
    f"{_PROGRAM} import --from-phoenix http://127.0.0.1:6006 --all-projects --dry-run",
    f"{_PROGRAM} import --from-phoenix http://127.0.0.1:6006 --project my-agent --tracking-uri http://127.0.0.1:5000",
]
_FORWARD = f"{_PROGRAM} serve --tracking-uri http://127.0.0.1:5000 --forward http://127.0.0.1:6006"
_KAFKA = "--tracking-uri http://127.0.0.1:5000 --kafka-brokers 127.0.0.1:9092 --no-receivers"
_SERVE_KAFKA = f"{_PROGRAM} serve {_KAFKA}"
_DOCTOR_KAFKA = f"{_PROGRAM} doctor {_KAFKA}"


def _commands(page: Path) -> list[str]:
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", page.read_text(), re.M | re.S)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


def test_every_command_is_run_here() -> None:
    readme = [_DEMO, _TEST, _MLFLOW, _SERVE, _CURL, _AGENT]
    short = [command.replace("target/release/", "") for command in (_SERVE, _ADD_SENDER, _SERVE_A_TEAM)]
    kafka = [_SERVE_KAFKA, _DOCTOR_KAFKA]
    docs = [*short, _AGENT, _DOCTOR, _REPLAY, _STATUS, _QUARANTINE_LIST, _QUARANTINE_REPLAY, _FORWARD, *_IMPORT, *kafka]
    assert sorted(_commands(_REPOSITORY / "README.md")) == sorted(readme)
    # `make test-dist` runs them.
    assert _commands(_REPOSITORY / "docs/install.md") == list(installing.ALL)
    elsewhere = (*_TESTED_ELSEWHERE, "install.md")
    found = [command for page in _PAGES[1:] if page.name not in elsewhere for command in _commands(page)]
    assert sorted(found) == sorted(docs)


def test_every_setting_is_in_the_gateways_page() -> None:
    page = _REPOSITORY / "docs/gateway.md"
    table = settings_table(run("serve", "--help").stdout.decode())
    if os.environ.get("UPDATE_EXPECT"):
        rewrite(page, table)
    assert page.read_text() == with_settings_table(page.read_text(), table), "UPDATE_EXPECT=1 writes the table anew"
    assert table.count("| `--") > 40


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_leads_to_a_file_and_a_heading_that_exist() -> None:
    beside = ("ARCHITECTURE.md", "CONTRIBUTING.md", "wit/README.md", "translator/README.md", "host-js/README.md", "host-python/README.md")
    pages = [_REPOSITORY / "README.md", *(_REPOSITORY / "docs").rglob("*.md"), *(_REPOSITORY / name for name in beside)]
    pages = [page for page in pages if "node_modules" not in page.parts]
    broken = []
    for page in pages:
        prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", prose):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            if not file.exists() or (anchor and anchor not in _anchors(file)):
                broken.append(f"{page.relative_to(_REPOSITORY)}: {target}")
    assert broken == []


def test_the_picture_of_the_architecture_is_made_from_its_source() -> None:
    digest = hashlib.sha256((_REPOSITORY / "docs/architecture.dot").read_bytes()).hexdigest()
    assert f"sha256 {digest}" in (_REPOSITORY / "docs/architecture.svg").read_text(), "run: make diagrams"


def test_the_readme_has_the_figures_of_the_complete_table() -> None:
    figures = r"\| *(\d+ of \d+) *\| *(\d+ of \d+) *\|"
    readme = re.findall(figures, (_REPOSITORY / "README.md").read_text())
    complete = re.findall(figures, (_REPOSITORY / "translator/README.md").read_text())
    assert len(readme) == 6 and set(readme) <= set(complete), "copy them from translator/README.md"


def test_the_readme_is_short() -> None:
    assert len((_REPOSITORY / "README.md").read_text().splitlines()) <= 150


def _short(command: str, data: Path, mlflow: str) -> list[str]:
    """A command of docs/ as the binary that the tests run takes it."""
    name, *rest = shlex.split(command.replace("http://127.0.0.1:5000", mlflow))
    assert name == _PROGRAM
    return [str(binary()), "--data-dir", str(data), *rest]


def test_a_trace_from_the_local_folder_reaches_mlflow_later(tmp_path: Path, ports: dict[str, int]) -> None:
    data, uri = tmp_path / "data", f"http://127.0.0.1:{ports['mlflow']}"
    environment = clean_environment(MLFLOW_WORKERS="1", MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false")

    def play(command: str) -> subprocess.CompletedProcess[str]:
        words = _short(command, data, uri)
        return subprocess.run(words, cwd=data, env=environment, capture_output=True, text=True, timeout=60)

    assert run("--data-dir", str(data), "demo").returncode == 0
    words = shlex.split(_MLFLOW.replace("5000", str(ports["mlflow"])))
    mlflow = [str(Path(sys.executable).parent / "mlflow"), *words[1:]]
    server = Process("mlflow", mlflow, environment, tmp_path / "mlflow.log", tmp_path)
    try:
        eventually(lambda: _answers(f"{uri}/health", server), "MLflow answers", within=120)
        doctor = play(_DOCTOR)
        assert doctor.returncode == 0, doctor.stdout + doctor.stderr
        replayed = play(_REPLAY)
        assert replayed.returncode == 0, replayed.stderr
        assert play(_QUARANTINE_LIST).returncode == 0
        again = play(_QUARANTINE_REPLAY)
        assert again.returncode == 0, again.stderr
        reader = Reader(uri)
        names = [experiment.experiment_id for experiment in reader.client.search_experiments()]
        assert len(reader.client.search_traces(locations=names, max_results=50)) >= 6
    finally:
        server.terminate()


def test_a_gateway_that_forwards_shows_both_destinations(tmp_path: Path, ports: dict[str, int]) -> None:
    environment = clean_environment(
        OPENINFERENCE_MLFLOW_GRPC_LISTEN=f"127.0.0.1:{ports['grpc']}",
        OPENINFERENCE_MLFLOW_HTTP_LISTEN=f"127.0.0.1:{ports['http']}",
    )
    admin = f"127.0.0.1:{free_ports(1)[0]}"
    words = [*_short(_FORWARD, tmp_path / "data", f"http://127.0.0.1:{ports['mlflow']}"), "--admin-listen", admin]
    serve = Process("serve", words, environment, tmp_path / "serve.log", tmp_path)
    try:
        eventually(lambda: _answers(f"http://{admin}/healthz", serve), "serve answers", within=60)
        status = [*_short(_STATUS, tmp_path / "data", ""), "--url", f"http://{admin}"]
        shown = subprocess.run(status, env=environment, capture_output=True, text=True, timeout=60)
        assert "6006" in shown.stdout, shown.stdout + shown.stderr
    finally:
        serve.terminate()


def test_a_member_of_a_consumer_group_reads_the_topic(tmp_path: Path, ports: dict[str, int]) -> None:
    uri = f"http://127.0.0.1:{ports['mlflow']}"
    with KafkaBroker(tmp_path / "broker") as broker:
        broker.create_topic(2)

        def words(command: str) -> list[str]:
            return _short(command.replace("127.0.0.1:9092", broker.address), tmp_path / "data", uri)

        doctor = subprocess.run(words(_DOCTOR_KAFKA), env=clean_environment(), capture_output=True, text=True, timeout=60)
        assert "otlp_spans has 2 partitions" in doctor.stdout, doctor.stdout
        serve = Process("serve", words(_SERVE_KAFKA), clean_environment(), tmp_path / "serve.log", tmp_path)
        try:
            eventually(lambda: "got partitions [0, 1]" in serve.log_text(), "the partitions", within=60)
        finally:
            assert serve.terminate() == 0


def test_the_demo_draws_its_traces_and_says_how_to_go_on(tmp_path: Path) -> None:
    steps = subprocess.run(["make", "-n", "demo"], cwd=_REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert "cargo build --release" in steps and steps.rstrip().endswith("target/release/openinference-mlflow demo")

    tmp_path = tmp_path / "a user's folder"
    shown = run("--data-dir", str(tmp_path), "demo")

    assert shown.returncode == 0, shown.stderr.decode()
    text = (shown.stdout + shown.stderr).decode()
    for part in ["Agent workflow", "RETRIEVER", "429 Rate limit reached", "25 → 12", "replay", "--tracking-uri"]:
        assert part in text, part
    assert len(list(tmp_path.glob("traces/*/tr-*.json"))) >= 6
    # A user may paste them in another folder, with nothing on the PATH.
    pasted = [line.strip() for line in text.splitlines() if str(binary()) in line]
    assert len(pasted) == 2, text
    for command in pasted:
        known = subprocess.run(["sh", "-c", f"{command} --help"], cwd="/", env={}, capture_output=True, timeout=60)
        assert known.returncode == 0, known.stderr.decode()


def test_ci_runs_the_test_command_and_nothing_else() -> None:
    lines = (_REPOSITORY / ".ci/run").read_text().splitlines()
    doing = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]
    assert doing == [f"exec {_TEST}"]


@pytest.fixture
def ports() -> dict[str, int]:
    mlflow, grpc, http = free_ports(3)
    return {"mlflow": mlflow, "grpc": grpc, "http": http}


def test_the_quickstart_ends_with_an_agents_trace_in_mlflow(tmp_path: Path, ports: dict[str, int]) -> None:
    def words(command: str) -> list[str]:
        command = command.replace("5000", str(ports["mlflow"])).replace("4318", str(ports["http"]))
        first, *rest = shlex.split(command)
        # The tests' own interpreter is that of `.venv`, unless somebody runs them with another one.
        first = str(Path(sys.executable).parent / "mlflow") if first.endswith("bin/mlflow") else first
        return [first if first == "curl" else str(_REPOSITORY / first), *rest]

    environment = clean_environment(
        # Three more workers, and the consumers of background jobs, would start interpreters that nothing here needs.
        MLFLOW_WORKERS="1",
        MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false",
        OPENINFERENCE_MLFLOW_GRPC_LISTEN=f"127.0.0.1:{ports['grpc']}",
        OPENINFERENCE_MLFLOW_HTTP_LISTEN=f"127.0.0.1:{ports['http']}",
        OPENINFERENCE_MLFLOW_DATA_DIR=str(tmp_path / "data"),
    )
    server = Process("mlflow", words(_MLFLOW), environment, tmp_path / "mlflow.log", tmp_path)
    serve = Process("serve", words(_SERVE), environment, tmp_path / "serve.log", tmp_path)
    try:
        uri = f"http://127.0.0.1:{ports['mlflow']}"
        eventually(lambda: _answers(f"{uri}/health", server), "MLflow answers", within=120)
        subprocess.run(words(_CURL), cwd=_REPOSITORY, env=environment, check=True, timeout=30)
        shutil.copy(_MY_AGENT, tmp_path)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        command = _AGENT.replace("4318", str(ports["http"]))
        subprocess.run(["bash", "-c", command], cwd=tmp_path, env={**environment, "PATH": path}, check=True, timeout=60)

        reader = Reader(uri)
        names = eventually(lambda: _two_names(reader), "two traces in my-agent", within=60)
        assert names == ["Agent workflow", "my agent"]
    finally:
        assert serve.terminate() == 0
        server.terminate()


def test_a_team_sends_over_tls_with_the_token_that_was_made_for_it(tmp_path: Path, ports: dict[str, int]) -> None:
    certificate = make_certificate(tmp_path)
    environment = clean_environment(OPENINFERENCE_MLFLOW_DATA_DIR=str(tmp_path / "data"))

    def words(command: str) -> list[str]:
        # Where strangers cannot reach it while the test runs.
        command = command.replace("0.0.0.0:4317", f"127.0.0.1:{ports['grpc']}")
        first, *rest = shlex.split(command.replace("0.0.0.0:4318", f"127.0.0.1:{ports['http']}"))
        return [str(_REPOSITORY / first), *rest]

    made = subprocess.run(words(_ADD_SENDER), cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    token = made.stdout.strip()
    serve = Process("serve", words(_SERVE_A_TEAM), environment, tmp_path / "serve.log", tmp_path)
    try:
        url = f"https://127.0.0.1:{ports['http']}"
        export = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": url,
            "OTEL_EXPORTER_OTLP_CERTIFICATE": str(certificate),
            "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{token}",
            # Where a machine sets them, requests trusts these instead of those of the exporter.
            "REQUESTS_CA_BUNDLE": "",
            "CURL_CA_BUNDLE": "",
        }
        eventually(lambda: _answers_over_tls(url, certificate, serve), "serve answers", within=60)
        shutil.copy(_MY_AGENT, tmp_path)
        agent = [sys.executable, "my_agent.py"]
        subprocess.run(agent, cwd=tmp_path, env={**environment, **export}, check=True, timeout=60)
    finally:
        assert serve.terminate() == 0
    assert len(list((tmp_path / "data").glob("traces/*/tr-*.json"))) == 1


def _answers_over_tls(url: str, certificate: Path, process: Process) -> bool | None:
    process.require_running()
    try:
        with urllib.request.urlopen(url, timeout=5, context=ssl.create_default_context(cafile=certificate)):
            return True
    except urllib.error.HTTPError as answer:
        return answer.code == 404
    except OSError:
        return None


def _two_names(reader: Reader) -> list[str] | None:
    experiment = reader.client.get_experiment_by_name("my-agent")
    if experiment is None:
        return None
    traces = reader.client.search_traces(locations=[experiment.experiment_id], max_results=10)
    names = sorted(trace.info.tags["mlflow.traceName"] for trace in traces)
    return names if len(names) == 2 else None


def _answers(url: str, process: Process) -> bool | None:
    process.require_running()
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return None
