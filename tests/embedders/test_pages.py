"""The pages of `docs/embedding` quote the programs as they are, and their links lead somewhere."""

import re
from pathlib import Path

import pytest

from conftest import REPOSITORY

_HERE = Path(__file__).parent
_PAGES = sorted((REPOSITORY / "docs/embedding").glob("*.md"))
_SOURCES = [
    *sorted(_HERE.glob("*/embedder.*")),
    *sorted(_HERE.glob("*/delivery.*")),
    _HERE / "browser/index.html",
    _HERE / "rust_wasmi/Cargo.toml",
    _HERE / "rust_wasmi/src/main.rs",
]
_NOT_RUN = "go-java-dotnet.md"


def _quotes() -> list[tuple[str, str]]:
    blocks = [
        (page, block) for page in _PAGES for block in re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(), re.M | re.S)
    ]
    return [(page.name, code) for page, (language, code) in blocks if language != "text" and page.name != _NOT_RUN]


def _prose(page: Path) -> str:
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)


@pytest.mark.parametrize(("page", "code"), _quotes())
def test_a_page_quotes_a_program_as_it_is(page: str, code: str) -> None:
    assert any(code in source.read_text() for source in _SOURCES), f"{page} quotes no program:\n{code}"


def test_there_are_quotes() -> None:
    assert {page for page, _ in _quotes()} == {"javascript.md", "python.md", "rust.md"}


def test_the_page_that_is_not_run_says_so() -> None:
    assert "**Not run by our tests.**" in (REPOSITORY / "docs/embedding" / _NOT_RUN).read_text()


def test_every_link_leads_to_a_file() -> None:
    links = [
        (page, target)
        for page in [*_PAGES, _HERE / "README.md"]
        for target in re.findall(r"\]\(([^)\s#]+)[^)]*\)", _prose(page))
        if not re.match(r"[a-z]+:", target)
    ]
    assert len(links) > 20
    assert [(page.name, target) for page, target in links if not (page.parent / target).exists()] == []


def test_every_program_has_its_page() -> None:
    linked = "\n".join(page.read_text() for page in _PAGES)
    missing = [
        folder.name for folder in _HERE.iterdir() if any(folder.glob("embedder.*")) and folder.name not in linked
    ]
    assert missing == []
