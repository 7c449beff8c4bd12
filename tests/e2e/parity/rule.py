"""What a rule is."""

from collections.abc import Callable
from dataclasses import dataclass

from e2e.parity.difference import Difference


@dataclass(frozen=True)
class Rule:
    name: str
    # What MLflow does or lacks without the gateway.
    reason: str
    # Whether this difference is the improvement, its value right to the last character.
    explains: Callable[[Difference], bool]
