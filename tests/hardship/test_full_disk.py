"""A disk that becomes full at any step of writing: a clear error, nothing lost, nothing half there.

A library that is preloaded into real processes lets the steps fail: a real disk is full at one place only,
and what makes a difference is where. It is compiled on the spot.
"""

from __future__ import annotations

import errno
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.preloading import NoCompilerError, preloaded
from python_butler.demo.platform import Platform
from python_butler.satellite.spool import Spool
from tests.effort import ALL_STEPS

from .conftest import CarryOut, nursery
from .nursery import ENDLESS, Order
from .state import check_readable, check_whole
from .test_killed import mended
from .works import EACH, Dataset, create

TOGETHER = 10
"""Steps after which everything is looked at."""

STEPS = 5
"""So many of the steps are tried, about, of each kind of a full disk."""

FEW_STEPS = 3
"""So many of what takes longer, since a Butler is opened each time."""

FULL = re.compile("full|space|quota|room", re.IGNORECASE)


@pytest.fixture(scope="module")
def carry_out_without_room() -> Iterator[CarryOut]:
    """A process that carries out orders, with a disk that can become full."""
    with nursery(without_room()) as carry_out:
        yield carry_out


def without_room() -> dict[str, str]:
    """Environment of processes whose disk can become full."""
    try:
        return preloaded(Path(__file__).with_name("trouble.c"))
    except NoCompilerError as reason:
        pytest.skip(str(reason))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT], ids=["ENOSPC", "EDQUOT"])
@pytest.mark.parametrize(
    ("work", "before"),
    [
        ("spool_two", None),
        ("deferred_few", None),
        ("spool_commit", "spool_two"),
        ("prune", "versions"),
        ("migrate", "spool_two"),
        ("repair", "leftovers"),
    ],
)
def test_a_disk_that_becomes_full_at_any_step_loses_nothing(
    carry_out_without_room: CarryOut, tmp_path: Path, work: str, before: str | None, error: int
) -> None:
    lose_nothing(carry_out_without_room, tmp_path, work, before, error)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("work", "error"),
    [
        ("straight_put", errno.ENOSPC),
        ("straight_save", errno.EDQUOT),
        ("straight_transaction", errno.ENOSPC),
        ("straight_ingest", errno.EDQUOT),
    ],
)
def test_a_disk_that_becomes_full_while_a_butler_writes_loses_nothing(
    platform: Platform, tmp_path: Path, work: str, error: int
) -> None:
    with nursery(without_room() | platform.environment) as carry_out:
        lose_nothing(carry_out, tmp_path, work, None, error, tries=FEW_STEPS)


def lose_nothing(
    carry_out: CarryOut, tmp_path: Path, work: str, before: str | None, error: int, tries: int = STEPS
) -> None:
    """Let the disk be full at one step after the other of a piece of work."""
    satellite = create(tmp_path / "satellite")
    root = str(satellite.root)
    expected: list[Dataset] = []
    if before is not None:
        expected += carry_out(Order(before, root)).datasets
    # The first one shows how many steps there are.
    whole = carry_out(Order(work, root))
    assert whole.done, whole.error
    expected += whole.datasets
    chosen = steps_to_try(whole.steps, tries, random.Random(f"{work} {error}"))
    for count, step in enumerate(chosen, start=1):
        first = step * EACH
        acknowledged = []
        if before is not None:
            acknowledged += carry_out(Order(before, root, first)).datasets
        # A full disk stays full, until somebody deletes something; a quota is often exceeded just once.
        last = ENDLESS if error == errno.ENOSPC else step
        outcome = carry_out(Order(work, root, first, full_from=step, full_to=last, error=error))
        acknowledged += outcome.datasets
        check_readable(satellite, acknowledged)
        if outcome.error is not None:
            assert_clear(*outcome.error, lasting=last == ENDLESS)
        # There is room again.
        again = carry_out(Order(work, root, first + 5 if before is None else first))
        assert again.done, (step, *again.error)
        expected += acknowledged + again.datasets
        if count % TOGETHER == 0 or count == len(chosen):
            Spool(satellite).commit(wait=10).check()
            mended(satellite)
            assert {each.id for each in expected} <= check_whole(satellite)


def steps_to_try(count: int, tries: int, choice: random.Random) -> list[int]:
    """All steps if that is wished, else some of them, from the first to the last."""
    if ALL_STEPS:
        return list(range(1, count + 1))
    stride = max(1, count // tries)
    return [min(count, begin + choice.randrange(stride)) for begin in range(1, count + 1, stride)]


def assert_clear(kind: str, text: str, trace: str, *, lasting: bool) -> None:
    """Make sure that an error is one of this package's, and says what happened if that can be known."""
    if not lasting and kind == "SatelliteError":
        # SQLite says only that it could not open or write a file, and a look finds room again.
        return
    assert kind == "NoSpaceError", (kind, text, trace)
    assert FULL.search(text), (kind, text, trace)
