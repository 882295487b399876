"""Writing that is killed at any moment: what was acknowledged is there, and nothing is half there.

What is killed are real processes, which are forked from one that has everything imported, so that each is
at work at once.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from python_butler.demo.platform import Platform
from python_butler.errors import SatelliteError
from python_butler.satellite import Satellite
from python_butler.satellite.spool import Spool
from tests.effort import kills

from .conftest import CarryOut, nursery
from .nursery import Order
from .state import check_readable, check_whole
from .works import EACH, Dataset, create

SEED = 6
TOGETHER = 8
"""Kills after which everything is repaired."""


def mended(satellite: Satellite) -> None:
    """Repair, and make sure that there is nothing left to repair."""
    satellite = Satellite("dp2", satellite.root)
    report = satellite.repair(min_age=0, batches="discard")
    check = satellite.check(min_age=0)
    assert not check.findings, (check.findings, report)


def given_up(satellite: Satellite) -> bool:
    """Give up a move that was killed, unless it was too far: nobody can write before it is complete."""
    try:
        satellite.abandon_migration()
    except SatelliteError as error:
        if "Move it again" not in str(error):
            raise
        return False
    return True


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("work", "before", "few"),
    [
        ("put", None, 5),
        ("spool", None, 12),
        ("spool_commit", "spool_only", 12),
        ("deferred", None, 12),
        ("repair", "leftovers", 5),
        ("prune", "versions", 6),
        ("migrate", "spool_only", 6),
    ],
)
def test_what_was_acknowledged_outlives_a_killed_process(
    carry_out: CarryOut, tmp_path: Path, work: str, before: str | None, few: int
) -> None:
    outlive(carry_out, tmp_path, work, before, kills(few))


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("work", "few"), [("save", 10), ("straight_saves", 5), ("deferred_saves", 5)])
def test_what_was_saved_outlives_a_killed_kernel(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: str, few: int
) -> None:
    for name, value in platform.environment.items():
        monkeypatch.setenv(name, value)
    with nursery() as carry_out:
        outlive(carry_out, tmp_path, work, None, kills(few), from_first=work != "save")


def outlive(
    carry_out: CarryOut,
    tmp_path: Path,
    work: str,
    before: str | None,
    times: int,
    *,
    from_first: bool = False,
) -> None:
    """Kill a piece of work again and again, each time after others have prepared it."""
    satellite = create(tmp_path / "satellite")
    root = str(satellite.root)
    moments = random.Random(f"{SEED} {work}")
    expected: list[Dataset] = []
    took = 0.0
    in_between = 0
    for kill in range(times + 1):
        acknowledged: list[Dataset] = []
        first = kill * EACH
        if before is not None:
            acknowledged += carry_out(Order(before, root, first)).datasets
        # The first one shows how long it takes. The moment is what is tried out: nothing is waited for.
        after = moments.uniform(0, took) if kill else None
        outcome = carry_out(Order(work, root, first, kill_after=after, from_first=from_first))
        assert outcome.error is None, outcome.error
        if outcome.done:
            # The first one also warms what all of them share.
            took = min(took or outcome.seconds, outcome.seconds)
        in_between += not outcome.done
        acknowledged += outcome.datasets
        print(f"{work} {kill}: killed after {after} s of {took} s, {len(acknowledged)} acknowledged")
        check_readable(satellite, acknowledged)
        expected += acknowledged
        if work == "migrate" and (moments.random() < 0.5 or not given_up(satellite)):
            again = carry_out(Order(work, root, first))
            assert again.done, again.error
        if kill % TOGETHER == 0 or kill == times:
            if moments.random() < 0.5:
                # As the next writer does; otherwise repairing finds what the processes left.
                Spool(satellite).commit(wait=10)
            mended(satellite)
            assert {each.id for each in expected} <= check_whole(satellite, since=first - TOGETHER * EACH)
    assert in_between > times / 4
    check_readable(satellite, expected)
