"""The calls of `wit/module-abi.md`, as Python methods.

An instance is not thread-safe; its owner makes one call at a time.
"""

from __future__ import annotations

import ctypes
import json
import os
import struct
from typing import Any

import wasmtime

from openinference_mlflow.translator import module

_ABI = 1
_HEADER = struct.Struct("<II")


class TranslatorError(Exception):
    """A call was refused. `kind` is the word of the ABI, `retry_after` milliseconds when the bridge is full."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["reason"])
        self.kind: str = error["kind"]
        self.retry_after: int = error.get("retry_after", 0)


class Translator:
    """One instance of the module."""

    def __init__(self) -> None:
        engine, code = module.load(os.getpid())
        self._store = wasmtime.Store(engine)
        exports = wasmtime.Instance(self._store, code, []).exports(self._store)
        self._functions: dict[str, wasmtime.Func] = {
            name: export for name, export in exports.items() if isinstance(export, wasmtime.Func)
        }
        memory = exports["memory"]
        assert isinstance(memory, wasmtime.Memory)
        self._memory = memory
        if (abi := self._functions["abi"](self._store)) != _ABI:
            raise RuntimeError(f"the module has ABI {abi}; this package needs {_ABI}")

    def call(self, name: str, *arguments: int, value: Any = None, payload: bytes | None = None) -> tuple[Any, bytes]:
        """Calls an export and returns its JSON result and its bytes.

        `value` and `payload` are the input frame of the functions that take one. Raises `TranslatorError`.
        """
        store = self._store
        if value is not None:
            text = json.dumps(value, separators=(",", ":")).encode()
            frame = b"".join((_HEADER.pack(len(text), len(payload or b"")), text, payload or b""))
            pointer = self._functions["input"](store, len(frame))
            ctypes.memmove(self._base() + (pointer & 0xFFFFFFFF), frame, len(frame))
        answer = self._base_after(self._functions[name](store, *arguments))
        json_length, payload_length = _HEADER.unpack(ctypes.string_at(answer, _HEADER.size))
        text_at = answer + _HEADER.size
        outcome = json.loads(ctypes.string_at(text_at, json_length))
        if (error := outcome.get("err")) is not None:
            raise TranslatorError(error)
        return outcome["ok"], ctypes.string_at(text_at + json_length, payload_length)

    def _base(self) -> int:
        return ctypes.addressof(self._memory.data_ptr(self._store).contents)

    def _base_after(self, pointer: Any) -> int:
        # Asked again after each call: a call may grow the memory, which may move it.
        return self._base() + (int(pointer) & 0xFFFFFFFF)


class Bridge:
    """`bridge` of the contract. Times are milliseconds since the Unix epoch and never run backwards."""

    def __init__(self, translator: Translator, settings: dict[str, Any]) -> None:
        self._translator = translator
        self._handle: int = translator.call("open", value=settings, payload=b"")[0]["bridge"]

    def ingest(self, payload: bytes, context: dict[str, str], now: int) -> int:
        """Returns the receipt. Raises `TranslatorError` of the kind `full` or `malformed`."""
        accepted, _ = self._translator.call("ingest", self._handle, now, value=context, payload=payload)
        return int(accepted["receipt"])

    def poll(self, now: int) -> list[dict[str, Any]]:
        """Returns the requests to perform now, each with its `body` as bytes."""
        requests, payload = self._translator.call("poll", self._handle, now)
        for request in requests:
            offset, length = request["body"]
            request["body"] = payload[offset : offset + length]
        return list(requests)

    def complete(self, request: int, answer: dict[str, Any], body: bytes, now: int) -> None:
        """What became of a request."""
        self._translator.call("complete", self._handle, request, now, value=answer, payload=body)

    def events(self) -> list[dict[str, Any]]:
        """What happened since the last call."""
        return list(self._translator.call("events", self._handle)[0])

    def next_wakeup(self) -> int | None:
        """When to poll next if nothing else happens."""
        wakeup: int | None = self._translator.call("next_wakeup", self._handle)[0]
        return wakeup

    def flush(self, now: int) -> None:
        """Sends everything at the next poll."""
        self._translator.call("flush", self._handle, now)

    def stats(self) -> dict[str, int]:
        """Counters since the bridge was made."""
        return dict(self._translator.call("stats", self._handle)[0])

    def close(self) -> None:
        """Gives its memory back; what it holds is lost."""
        self._translator.call("close", self._handle)
