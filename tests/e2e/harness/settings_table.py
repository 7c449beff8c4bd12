"""The table of settings in docs/gateway.md, made from the text of `serve --help`."""

import re
from pathlib import Path

_BEGIN, _END = "<!-- settings: begin -->\n", "<!-- settings: end -->\n"
_HEAD = "| flag | environment variable | default | meaning |\n|---|---|---|---|\n"
_HEADING = re.compile(r"^(\S.*):$", re.M)
# Help texts are indented further.
_FLAG = re.compile(r"^ {1,6}(?:-\w, )?(--[a-z-]+)[^\n]*$", re.M)
_VALUES = re.compile(r"Possible values:\n(.*?)\n *(?:\n|\Z)", re.S)


def settings_table(help_text: str) -> str:
    """One table for each group of flags, in the order of the help text."""
    parts = _HEADING.split(help_text)
    groups = [(name, body) for name, body in zip(parts[1::2], parts[2::2]) if name not in ("Options", "Examples")]
    return "\n".join(f"### {name}\n\n{_HEAD}{_rows(body)}" for name, body in groups if _FLAG.search(body))


def with_settings_table(page: str, table: str) -> str:
    """The page with this table in its marked region."""
    before, rest = page.split(_BEGIN)
    _, after = rest.split(_END)
    return f"{before}{_BEGIN}\n{table}\n{_END}{after}"


def rewrite(page: Path, table: str) -> None:
    page.write_text(with_settings_table(page.read_text(), table))


def _rows(body: str) -> str:
    flags = list(_FLAG.finditer(body))
    ends = [flag.start() for flag in flags[1:]] + [len(body)]
    return "".join(_row(flag.group(1), body[flag.end() : end]) for flag, end in zip(flags, ends))


def _row(flag: str, text: str) -> str:
    values = _VALUES.search(text)
    text = _VALUES.sub("", text)
    words = " ".join(re.sub(r"\[possible values:.*?\]", "", text, flags=re.S).split())
    variable = re.search(r"\[env: ([A-Z_]+)\]", words)
    default = re.search(r"\[default: (.*?)\]", words)
    meaning = re.sub(r" *\[(?:env|default): .*?\]", "", words).replace("|", "\\|")
    if values:
        meaning = f"{meaning.strip()}: " + ", ".join(re.findall(r"- (\S+):", values.group(1)))
    code = (f"`{found.group(1)}`" if found else "" for found in (variable, default))
    return f"| `{flag}` | {' | '.join(code)} | {meaning.strip().rstrip('.')} |\n"
