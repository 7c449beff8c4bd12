"""Tokens that two conventions record in one trace count once: Anthropic's SDK makes a span of its own below OpenInference's."""

import pytest

from e2e.parity.copies import cases
from e2e.parity.stored_copies import StoredCopies

_BESIDE = [case for case in cases() if "_anthropic_" in case and not case.startswith(("py_hb_", "py_litellm_"))]


@pytest.mark.parametrize("case", _BESIDE)
def test_tokens_that_two_spans_count_are_summed_once(sides: StoredCopies, case: str) -> None:
    called = 0
    for trace in sides.translated[case].traces.values():
        own = [span["attributes"] for span in trace["spans"].values() if "llm.provider" in span["attributes"]]
        called += len(own)
        counted = sum(each.get("llm.token_count.prompt", 0) for each in own)
        # The Python SDK's span of a stream is in a trace of its own.
        assert not own or (trace["info"]["token_usage"] or {}).get("input_tokens", 0) == counted
    assert called


def test_the_other_span_does_count_the_same_tokens(sides: StoredCopies) -> None:
    (trace,) = sides.translated["py_anthropic_conversation.pb"].traces.values()
    counts = [span["attributes"].get("gen_ai.usage.input_tokens") for span in trace["spans"].values()]
    assert trace["info"]["token_usage"]["input_tokens"] in counts
