"""Runs captures, each in an environment of its own that is gone afterwards: `python3 -m capture.python [NAME…]`.

Needs nothing but the standard library and the package index; NAME is a file of `capture/requirements/`, default all.
"""

import argparse
import subprocess
import tempfile
import venv
from pathlib import Path

_REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements"
_TESTS = Path(__file__).resolve().parents[2]


def main() -> None:
    names = sorted(path.stem for path in _REQUIREMENTS.glob("*.txt"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}")
    asked = parser.parse_args().names
    if unknown := set(asked) - set(names):
        parser.error(f"no such capture: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    for name in asked or names:
        _capture(name)


def _capture(name: str) -> None:
    with tempfile.TemporaryDirectory(prefix=f"capture-{name}-") as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / "bin/python")
        requirements = str(_REQUIREMENTS / f"{name}.txt")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--requirement", requirements], check=True)
        subprocess.run([python, "-m", f"capture.python.{name}"], cwd=_TESTS, check=True)


if __name__ == "__main__":
    main()
