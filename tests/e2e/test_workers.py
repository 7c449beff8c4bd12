"""That pytest-xdist keeps together what shares a server or an installation. Otherwise two workers install into one folder."""

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="there is one worker")
def test_the_tests_of_a_file_are_one_workers(request: pytest.FixtureRequest) -> None:
    assert request.node.nodeid.endswith(f"@{request.node.path.name}")
