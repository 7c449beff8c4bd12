"""Whatever call to the system is the host's last, and whichever fails: what was acknowledged is in MLflow or in the
quarantine, and was forwarded. `make soak` plays every moment; here are some of every kind."""

import sys
from collections import Counter
from pathlib import Path

import pytest

from e2e.conservation import moments
from e2e.conservation.interrupted import Interrupted, leave_damaged
from e2e.conservation.moments import Moment

_SEED = 20_261_122
_ENDS, _FAILURES = 18, 3
_ENDS_TAKING_OVER = 5
# What a run must be seen to do, or it interrupts nothing that matters.
_EXPECTED = {
    *((call, "journal") for call in ("write", "resize", "sync")),
    *((call, "quarantine") for call in ("write", "sync")),
    *((call, place) for call in ("send", "receive") for place in ("mlflow", "forwarded", "sender")),
}


pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the injector replaces functions of the GNU C library"
)


def test_a_fault_at_any_moment_loses_nothing(tmp_path: Path):
    undisturbed = Interrupted(tmp_path / "undisturbed", None).run()
    assert not undisturbed.wrong
    assert _EXPECTED <= undisturbed.seen.keys()
    _play(tmp_path, moments.some(undisturbed.seen, _ENDS, _FAILURES, _SEED), None)


def test_nor_does_one_while_a_damaged_journal_is_taken_over(tmp_path: Path):
    left = leave_damaged(tmp_path / "left")
    undisturbed = Interrupted(tmp_path / "undisturbed", None, left).run()
    assert not undisturbed.wrong
    assert {("write", "journal"), ("rename", "journal")} <= undisturbed.seen.keys()
    of_the_journal = Counter({what: count for what, count in undisturbed.seen.items() if what[1] == "journal"})
    _play(tmp_path, moments.some(of_the_journal, _ENDS_TAKING_OVER, 1, _SEED), left)


def _play(folder: Path, chosen: list[Moment], left: Path | None) -> None:
    met = 0
    for number, moment in enumerate(chosen):
        run = Interrupted(folder / str(number), moment, left).run()
        assert not run.wrong, f"{moment}: " + "\n".join(run.wrong)
        met += run.was_met
    # Runs are not quite the same: the last call of a kind may be missing in some.
    assert met > len(chosen) / 2
