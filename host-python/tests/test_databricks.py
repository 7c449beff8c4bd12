"""Where a Databricks workspace is, and what is said if something of it is missing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openinference_mlflow.settings.resolve import Options, resolve

HOST, TOKEN = {"DATABRICKS_HOST": "https://zero.example.com/"}, {"DATABRICKS_TOKEN": "s3cret0"}
PROFILES = """\
; made by a tool
[DEFAULT]
host = https://one.example.com
token = s3cret1

[team]
host: two.example.com
# token = old
token = s3cret2%=

[empty]
host = https://three.example.com
"""


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith(("MLFLOW_", "DATABRICKS_")):
            monkeypatch.delenv(name)
    (tmp_path / ".databrickscfg").write_text(PROFILES)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACING_DESTINATION", "main.traces.agent")


@pytest.mark.parametrize(
    ("uri", "variables", "expected"),
    [
        ("databricks", HOST | TOKEN, ("https://zero.example.com", "s3cret0")),
        ("databricks", {}, ("https://one.example.com", "s3cret1")),
        ("databricks://team", {}, ("https://two.example.com", "s3cret2%=")),
        ("databricks://team/", TOKEN, ("https://two.example.com", "s3cret0")),
        ("databricks://empty", TOKEN, ("https://three.example.com", "s3cret0")),
        ("databricks://team", HOST | TOKEN, ("https://zero.example.com", "s3cret0")),
        ("databricks", {"DATABRICKS_CONFIG_PROFILE": "team"}, ("https://two.example.com", "s3cret2%=")),
    ],
)
def test_variables_win_and_a_profile_brings_the_rest(monkeypatch, uri, variables, expected):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    complaints: list[str] = []
    holds = resolve(Options(tracking_uri=uri, username="u", password="p"), complaints.append)
    delivery = holds.delivery
    found = (delivery.tracking_uri, dict(delivery.headers)["authorization"].removeprefix("Bearer "))
    assert (holds.is_enabled, found, delivery.trace_location) == (True, expected, "main.traces.agent")
    assert complaints == []


def test_options_win_over_variables(monkeypatch):
    for name, value in (HOST | TOKEN).items():
        monkeypatch.setenv(name, value)
    delivery = resolve(Options(tracking_uri="databricks", token="t", trace_location="a.b"), print).delivery
    assert (dict(delivery.headers), delivery.trace_location) == ({"authorization": "Bearer t"}, "a.b")


@pytest.mark.parametrize(
    ("uri", "variables", "complaint"),
    [
        ("databricks", HOST, "DATABRICKS_TOKEN is not set"),
        ("databricks", TOKEN, "DATABRICKS_HOST is not set"),
        ("databricks://empty", {}, "the profile empty has no token"),
        ("databricks://nobody", TOKEN, "has no profile nobody"),
        ("databricks", {"DATABRICKS_CONFIG_FILE": "/nowhere"}, "/nowhere cannot be read"),
        ("databricks://scope:prefix", {}, "a secret scope"),
        ("databricks", {"MLFLOW_TRACING_DESTINATION": ""}, "name the location"),
        ("databricks", {"MLFLOW_TRACING_DESTINATION": "12345"}, "name the location"),
        ("databricks", {"MLFLOW_TRACING_DESTINATION": "a..b"}, "name the location"),
        ("databricks-uc", {}, "paths need"),
    ],
)
def test_what_is_missing_is_named_without_a_secret(monkeypatch, uri, variables, complaint):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    complaints: list[str] = []
    assert not resolve(Options(tracking_uri=uri), complaints.append).is_enabled
    assert [complaint in each and "s3cret" not in each for each in complaints] == [True], complaints
