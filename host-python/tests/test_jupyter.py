"""A real kernel: cells, `autolog()` again, an interrupt, a restart."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

jupyter_client = pytest.importorskip("jupyter_client", reason="only the environment with the newest SDK has Jupyter")

from jupyter_client.manager import KernelManager  # noqa: E402

SETUP = """
import sys
sys.path.insert(0, {sources!r})
import openinference_mlflow as om
from opentelemetry import trace
om.autolog(tracking_uri={uri!r}, experiment='x')
def span(name): return trace.get_tracer('cell').start_as_current_span(name)
"""
SOURCES = str(Path(__file__).resolve().parents[1] / "src")


class Notebook:
    """Runs cells in a kernel."""

    def __init__(self, uri: str) -> None:
        self._setup = SETUP.format(sources=SOURCES, uri=uri)
        self._manager = KernelManager()
        self._manager.kernel_spec.argv[0] = sys.executable
        self._manager.start_kernel()
        self._connect()

    def _connect(self) -> None:
        self._client = self._manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)

    def autolog(self) -> str:
        """Runs the cell that people put at the top of a notebook."""
        return self.run(self._setup)

    def run(self, code: str) -> str:
        """What the cell printed; an exception of the cell is the last line."""
        printed: list[str] = []

        def note(message: dict) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                printed.append(content["text"])
            elif message["msg_type"] == "error":
                printed.append(content["ename"])

        self._client.execute_interactive(code, timeout=120, output_hook=note, allow_stdin=False)
        return "".join(printed)

    def start(self, code: str) -> None:
        """Does not wait for the cell."""
        self._client.execute(code)

    def wait_for_output(self, text: str) -> None:
        while True:
            message = self._client.get_iopub_msg(timeout=60)
            if message["msg_type"] == "stream" and text in message["content"]["text"]:
                return

    def interrupt(self) -> None:
        """Ends the running cell."""
        self._manager.interrupt_kernel()
        assert self._client.get_shell_msg(timeout=60)["content"]["ename"] == "KeyboardInterrupt"

    def restart(self) -> None:
        self._client.stop_channels()
        self._manager.restart_kernel(now=False)
        self._connect()

    def close(self) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


@pytest.fixture
def notebook(mlflow) -> Iterator[Notebook]:
    opened = Notebook(mlflow.uri)
    yield opened
    opened.close()


def test_cells_interrupts_and_restarts(mlflow, notebook):
    assert notebook.autolog() == ""
    printed = notebook.run("with span('first'): pass\nassert om.flush()")
    assert printed.count("traces are at ") == 1

    # The top cell again: one delivery, and nothing is said twice.
    assert notebook.autolog() == ""
    assert notebook.run("with span('second'): pass\nassert om.flush()") == ""
    assert mlflow.names() == ["first", "second"]

    # An interrupted cell: its span ends with the exception, and arrives like any other.
    notebook.start("import time\nwith span('interrupted'):\n    print('waiting', flush=True)\n    time.sleep(600)")
    notebook.wait_for_output("waiting")
    notebook.interrupt()
    assert notebook.run("assert om.flush()") == ""
    assert mlflow.names() == ["first", "interrupted", "second"]

    # An interrupted flush, while the server does not answer, loses nothing.
    mlflow.status = 503
    notebook.start("with span('held'): pass\nprint('flushing', flush=True)\nom.flush()")
    notebook.wait_for_output("flushing")
    notebook.interrupt()
    mlflow.status = 200
    assert "AssertionError" not in notebook.run("assert om.flush(60), om.stats()")
    assert mlflow.names() == ["first", "held", "interrupted", "second"]

    # A restart ends the process as its natural end does: what waits is sent, and the new process begins anew.
    notebook.run("with span('before the restart'): pass")
    notebook.restart()
    assert "before the restart" in mlflow.names()
    assert "NameError" in notebook.run("om")
    notebook.autolog()
    assert notebook.run("with span('after'): pass\nassert om.flush()").count("traces are at ") == 1
    assert mlflow.names() == ["after", "before the restart", "first", "held", "interrupted", "second"]
