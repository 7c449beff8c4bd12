"""The contract in `wit/` changes only together with its version."""

import hashlib
import re
from pathlib import Path

WIT = Path(__file__).resolve().parents[2] / "wit"


def digest() -> str:
    wit = (WIT / "translator.wit").read_text()
    code = [line.strip() for line in wit.splitlines() if line.strip() and not line.strip().startswith("//")]
    return hashlib.sha256("\n".join([*code, (WIT / "module-abi.md").read_text()]).encode()).hexdigest()


def test_the_contract_has_not_changed_since_its_version():
    version = (WIT / "VERSION").read_text().strip()
    known = dict(line.split() for line in (WIT / "hashes.txt").read_text().splitlines())
    assert known.get(version) == digest(), (
        f"wit/ is not what version {version} was: raise wit/VERSION (and the versions in translator.wit and "
        f"module-abi.md) and append this line to wit/hashes.txt:\nVERSION {digest()}"
    )


def test_every_file_names_the_same_version():
    version = (WIT / "VERSION").read_text().strip()
    assert re.search(r"^package .*@(.*);$", (WIT / "translator.wit").read_text(), re.M).group(1) == version
    assert f"contract {version}" in (WIT / "module-abi.md").read_text()
