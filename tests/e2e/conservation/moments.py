"""At which moments a fault is worth meeting: every call by which the host changes a file, or says or hears something."""

import errno
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

# What a run was seen to do: how often each call was made to each place.
Seen = Counter[tuple[str, str]]

_FILES = {"journal", "quarantine"}

# The end of the host. What comes after a call and before the next one need not be ended twice, but where it is the
# next one that another thread makes.
_ENDS = {
    "write": ("before", "half", "cut", "cut-some"),
    "resize": ("before", "after", "cut-some"),
    "sync": ("before", "after", "cut", "cut-some"),
    "rename": ("before", "after", "cut"),
    "send": ("before", "half", "after", "cut"),
    "receive": ("before", "cut"),
}
# A disk that fails once, and one that is full for a while.
_FAILURES = (f"{errno.EIO}:1", f"{errno.ENOSPC}:6")


@dataclass(frozen=True)
class Moment:
    """A call, and what happens there; tests/fault-injector explains the words."""

    call: str
    place: str
    # From 1, among the calls of its kind to its place.
    number: int
    action: str

    @property
    def is_end(self) -> bool:
        """Whether the host ends there, or only fails for a while."""
        return ":" not in self.action

    def __str__(self) -> str:
        return f"{self.call} {self.place} {self.number} {self.action}"


def every(seen: Seen) -> list[Moment]:
    return [*_moments(seen, ends=True), *_moments(seen, ends=False)]


def some(seen: Seen, ends: int, failures: int, seed: int) -> list[Moment]:
    """So many of both: of every kind of call to every place at least one, as far as the number allows, then any."""
    chosen = random.Random(seed)
    return [
        *_spread(list(_moments(seen, ends=True)), ends, chosen),
        *_spread(list(_moments(seen, ends=False)), failures, chosen),
    ]


def _moments(seen: Seen, *, ends: bool) -> Iterator[Moment]:
    for (call, place), count in sorted(seen.items()):
        actions = _ENDS[call] if ends else _FAILURES if place in _FILES else ()
        for number in range(1, count + 1):
            yield from (Moment(call, place, number, action) for action in actions)


def _spread(moments: list[Moment], count: int, chosen: random.Random) -> list[Moment]:
    chosen.shuffle(moments)
    kinds: Counter[tuple[str, str]] = Counter()

    def turn(moment: Moment) -> int:
        kinds[moment.call, moment.place] += 1
        return kinds[moment.call, moment.place]

    return sorted(moments, key=turn)[:count]
