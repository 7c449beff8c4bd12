"""The newest MLflow as a company runs it shows what a server on one machine does."""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.compatibility import table, versions
from e2e.compatibility.delivery import Delivered, deliver, deliver_through
from e2e.compatibility.deployment import Deployment, authorization, deployment
from e2e.harness import example
from e2e.harness.gateway import Gateway
from e2e.harness.http import request

_NEWEST = versions.newest()
# Every fourth payload: the deployment checks the password's slow hash at every request, so that reading all of them back would
# take minutes.
_SAMPLE = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("deployment")


@pytest.fixture(scope="module")
def deployed(folder: Path) -> Iterator[Deployment]:
    with deployment(folder / "deployment") as running:
        yield running


@pytest.fixture(scope="module")
def delivered_to_deployment(deployed: Deployment, folder: Path) -> Delivered:
    return deliver_through(_NEWEST, deployed.uri, folder / "deployment", deployed.variables, one_in=_SAMPLE)


@pytest.fixture(scope="module")
def delivered_to_one_machine(folder: Path) -> Delivered:
    return deliver(_NEWEST, folder / "one machine", one_in=_SAMPLE)


def test_a_deployment_shows_everything_as_a_server_on_one_machine_does(
    delivered_to_one_machine: Delivered, delivered_to_deployment: Delivered
) -> None:
    columns = table.columns(delivered_to_one_machine)
    different = {each: table.differing(each, delivered_to_one_machine, delivered_to_deployment) for each in columns}
    assert different == dict.fromkeys(different, [])


def test_a_deployment_takes_every_request(
    delivered_to_one_machine: Delivered, delivered_to_deployment: Delivered
) -> None:
    assert Counter(delivered_to_deployment.quarantined) == Counter(delivered_to_one_machine.quarantined)
    assert 'topic="failing"' not in delivered_to_deployment.log


def test_the_attachments_of_a_deployment_are_in_its_object_store(deployed: Deployment, tmp_path: Path) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 32
    trace = example.agent("with a picture")
    key = "llm.input_messages.0.message.contents.0.message_content.image.image.url"
    trace.span("look", "LLM", {key: f"data:image/png;base64,{b64encode(picture).decode()}"}, parent="with a picture")
    variables = deployed.variables
    with Gateway(tmp_path / "gateway", "--experiment", "pictures", tracking_uri=deployed.uri, environment=variables) as gateway:
        example.payload(trace).post(gateway.traces_url).require(200)
    (stored,) = [body for key, body in deployed.objects.contents().items() if "/attachments/" in key]
    assert stored == picture


def test_the_deployment_is_one(deployed: Deployment) -> None:
    refused = request("GET", f"{deployed.uri}/api/2.0/mlflow/experiments/get?experiment_id=0")
    elsewhere = request("GET", deployed.uri.rpartition("/")[0] + "/version", headers=authorization())
    assert (refused.status, elsewhere.status) == (401, 404)
    assert deployed.log.read_text().count("Started server process") == 2
