"""`wit/module-abi.md` and the built module say the same."""

import json
import re
import struct
from pathlib import Path

import pytest
import wasmtime

from conftest import REPOSITORY

_PAGE = REPOSITORY / "wit/module-abi.md"
Signature = tuple[list[str], list[str]]


def _documented() -> dict[str, Signature]:
    """The functions of the page's table: names with the types of arguments and results."""
    rows = re.findall(r"^\| `(\w+)\(([^)]*)\)(?: -> (i32))?` \|", _PAGE.read_text(), re.M)
    arguments = {name: re.findall(r"\w+: (i32|i64)", text) for name, text, _ in rows}
    return {name: (arguments[name], ["i32"]) for name, _, _ in rows}


def _exported(compiled: wasmtime.Module) -> tuple[dict[str, Signature], dict[str, type]]:
    functions, others = {}, {}
    for export in compiled.exports:
        if isinstance(export.type, wasmtime.FuncType):
            functions[export.name] = ([str(t) for t in export.type.params], [str(t) for t in export.type.results])
        else:
            others[export.name] = type(export.type)
    return functions, others


@pytest.fixture(scope="session")
def engine() -> wasmtime.Engine:
    return wasmtime.Engine()


@pytest.fixture(scope="session")
def compiled(engine: wasmtime.Engine, module: Path) -> wasmtime.Module:
    return wasmtime.Module.from_file(engine, str(module))


def test_the_module_imports_nothing(compiled: wasmtime.Module) -> None:
    assert "The module imports nothing." in " ".join(_PAGE.read_text().split())
    assert [f"{wanted.module}.{wanted.name}" for wanted in compiled.imports] == []


def test_the_module_exports_what_the_page_lists(compiled: wasmtime.Module) -> None:
    functions, others = _exported(compiled)
    assert functions == _documented()
    globals_of_the_linker = re.findall(r"`(__\w+)`", _PAGE.read_text())
    kinds = dict.fromkeys(globals_of_the_linker, wasmtime.GlobalType)
    assert others == {"memory": wasmtime.MemoryType, **kinds}


class Instance:
    """One instance, with the three steps of a call apart."""

    def __init__(self, engine: wasmtime.Engine, compiled: wasmtime.Module) -> None:
        self._store = wasmtime.Store(engine)
        self._exports = wasmtime.Instance(self._store, compiled, []).exports(self._store)

    def write(self, frame: bytes) -> None:
        self._exports["memory"].write(self._store, frame, self.number("input", len(frame)))

    def number(self, name: str, *arguments: int) -> int:
        return self._exports[name](self._store, *arguments) & 0xFFFFFFFF

    def frame(self, name: str, *arguments: int) -> bytes:
        memory, at = self._exports["memory"], self.number(name, *arguments)
        lengths = struct.unpack("<II", memory.read(self._store, at, at + 8))
        return bytes(memory.read(self._store, at, at + 8 + sum(lengths)))

    def json(self, name: str, *arguments: int) -> dict:
        frame = self.frame(name, *arguments)
        return json.loads(frame[8 : 8 + struct.unpack_from("<I", frame)[0]])


@pytest.fixture
def instance(engine: wasmtime.Engine, compiled: wasmtime.Module) -> Instance:
    return Instance(engine, compiled)


def _frame(value: object, payload: bytes = b"") -> bytes:
    text = json.dumps(value).encode()
    return struct.pack("<II", len(text), len(payload)) + text + payload


_TRANSCODE = _frame({"from": "protobuf", "to": "json"}, b"\x0a\x00")
_NOW = 1_700_000_000_000


def _bridge(instance: Instance) -> int:
    instance.write(_frame({}))
    return instance.json("open")["ok"]["bridge"]


# Every function that takes no input, with arguments: B is the handle of a bridge.
_WITHOUT_INPUT = {
    "version": [],
    "poll": ["B", _NOW],
    "events": ["B"],
    "next_wakeup": ["B"],
    "flush": ["B", _NOW],
    "stats": ["B"],
    "close": ["B"],
}
_WITH_INPUT = {
    "translate": [],
    "transcode": [],
    "open": [],
    "ingest": ["B", _NOW],
    "complete": ["B", 1, _NOW],
}


def _arguments(instance: Instance, arguments: list) -> list[int]:
    return [_bridge(instance) if argument == "B" else argument for argument in arguments]


def test_the_lists_of_this_test_are_those_of_the_page() -> None:
    assert {*_WITHOUT_INPUT, *_WITH_INPUT, "abi", "input"} == set(_documented())
    # Those have an input JSON in the table's second column.
    rows = re.findall(r"^\| `(\w+)\([^|]*\| ([^|]*)\|", _PAGE.read_text(), re.M)
    assert {name for name, column in rows if column.strip()} == set(_WITH_INPUT)


@pytest.mark.parametrize("name", _WITHOUT_INPUT)
def test_a_call_without_input_needs_none_and_drops_one(instance: Instance, name: str) -> None:
    arguments = _arguments(instance, _WITHOUT_INPUT[name])
    assert "ok" in instance.json(name, *arguments)

    arguments = _arguments(instance, _WITHOUT_INPUT[name])
    instance.write(_TRANSCODE)
    assert "ok" in instance.json(name, *arguments)
    assert instance.json("transcode")["err"]["kind"] == "call"


@pytest.mark.parametrize("name", _WITH_INPUT)
def test_a_call_with_input_refuses_to_run_without_one(instance: Instance, name: str) -> None:
    arguments = _arguments(instance, _WITH_INPUT[name])
    assert instance.json(name, *arguments)["err"]["kind"] == "call"


def test_a_call_takes_the_last_frame_and_takes_it_once(instance: Instance) -> None:
    instance.write(_frame({"from": "protobuf", "to": "protobuf"}))
    instance.write(_TRANSCODE)
    assert instance.json("transcode") == {"ok": {"payload": [0, 20]}}
    assert instance.json("transcode")["err"]["kind"] == "call"


def test_the_call_that_the_page_shows_byte_by_byte(instance: Instance) -> None:
    section = _PAGE.read_text().split("### One call, byte by byte")[1].split("\n## ")[0]
    blocks = re.findall(r"^```text\n(.*?)^```", section, re.M | re.S)
    rows = [[line.split("  ", 1) for line in block.splitlines()] for block in blocks]
    question, answer = (b"".join(bytes.fromhex(hexadecimal) for hexadecimal, _ in block) for block in rows)
    for hexadecimal, text in rows[0][2:4] + rows[1][2:]:
        assert bytes.fromhex(hexadecimal).decode() == text.strip()
    assert f"`input({len(question)})`" in section

    instance.write(question)

    assert instance.frame("translate") == answer
    assert instance.json("translate")["err"]["kind"] == "call"


def test_a_refused_frame_is_taken_too(instance: Instance) -> None:
    instance.write(_frame({"from": "nothing", "to": "json"}))
    assert "nothing" in instance.json("transcode")["err"]["reason"]
    assert "nothing" not in instance.json("transcode")["err"]["reason"]


def test_the_lengths_of_a_frame_fill_what_was_asked_for(instance: Instance) -> None:
    for frame in (_TRANSCODE + b"\x00", _TRANSCODE[:-1]):
        instance.write(frame)
        assert instance.json("transcode")["err"]["kind"] == "call"
