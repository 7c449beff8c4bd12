"""One difference between the two copies of a trace, with everything a rule may want to look at."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from e2e.parity.compare import ValueDifference, differences
from e2e.parity.copies import Copy
from e2e.parity.sent_attributes import attributes, protobuf_spans
from e2e.parity.stored_copies import StoredCopies


@dataclass(frozen=True)
class Difference:
    case: str
    # The translated copy as it was sent.
    sent: Copy
    # The trace as each side shows it; a word where a side shows nothing.
    raw: dict | str
    translated: dict | str
    value_difference: ValueDifference
    trace_id: str
    # What the gateway has quarantined, of every case.
    quarantined: list[dict]

    def __str__(self) -> str:
        return f"{self.case}: {self.value_difference}"

    @property
    def path(self) -> tuple[str, ...]:
        """`("trace",)` when one side shows no trace at all."""
        return self.value_difference.path or ("trace",)

    @property
    def values(self) -> tuple[object, object]:
        return self.value_difference.raw, self.value_difference.translated

    @property
    def reported(self) -> set[str]:
        """The ids of traces of which the gateway has set a span aside."""
        return {self.sent.original_ids.get(reason["trace_id"], "") for reason in self.quarantined}

    @property
    def both_shown(self) -> bool:
        return isinstance(self.raw, dict) and isinstance(self.translated, dict)

    @cached_property
    def span(self) -> dict | None:
        """The translated span that the difference is in."""
        if not self.both_shown or self.path[0] != "spans":
            return None
        return self.translated["spans"].get(self.path[1])

    @property
    def attribute(self) -> str | None:
        """The key, when it is a difference in a span's attribute."""
        return self.path[3] if len(self.path) == 4 and self.path[2] == "attributes" and self.span else None

    @property
    def field(self) -> str | None:
        """The name, when it is a difference in a span's own field."""
        return self.path[2] if len(self.path) == 3 and self.span else None

    @property
    def tag(self) -> str | None:
        return self.path[2] if self.path[:2] == ("info", "tags") and len(self.path) == 3 else None

    @cached_property
    def sent_spans(self) -> list[tuple[ResourceSpans, Span]]:
        """The spans of the payloads, as far as OTLP's own classes can read them."""
        sent = self.sent.payloads
        return [each for payload in sent for each in protobuf_spans(payload.body, payload.content_type)]

    @property
    def sent_attributes(self) -> dict:
        """What the producer has put on the span that the difference is in."""
        return attributes(self.sent.payloads).get(self.path[1], {})

    def preset(self, span_id: str, key: str) -> str | None:
        """The text of an attribute that the producer itself has sent, as it was sent."""
        spans = (span for _, span in self.sent_spans if span.span_id.hex() == span_id)
        values = (each.value for span in spans for each in span.attributes if each.key == key)
        return next((value.string_value for value in values), None)

    @cached_property
    def repeated_spans(self) -> set[str]:
        """Span ids that the payloads hold more than once."""
        counted = Counter((span.trace_id, span.span_id) for _, span in self.sent_spans)
        return {span_id.hex() for (_, span_id), times in counted.items() if times > 1}


def trace_differences(sides: StoredCopies) -> Iterator[Difference]:
    for case, raw in sides.raw.items():
        translated = sides.translated[case]
        assert raw.traces.keys() == translated.traces.keys(), f"{case}: the copies are not of the same traces"
        for trace_id, shown in raw.traces.items():
            for each in differences(shown, translated.traces[trace_id]):
                yield Difference(case, translated, shown, translated.traces[trace_id], each, trace_id, sides.quarantined)
