"""MLflow versions before the newest: what they show, and that nothing is tried that they cannot take.

`make compat` compares all versions; these two lack the most.
"""

from pathlib import Path

import pytest

from e2e.compatibility import table, versions
from e2e.compatibility.delivery import Delivered, deliver_to

_TESTED = ("3.6.0", "3.12.0")
# What the gateway cannot mend, by version and column.
_DIFFERENT = {
    # Half of a surrogate pair in JSON: MLflow before 3.16 stores the trace and cannot read it.
    "3.12.0": {"hand_json_text_surrogate.pb"},
    # An empty session id: MLflow 3.8 to 3.13 stores it with its quotes, later versions store none.
    ("3.12.0", "session and user"): {"hand_session_odd.pb"},
}
_NEWEST = versions.newest()


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Delivered]:
    """Fails if a gateway did not deliver everything, or did not end at once."""
    return deliver_to([_NEWEST, *map(versions.old, _TESTED)], tmp_path_factory.mktemp("compatibility"))


@pytest.mark.parametrize("number", _TESTED)
@pytest.mark.parametrize("column", ["spans", "state", "session and user", "assessments"])
def test_the_version_shows_it_as_the_newest_does(
    delivered: dict[str, Delivered], number: str, column: str
) -> None:
    different = {name.split("/")[0] for name in table.differing(column, delivered[_NEWEST.number], delivered[number])}
    assert different == _DIFFERENT.get(number, set()) | _DIFFERENT.get((number, column), set())


@pytest.mark.parametrize("number", _TESTED)
def test_the_version_takes_every_request(delivered: dict[str, Delivered], number: str) -> None:
    assert delivered[number].quarantined == delivered[_NEWEST.number].quarantined
    assert 'topic="failing"' not in delivered[number].log


def test_every_version_is_on_the_page() -> None:
    on_the_page = [line.split("|")[1].strip() for line in table.read()[2:]]
    assert on_the_page == [*versions.OLD, _NEWEST.number]
