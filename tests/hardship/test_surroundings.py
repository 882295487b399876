"""A satellite whose surroundings are in trouble: a read-only home, one that is gone, users, clocks."""

from __future__ import annotations

import errno
import os
import random
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.preloading import NoCompilerError, preloaded
from python_butler.satellite import Satellite

from .conftest import CarryOut, nursery
from .nursery import Order
from .state import check_readable, check_whole
from .test_killed import mended
from .works import create

DAY = 86_400


@pytest.fixture(scope="module")
def troubled() -> Iterator[CarryOut]:
    """A process that carries out orders, in trouble with its disk or its clock if the order says so."""
    try:
        variables = preloaded(Path(__file__).with_name("trouble.c"))
    except NoCompilerError as reason:
        pytest.skip(str(reason))
    with nursery(variables) as carry_out:
        yield carry_out


@pytest.fixture
def satellite(tmp_path: Path) -> Satellite:
    return create(tmp_path / "satellite")


@pytest.mark.parametrize("work", ["spool_two", "deferred_few", "put"])
def test_on_a_read_only_home_writing_fails_clearly_and_reading_goes_on(
    troubled: CarryOut, satellite: Satellite, work: str
) -> None:
    root = str(satellite.root)
    before = troubled(Order("spool_two", root))
    outcome = troubled(Order(work, root, 10, full_from=1, error=errno.EROFS))
    assert not outcome.datasets
    assert outcome.error is not None
    kind, text, _ = outcome.error
    assert kind == "SatelliteError" or work == "put"
    assert "read-only" in text.lower() or "readonly" in text.lower() or "unable to open" in text
    read = troubled(Order("read", root, full_from=1, error=errno.EROFS))
    assert read.done, read.error
    assert {*read.datasets} == {*before.datasets}
    mended(satellite)
    assert check_whole(satellite) == {each.id for each in before.datasets}


@pytest.mark.parametrize("work", ["removed_spool", "removed_deferred"])
def test_a_directory_that_is_removed_under_us_is_not_made_again(
    carry_out: CarryOut, satellite: Satellite, work: str
) -> None:
    root = satellite.root
    outcome = carry_out(Order(work, str(root)))
    assert outcome.error is not None
    kind, text, _ = outcome.error
    assert kind == "SatelliteError"
    assert str(root) in text
    assert not root.exists()


def test_processes_with_different_umasks_write_to_one_shared_satellite(
    carry_out: CarryOut, satellite: Satellite
) -> None:
    root = satellite.root
    for path in (root, *root.rglob("*")):
        path.chmod(0o2770 if path.is_dir() else 0o660)
    there = {*root.rglob("*")}
    orders = [
        Order(work, str(root), 10 * number, umask=umask)
        for number, (work, umask) in enumerate(
            (work, umask) for work in ("spool_two", "deferred_few", "spool_commit") for umask in (0o077, 0)
        )
    ]
    datasets = []
    for order in orders:
        outcome = carry_out(order)
        assert outcome.done, outcome.error
        datasets += outcome.datasets
    check_readable(satellite, datasets)
    for path in {*root.rglob("*")} - there:
        mode = stat.S_IMODE(path.stat().st_mode)
        # Whoever shares the directory can go on with it, and nobody else.
        assert mode & 0o777 == (0o770 if path.is_dir() else 0o660), path
    assert check_whole(satellite) == {each.id for each in datasets}


def test_a_clock_that_jumps_back_loses_nothing(troubled: CarryOut, satellite: Satellite) -> None:
    root = str(satellite.root)
    moments = random.Random(5)
    datasets = []
    for number, clock in enumerate((0, -DAY, -400 * DAY, DAY, 0)):
        first = 100 * number
        for order in (
            Order("spool_only", root, first, clock=clock),
            # Whoever comes next gets over a lock that was left by a process from another time.
            Order("spool_commit", root, clock=clock, kill_after=moments.uniform(0.05, 0.3)),
            Order("deferred_few", root, first + 50, clock=-clock),
            Order("spool_two", root, first + 60, clock=-clock),
        ):
            outcome = troubled(order)
            assert outcome.error is None, outcome.error
            datasets += outcome.datasets
        check_readable(satellite, datasets)
    assert troubled(Order("spool_commit", root, clock=-DAY)).done
    mended(satellite)
    assert check_whole(satellite) == {each.id for each in datasets}


def test_a_satellite_of_a_newer_version_is_left_alone(carry_out: CarryOut, satellite: Satellite) -> None:
    marker = satellite.root / "satellite.json"
    marker.write_text(marker.read_text().replace('"format":', '"format": 9', 1).replace("9 ", "9"))
    before = {path: path.read_bytes() for path in satellite.root.rglob("*") if path.is_file()}
    for work in ("spool_two", "deferred_few", "repair", "prune", "put"):
        outcome = carry_out(Order(work, str(satellite.root)))
        assert outcome.error is not None, work
        kind, text, _ = outcome.error
        assert kind == "SatelliteError", outcome.error
        assert "newer" in text
    shutil.rmtree(satellite.root / "spool", ignore_errors=True)
    assert {path: path.read_bytes() for path in satellite.root.rglob("*") if path.is_file()} == before
    assert os.path.lexists(marker)
