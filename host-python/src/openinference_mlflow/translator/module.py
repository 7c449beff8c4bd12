"""The WebAssembly module of this package, compiled for this machine.

Compiling takes seconds, so the machine code is kept in a cache folder and used by the next process. A file there is
machine code that this process will run: the folder belongs to this user alone, files appear under their final name only
when they are whole, and a digest at the end of each file is verified before use. Without a folder that can be trusted,
each process compiles in memory.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import stat
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import wasmtime

_WASM = Path(__file__).with_name("translator.wasm")
_DIGEST_BYTES = 32


@functools.lru_cache(maxsize=1)
def load(process: int) -> tuple[wasmtime.Engine, wasmtime.Module]:
    """The module and its engine, which every instance of a process shares. A forked child loads its own."""
    engine = wasmtime.Engine()
    return engine, _load(engine)


def _load(engine: wasmtime.Engine) -> wasmtime.Module:
    """From the cache if it is there."""
    wasm = _WASM.read_bytes()
    folder = _cache_folder()
    if folder is None:
        return wasmtime.Module(engine, wasm)
    file = folder / f"{_key(wasm)}.cwasm"
    code = _read(file)
    if code is not None:
        try:
            return wasmtime.Module.deserialize(engine, code)
        except wasmtime.WasmtimeError:
            pass  # Made by another build of wasmtime, or for another processor: compile again.
    module = wasmtime.Module(engine, wasm)
    _write(file, module.serialize())
    return module


def _key(wasm: bytes) -> str:
    parts = (version("wasmtime"), sys.platform, platform.machine())
    return hashlib.sha256(wasm + "\0".join(parts).encode()).hexdigest()[:32]


def _cache_folder() -> Path | None:
    """`OPENINFERENCE_MLFLOW_CACHE_DIR`, or the user's cache folder. `None` if others could write there."""
    configured = os.environ.get("OPENINFERENCE_MLFLOW_CACHE_DIR")
    if configured:
        folder = Path(configured)
    elif sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA") or tempfile.gettempdir()) / "openinference-mlflow"
    elif sys.platform == "darwin":
        folder = Path("~/Library/Caches/openinference-mlflow").expanduser()
    else:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "openinference-mlflow"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = folder.stat()
    except (OSError, RuntimeError):
        return None
    if hasattr(os, "getuid") and (state.st_uid != os.getuid() or state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
        return None
    return folder


def _read(file: Path) -> bytes | None:
    try:
        content = file.read_bytes()
    except OSError:
        return None
    code, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
    return code if hashlib.sha256(code).digest() == digest else None


def _write(file: Path, code: bytes | bytearray) -> None:
    content = bytes(code) + hashlib.sha256(code).digest()
    try:
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.stem}-")
        try:
            with os.fdopen(handle, "wb") as temporary:
                temporary.write(content)
            os.replace(name, file)  # noqa: PTH105
        except OSError:
            os.unlink(name)  # noqa: PTH108
    except OSError:
        return  # A full or read-only disk: the next process compiles again.
