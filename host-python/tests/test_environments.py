"""Where applications run: asyncio, spawned processes, gunicorn's workers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from conftest import PREAMBLE, SOURCES, run_app


def test_tasks_of_asyncio_keep_their_own_parents(mlflow):
    code = """
import asyncio
async def task(number):
    with span(f'task-{number}'):
        await asyncio.sleep(0)
        with span(f'step-{number}'): await asyncio.sleep(0)
async def main():
    with span('root'):
        await asyncio.gather(*map(task, range(20)))
asyncio.run(main())
"""
    done = run_app(code, mlflow.uri)
    assert done.returncode == 0, done.stderr
    spans = {span.name: span for span in mlflow.spans()}
    assert len(spans) == len(mlflow.spans()) == 41
    for number in range(20):
        task, step = spans[f"task-{number}"], spans[f"step-{number}"]
        assert (task.parent_span_id, step.parent_span_id) == (spans["root"].span_id, task.span_id)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_processes_that_import_the_program_again_deliver_their_spans(mlflow, tmp_path, method):
    """Such a child runs the program's module, `autolog()` included, before its own function."""
    program = (
        PREAMBLE.format(sources=str(SOURCES), uri=mlflow.uri)
        + f"""
import multiprocessing
def work():
    with span('child'): pass
if __name__ == '__main__':
    with span('parent'):
        process = multiprocessing.get_context({method!r}).Process(target=work)
        process.start()
        process.join()
    assert process.exitcode == 0
"""
    )
    (tmp_path / "app.py").write_text(program)
    done = subprocess.run([sys.executable, tmp_path / "app.py"], env=_environment(), timeout=120)
    assert done.returncode == 0
    assert mlflow.names() == ["child", "parent"]


def test_every_worker_of_gunicorn_delivers_its_spans(mlflow, tmp_path):
    """The program is loaded once and forked into the workers; SIGTERM ends them."""
    program = (
        PREAMBLE.format(sources=str(SOURCES), uri=mlflow.uri)
        + """
import os
with span('loaded'): pass
def app(environ, start_response):
    with span(f"{environ['PATH_INFO']} of {os.getpid()}"): pass
    start_response('200 OK', [('content-type', 'text/plain')])
    return [str(os.getpid()).encode()]
"""
    )
    (tmp_path / "served.py").write_text(program)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--preload", "--workers", "2", "--bind", f"127.0.0.1:{port}"]
    server = subprocess.Popen(
        [*command, "--chdir", str(tmp_path), "served:app"], env=_environment(), stderr=subprocess.PIPE, text=True
    )
    wanted = {"loaded"}
    try:
        workers: set[str] = set()
        deadline = time.monotonic() + 60
        for number in range(10_000):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/{number}", timeout=10) as answer:
                    worker = answer.read().decode()
            except OSError:
                assert server.poll() is None and time.monotonic() < deadline, "gunicorn does not start"
                time.sleep(0.1)
                continue
            workers.add(worker)
            wanted.add(f"/{number} of {worker}")
            if len(workers) == 2:
                break
    finally:
        server.terminate()
        _, err = server.communicate(timeout=60)
    assert len(workers) == 2, err
    assert mlflow.names() == sorted(wanted), err


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "OTEL_"))}


def test_a_fork_while_the_translator_is_imported_leaves_both_processes_whole(mlflow):
    code = """
import os, threading, time
class SlowImport:
    def find_spec(self, name, path, target=None):
        if name == 'wasmtime':
            is_importing.set()
            time.sleep(0.5)
is_importing = threading.Event()
sys.meta_path.insert(0, SlowImport())
with span('parent'): pass
assert is_importing.wait(30)
child = os.fork()
if child == 0:
    with span('child'): pass
    os._exit(0 if om.flush(30) else 1)
assert os.waitpid(child, 0)[1] == 0
"""
    done = run_app(code, mlflow.uri)
    assert done.returncode == 0, done.stderr
    assert mlflow.names() == ["child", "parent"]
