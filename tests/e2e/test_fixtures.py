"""The fixtures are what their makers make, and the manifest is true."""

import json

import pytest

from capture.fixture_files import FOLDER, MANIFEST
from capture.handbuilt import CASES


@pytest.mark.parametrize("name", CASES)
def test_a_hand_built_payload_is_what_its_builder_builds(name: str) -> None:
    case = CASES[name]()
    on_disk = (FOLDER / f"{name}{case.suffix}").read_bytes()
    assert on_disk == case.body, "run `python -m capture.handbuilt` in tests/ and review what changed"


def test_the_manifest_has_an_entry_for_every_payload_and_no_other() -> None:
    payloads = {path.name for path in FOLDER.iterdir() if path.suffix in {".pb", ".json"}} - {MANIFEST.name}
    assert set(json.loads(MANIFEST.read_text())) == payloads


def test_no_payload_names_the_machine_that_captured_it() -> None:
    repository = str(FOLDER.parents[2]).encode()
    assert [path.name for path in FOLDER.iterdir() if repository in path.read_bytes()] == []
