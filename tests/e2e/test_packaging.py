"""The packaging speaks of commands and variables that the program has."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from e2e.harness.environment import clean_environment
from e2e.harness.gateway import binary, run

_PACKAGING = Path(__file__).resolve().parents[2] / "host-native/packaging"
_UNIT = _PACKAGING / "openinference-mlflow.service"
_IMAGE = _PACKAGING / "Containerfile"
_OURS = re.compile(r"\b(?:OPENINFERENCE_MLFLOW|MLFLOW)_[A-Z_]+\b")
# Credentials have no flag, and so are not in the help.
_CREDENTIALS = {"MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"}


_COMPOSE_FILES = ("compose.yaml", "compose.kafka.yaml")


def _compose(name: str = "compose.yaml") -> dict:
    return yaml.safe_load((_PACKAGING / name).read_text())


def _gateways(name: str) -> list[dict]:
    return [service for each, service in _compose(name)["services"].items() if each.startswith("gateway")]


def _is_taken(*arguments: str) -> bool:
    """Whether the program knows the command and its flags: it then prints its help, and else an error."""
    return run(*arguments, "--help").returncode == 0


def _variables_of_serve() -> set[str]:
    return set(re.findall(r"\[env:\s+([A-Z_]+)\]", run("serve", "--help").stdout.decode())) | _CREDENTIALS


def test_the_units_command_is_one_that_the_program_takes() -> None:
    commands = re.findall(r"^ExecStart=/usr/local/bin/openinference-mlflow (.+)$", _UNIT.read_text(), re.M)
    assert len(commands) == 1
    assert _is_taken(*commands[0].split())


def test_the_unit_stops_later_than_the_program_gives_up() -> None:
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)s$", _UNIT.read_text(), re.M)
    (default,) = re.findall(r"--shutdown-timeout .*?\[default: (\d+)s\]", run("serve", "--help").stdout.decode(), re.S)
    assert int(seconds) > int(default)
    for gateway in (*_gateways("compose.yaml"), *_gateways("compose.kafka.yaml")):
        assert gateway["stop_grace_period"] == f"{seconds}s"


def test_every_variable_is_one_that_the_program_reads() -> None:
    named = {name for path in (_UNIT, _IMAGE) for name in _OURS.findall(path.read_text())}
    set_here = {variable for name in _COMPOSE_FILES for each in _gateways(name) for variable in each["environment"]}
    assert named and set_here
    assert named | set_here <= _variables_of_serve()


def test_the_images_commands_are_ones_that_the_program_takes() -> None:
    text = _IMAGE.read_text()
    for line in [r"^CMD (\[.*\])$", r"HEALTHCHECK .* CMD (\[.*\])$"]:
        (command,) = re.findall(line, text, re.M)
        words = [word for word in yaml.safe_load(command) if not word.startswith("/")]
        assert _is_taken(*words), words
    for gateway in (gateway for name in _COMPOSE_FILES for gateway in _gateways(name)):
        assert _is_taken(*gateway["command"])


@pytest.mark.parametrize("name", _COMPOSE_FILES)
def test_a_compose_files_mlflow_takes_its_command(name: str) -> None:
    program, *words = _compose(name)["services"]["mlflow"]["command"]
    assert program == "mlflow"
    # An unknown option is an error even beside --help.
    help_of = [sys.executable, "-m", "mlflow", *words, "--help"]
    answer = subprocess.run(help_of, env=clean_environment(), capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("name", _COMPOSE_FILES)
def test_a_compose_file_publishes_nothing_beyond_loopback_and_waits_for_services_that_are_there(name: str) -> None:
    compose = _compose(name)
    services = compose["services"]
    for each, service in services.items():
        assert set(service.get("depends_on", [])) <= set(services), each
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), each
        volumes = {volume.split(":")[0] for volume in service.get("volumes", [])}
        assert volumes <= set(compose["volumes"]), each
    for gateway in _gateways(name):
        build = gateway["build"]
        assert (_PACKAGING / build["context"] / build["dockerfile"]).resolve() == _IMAGE


@pytest.mark.parametrize("name", _COMPOSE_FILES)
def test_a_compose_files_mlflow_installs_the_driver_that_its_database_needs(name: str) -> None:
    mlflow = _compose(name)["services"]["mlflow"]
    (installed,) = re.findall(r"pip install --no-cache-dir (.+?) *\\\n", mlflow["build"]["dockerfile_inline"])
    (store,) = [urlsplit(word.split("=", 1)[1]) for word in mlflow["command"] if "--backend-store-uri=" in word]
    # Without a driver in the address, SQLAlchemy's version decides which one it is.
    assert store.scheme == "postgresql+psycopg2"
    assert any(package.startswith("psycopg2-binary==") for package in installed.split())


def test_the_compose_files_run_the_versions_that_are_tested() -> None:
    services = _compose()["services"]
    tests = _PACKAGING.parents[1] / "tests"
    (mlflow,) = re.findall(r"^mlflow\[auth\]==(.+)$", (tests / "requirements.txt").read_text(), re.M)
    kafka = _compose("compose.kafka.yaml")["services"]
    assert f" mlflow=={mlflow} " in kafka["mlflow"]["build"]["dockerfile_inline"]
    (phoenix,) = re.findall(r"^arize-phoenix==(.+)$", (tests / "requirements-phoenix.txt").read_text(), re.M)
    assert f" mlflow=={mlflow} " in services["mlflow"]["build"]["dockerfile_inline"]
    assert services["phoenix"]["image"].endswith(f":version-{phoenix}")


def test_the_gateways_variables_have_values_that_the_program_takes_and_name_services_that_are_there(
    tmp_path: Path,
) -> None:
    services = _compose()["services"]
    environment = services["gateway"]["environment"]
    named = {name: urlsplit(value) for name, value in environment.items() if "://" in value}
    assert set(named) == {"MLFLOW_TRACKING_URI", "OPENINFERENCE_MLFLOW_FORWARD"}
    for name, url in named.items():
        published = [port.rsplit(":", 1)[1] for port in services[url.hostname]["ports"]]
        assert str(url.port) in published, name

    # Settings are read before anything else, and the port at the end is none that can be had.
    refused = {**environment, "OPENINFERENCE_MLFLOW_GRPC_LISTEN": "192.0.2.1:1"}
    answer = run("--data-dir", str(tmp_path), "serve", environment=refused)
    said = answer.stderr.decode()
    assert answer.returncode == 1 and "failed to bind 192.0.2.1:1" in said, said


def test_the_members_variables_have_values_that_the_program_takes(tmp_path: Path) -> None:
    services = _compose("compose.kafka.yaml")["services"]
    for number, gateway in enumerate(_gateways("compose.kafka.yaml")):
        environment = gateway["environment"]
        assert urlsplit(environment["MLFLOW_TRACKING_URI"]).hostname in services
        assert environment["OPENINFERENCE_MLFLOW_KAFKA_BROKERS"].split(":")[0] in services
        # As above. It opens no receivers.
        refused = {**environment, "OPENINFERENCE_MLFLOW_ADMIN_LISTEN": "192.0.2.1:1"}
        answer = run("--data-dir", str(tmp_path / str(number)), *gateway["command"], environment=refused)
        said = answer.stderr.decode()
        assert answer.returncode == 1 and "192.0.2.1:1" in said and "WARN" not in said, said


def test_the_collector_of_the_compose_file_writes_what_the_gateways_read() -> None:
    compose = _compose("compose.kafka.yaml")
    exporter = yaml.safe_load(compose["configs"]["collector"]["content"])["exporters"]["kafka"]
    page = (_PACKAGING.parents[1] / "docs/scaling.md").read_text()
    pages = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", page, re.M | re.S)]
    (in_page,) = [each["exporters"]["kafka"] for each in pages if "kafka" in each["exporters"]]
    assert exporter == in_page
    for gateway in _gateways("compose.kafka.yaml"):
        assert [gateway["environment"]["OPENINFERENCE_MLFLOW_KAFKA_BROKERS"]] == exporter["brokers"]
    serve = run("serve", "--help").stdout.decode()
    assert f"[default: {exporter['traces']['topic']}]" in " ".join(serve.split())
    assert f"[default: {exporter['traces']['encoding']}]" in " ".join(serve.split())
    assert f"--topic={exporter['traces']['topic']}" in compose["services"]["topic"]["command"]


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / _UNIT.name
    unit.write_text(_UNIT.read_text().replace("/usr/local/bin/openinference-mlflow", str(binary())))
    assert str(binary()) in unit.read_text()
    if systemd := shutil.which("systemd-analyze"):
        verified = subprocess.run([systemd, "verify", str(unit)], capture_output=True, text=True, timeout=60)
        assert (verified.returncode, verified.stderr) == (0, "")


def test_a_build_without_the_webassembly_target_says_what_to_do_in_one_line(tmp_path: Path) -> None:
    built = _PACKAGING.parents[1].glob("target/*/build/openinference-mlflow-component-encoded-*/build-script-build")
    newest = max(built, key=lambda path: path.stat().st_mtime)
    # A Rust whose libraries are somewhere else.
    compiler = tmp_path / "rustc"
    compiler.write_text(f"#!/bin/sh\necho {tmp_path}/lib/rustlib/wasm/lib\n")
    compiler.chmod(0o755)
    environment = {
        "RUSTC": str(compiler),
        "CARGO_MANIFEST_DIR": str(_PACKAGING.parents[1] / "translator/component/encoded"),
        "OUT_DIR": str(tmp_path),
    }
    done = subprocess.run([newest], env=environment, capture_output=True, text=True, timeout=60)
    # Cargo shows what comes after this word, and nothing else that a failed build script wrote as instructions.
    said = [line.removeprefix("cargo::error=") for line in done.stdout.splitlines() if line.startswith("cargo::error=")]
    target = "wasm32-unknown-unknown"
    assert (done.returncode, said) == (1, [f"Rust has no {target} target; run: rustup target add {target}"])
    assert done.stderr == ""
