"""Brokers that want TLS, a certificate or a password. What is wrong is said in one message that names the option and no secret; the
receivers go on; and once the brokers accept, the topic is read."""

import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from capture.handbuilt.builder import request
from e2e.harness import example
from e2e.harness.certificate import make_certificate
from e2e.harness.gateway import Gateway, run
from e2e.harness.kafka_broker import GROUP, KafkaBroker
from e2e.harness.kafka_exporter import send
from e2e.harness.kafka_guard import KafkaGuard
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.readback import Reader

_USER, _PASSWORD, _WRONG = "gateway", "correct-horse", "battery-staple"
_QUICK = ("--settle", "50ms", "--kafka-group", GROUP)
_RETRY = {"session.timeout.ms": "6000", "reconnect.backoff.max.ms": "500"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def other_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("other"))


def _tls(certificate: Path, clients: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("server.key"))
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    return context


def _with_password(certificate: Path, **changed: str) -> dict[str, str]:
    properties = {
        "security.protocol": "sasl_ssl",
        "ssl.ca.location": str(certificate),
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": _USER,
        "sasl.password": _PASSWORD,
    }
    return properties | {name.replace("_", "."): value for name, value in changed.items()}


def _arguments(address: str, file: Path, properties: dict[str, str]) -> tuple[str, ...]:
    file.write_text("".join(f"{name}={value}\n" for name, value in (_RETRY | properties).items()))
    return ("--kafka-brokers", address, "--kafka-config-file", str(file))


def test_a_gateway_waits_for_its_password_to_be_accepted(
    folder: Path, tmp_path: Path, certificate: Path, mlflow_server: MlflowServer, reader: Reader
):
    guard = KafkaGuard(_tls(certificate), {_USER: _WRONG})
    direct, from_topic = example.agent("while the password is refused"), example.agent("once it is accepted")
    with KafkaBroker(tmp_path / "broker", guard=guard) as broker:
        arguments = _arguments(broker.address, tmp_path / "client", _with_password(certificate))
        with Gateway(folder, *_QUICK, *arguments, tracking_uri=mlflow_server.uri) as gateway:
            gateway.wait_for_log("the brokers refuse the credentials (sasl.username and sasl.password")
            example.payload(direct).post(gateway.traces_url).require(200)
            reader.wait_for_trace(direct.trace_id.hex(), 2)
            guard.users[_USER] = _PASSWORD
            broker.client_settings = _with_password(certificate)
            broker.create_topic(2)
            producer = broker.producer()
            send(producer, request(from_topic), keyed=True)
            producer.flush()
            reader.wait_for_trace(from_topic.trace_id.hex(), 2, within=60)
            gateway.wait_for_log("the brokers answer again")
            assert _PASSWORD not in gateway.log_text()
        for mechanism in ("PLAIN", "SCRAM-SHA-256"):
            properties = _with_password(certificate, sasl_mechanism=mechanism)
            said = _doctor(tmp_path, _arguments(broker.address, tmp_path / mechanism, properties))
            assert "otlp_spans has 2 partitions" in said, said


def test_a_client_certificate_lets_a_gateway_in(tmp_path: Path, certificate: Path, other_certificate: Path):
    guard = KafkaGuard(_tls(certificate, clients=other_certificate))
    trusted = {"security.protocol": "ssl", "ssl.ca.location": str(certificate)}
    own = {
        "ssl.certificate.location": str(other_certificate),
        "ssl.key.location": str(other_certificate.with_name("server.key")),
    }
    with KafkaBroker(tmp_path / "broker", guard=guard) as broker:
        broker.client_settings = trusted | own
        broker.create_topic(2)
        said = _doctor(tmp_path, _arguments(broker.address, tmp_path / "with", trusted | own))
        assert "otlp_spans has 2 partitions" in said, said
        said = _doctor(tmp_path, _arguments(broker.address, tmp_path / "without", trusted))
        assert "as if they wanted a certificate (ssl.certificate.location" in said, said


def test_what_is_wrong_names_the_option_and_no_secret(
    tmp_path: Path, certificate: Path, other_certificate: Path, mlflow_server: MlflowServer
):
    locked = KafkaGuard(_tls(certificate), {_USER: _PASSWORD}, mechanisms=("SCRAM-SHA-512",))
    unencrypted = KafkaGuard(users={_USER: _PASSWORD})
    with (
        KafkaBroker(tmp_path / "locked", guard=locked) as broker,
        KafkaBroker(tmp_path / "unencrypted", guard=unencrypted) as unencrypted_broker,
    ):
        address, by_name = broker.address, broker.address.replace("127.0.0.1", "localhost")
        good = _with_password(certificate)
        wrong = {
            "another authority": (address, good | {"ssl.ca.location": str(other_certificate)}, "TLS fails (ssl.ca.location"),
            "another host": (by_name, good, "TLS fails (ssl.ca.location"),
            "another password": (address, good | {"sasl.password": _WRONG}, "credentials (sasl.username and sasl.password"),
            "another user": (address, good | {"sasl.username": "nobody"}, "credentials (sasl.username and sasl.password"),
            "another mechanism": (address, good | {"sasl.mechanism": "PLAIN"}, "this way to log in (sasl.mechanism"),
            "no TLS": (address, {}, "as if they had TLS (security.protocol"),
            "no TLS, a password": (address, good | {"security.protocol": "sasl_plaintext"}, "as if they had TLS (security.protocol"),
            "needless TLS": (unencrypted_broker.address, good, "as if they had no TLS (security.protocol"),
            "no password": (unencrypted_broker.address, {}, "as if they wanted a password (security.protocol and sasl.*"),
        }

        def say(name: str) -> tuple[str, str]:
            """What `doctor` and `serve` say of it."""
            address, properties, expected = wrong[name]
            arguments = _arguments(address, tmp_path / f"{name}.properties", properties)
            folder = tmp_path / f"gateway, {name}"
            with Gateway(folder, *_QUICK, *arguments, "--admin-listen", "off", tracking_uri=mlflow_server.uri) as gateway:
                gateway.wait_for_log(expected)
                # It takes payloads all the same.
                example.payload(example.agent(f"with {name}")).post(gateway.traces_url).require(200)
            return _doctor(tmp_path / f"doctor, {name}", arguments), gateway.log_text()

        with ThreadPoolExecutor(4) as pool:
            said = dict(zip(wrong, pool.map(say, wrong), strict=True))
    for name, (by_doctor, by_serve) in said.items():
        assert wrong[name][2] in by_doctor, (name, by_doctor)
        complaints = [line for line in by_serve.splitlines() if "WARN Kafka" in line]
        assert len(complaints) == 1, (name, complaints)
        assert not any(secret in by_doctor + by_serve for secret in (_PASSWORD, _WRONG)), name


def _doctor(folder: Path, arguments: tuple[str, ...]) -> str:
    places = ("--data-dir", str(folder / "data"), "--no-receivers", "--tracking-uri", "http://127.0.0.1:9")
    return run("doctor", *places, *arguments).stdout.decode()
