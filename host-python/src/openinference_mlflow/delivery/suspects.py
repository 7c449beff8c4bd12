"""Finds the payload on which translators fail, so that no other payload is dropped for it.

Any ingested payload may be the cause of a failure. Suspects are tried again in groups, each group alone in a new
translator: a group that fails is split in halves. So each bad payload is found after a logarithmic number of failures.
A group that does not fail within `TRIAL_MILLIS` is no longer suspect.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

from openinference_mlflow.delivery.clock import now
from openinference_mlflow.delivery.payloads import Payload

TRIAL_MILLIS = 5_000


class Suspects:
    """Groups of suspects in the order of their trials."""

    def __init__(self) -> None:
        self._groups: deque[list[Payload]] = deque()
        self._on_trial: set[Payload] = set()
        self._until: int | None = None

    def __bool__(self) -> bool:
        return bool(self._groups)

    def __contains__(self, payload: Payload) -> bool:
        """Whether the payload is on trial now."""
        return payload in self._on_trial

    def start_trial(self) -> bool:
        """Starts the trial of the next group. False: one is running, or nobody is suspect."""
        if self._until is not None or not self._groups:
            return False
        self._until = now() + TRIAL_MILLIS
        self._on_trial = set(self._groups[0])
        return True

    def split(self, named: Payload | None, ingested: list[Payload]) -> None:
        """A translator failed. `named`: on this payload; otherwise on one of `ingested`."""
        tried = self._groups.popleft() if self._until is not None else []
        self._end_trial()
        if named is not None:
            # The others of its group remain suspects.
            halves = [[named], [each for each in tried if each is not named]]
        else:
            middle = len(ingested) // 2
            halves = [ingested[:middle], ingested[middle:]]
        self._groups.extendleft(half for half in reversed(halves) if half)

    def remove(self, payload: Payload) -> None:
        """It is given up. No trial is running."""
        groups = ([each for each in group if each is not payload] for group in self._groups)
        self._groups = deque(group for group in groups if group)

    def divide_before(self, payload: Payload) -> None:
        """The translator has no room for this payload on trial: it and those behind it become the next group."""
        group = self._groups[0]
        place = group.index(payload)
        if place > 0:
            self._groups[0] = group[:place]
            self._groups.insert(1, group[place:])
            self._on_trial = set(self._groups[0])

    def is_acquitted(self, ingested: Collection[Payload]) -> bool:
        """Whether the trial is over: everything on trial is delivered, or its time is up."""
        if self._until is None:
            return False
        return now() >= self._until or not self._on_trial.intersection(ingested)

    def acquit(self) -> None:
        """The group on trial did not fail."""
        self._groups.popleft()
        self._end_trial()

    def _end_trial(self) -> None:
        self._until, self._on_trial = None, set()
