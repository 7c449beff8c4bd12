"""Objects as Python prints them, and what can be read out of them."""

import re

from e2e.parity.previews import is_printed

__all__ = ["is_printed", "nodes", "query"]

_NODE = re.compile(r"<NodeWithScore\(node=\w+\(id_=(?P<id>.+)\), score=(?P<score>[\d.]+)\)>")


def query(raw: object) -> str | None:
    """LlamaIndex's bundle of a query."""
    return raw["query_bundle"]["query_str"] if isinstance(raw, dict) and set(raw) == {"query_bundle"} else None


def nodes(raw: object) -> list[dict] | None:
    """LlamaIndex's nodes, of which it prints the id and the score."""
    found = [_NODE.fullmatch(each) for each in raw if isinstance(each, str)] if isinstance(raw, list) else []
    if not found or not all(found):
        return None
    return [{"id": each["id"], "score": float(each["score"])} for each in found]
