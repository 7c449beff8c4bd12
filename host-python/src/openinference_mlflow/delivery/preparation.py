"""From finished spans to one payload: filter, mask, true parents, encoding. Nothing here raises.

Runs on the background thread, with functions of the application's: a filter or a mask that raises costs one span at
most.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from opentelemetry.sdk.trace import ReadableSpan

from openinference_mlflow.provider.lineage import Lineage
from openinference_mlflow.settings.hide import Mask
from openinference_mlflow.settings.resolve import Filter
from openinference_mlflow.span.encode import copy_span, encode

# Warns once for each topic.
Warn = Callable[[str, str], None]


class Encoded(NamedTuple):
    """An OTLP payload, and what became of the spans: in it, left out by the filter, or dropped."""

    body: bytes
    spans: int
    filtered: int
    dropped: int


class Preparation:
    """`filter` and `mask` are the pipeline's, and may change at any time."""

    def __init__(self, lineage: Lineage, warn: Warn) -> None:
        self.filter: Filter | None = None
        self.mask: Mask | None = None
        self._lineage, self._warn = lineage, warn

    def encode(self, spans: Sequence[ReadableSpan]) -> Encoded:
        """One payload of these spans."""
        kept = [span for span in spans if self._is_kept(span)]
        ready = [found for span in kept if (found := self._masked(span)) is not None]
        try:
            body, encoded = encode(ready), len(ready)
        except Exception:
            body, encoded = self._encode_each(ready)
        return Encoded(body, encoded, filtered=len(spans) - len(kept), dropped=len(kept) - encoded)

    def _encode_each(self, spans: Sequence[ReadableSpan]) -> tuple[bytes, int]:
        """One span that cannot be encoded does not cost its neighbours."""
        parts = []
        for span in spans:
            try:
                parts.append(encode([span]))
            except Exception as error:
                self._warn(f"a span is dropped: it cannot be encoded ({type(error).__name__})", "encode")
        return b"".join(parts), len(parts)

    def _is_kept(self, span: ReadableSpan) -> bool:
        try:
            return self.filter is None or bool(self.filter(span))
        except (Exception, SystemExit) as error:
            self._warn(f"the filter raised {type(error).__name__}: the span is kept", "filter")
            return True

    def _masked(self, span: ReadableSpan) -> ReadableSpan | None:
        try:
            context, parent = self._lineage.true_contexts(span)
            if self.mask is None and context is None:
                return span
            return copy_span(span, self.mask, context, parent)
        except (Exception, SystemExit) as error:
            self._warn(f"spans are dropped because the mask raised {type(error).__name__}", "mask")
            return None
