"""The whole story without a browser: query, get, put, and read back in two ways.

For ``satellite demo --check``, and for tests: what a newcomer does first must work.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
from astropy.table import Table
from lsst.daf.butler import Butler, DatasetRef, DatasetType

import python_butler

from ..errors import PythonButlerError
from ..official import official_url
from ..settings import satellite_directory, user_name
from .platform import LABEL

__all__ = ["CheckFailedError", "run_check"]

RA, DEC = 53.076, -28.110
"""Position that every visit of the demonstration looks at, in degrees (ICRS)."""

BAND = "r"
_RESULT = "check_statistics"


class CheckFailedError(PythonButlerError, AssertionError):
    """A step of the story gave something else than it must."""


def run_check(tell: Callable[[str], object]) -> None:
    """Run the story in this process, whose environment must be that of a kernel on the platform.

    Parameters
    ----------
    tell : callable
        Told in a sentence what was done.

    Raises
    ------
    CheckFailedError
        If a step fails; the message says which, and why.
    """
    # A run of its own each time: a dataset is never overwritten.
    run = f"u/{user_name()}/check/{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    with _step("Open", lambda: python_butler.open(LABEL, collections=LABEL)) as butler:
        tell(f"Opened {LABEL} at {official_url(LABEL)}.")
        _tell_story(butler, run, tell)


def _tell_story(butler: Butler, run: str, tell: Callable[[str], object]) -> None:
    refs = _step("Query", lambda: _query(butler))
    _expect(bool(refs), "Query", f"no visit_image in band {BAND} covers ({RA}, {DEC})")
    tell(f"Query: {len(refs)} datasets visit_image in band {BAND} cover ({RA}, {DEC}).")

    ref = refs[0]
    image = _step("Get", lambda: butler.get(ref))
    shape = image.image.array.shape
    pixels = image.image.array[np.isfinite(image.image.array)]
    _expect(pixels.size > 0, "Get", f"{ref} has no finite pixel")
    tell(f"Get: {_name(ref)} is a {type(image).__name__} of {shape[1]} x {shape[0]} pixels.")

    table = Table({"median": [float(np.median(pixels))], "pixels": [int(pixels.size)]})
    dataset_type = DatasetType(
        _RESULT, ("instrument", "visit", "detector"), "ArrowAstropy", universe=butler.dimensions
    )
    _step("Register", lambda: butler.registry.registerDatasetType(dataset_type))
    _step("Register", lambda: butler.collections.register(run))
    put = _step("Put", lambda: butler.put(table, _RESULT, ref.dataId, run=run))
    tell(f"Put: {_name(put)} into run {run} of your own repository, {satellite_directory(LABEL)}.")

    again = _step("Read back", lambda: butler.get(put))
    _expect_same(table, again, "Read back")
    found = _step("Read back", lambda: butler.get(_RESULT, ref.dataId, collections=run))
    _expect_same(table, found, "Read back")
    tell("Read back: the same Butler gives the same table.")

    plain = _step("Read back with a plain Butler", lambda: _read_plainly(put, run))
    _expect_same(table, plain, "Read back with a plain Butler")
    tell(f'Read back: lsst.daf.butler.Butler("{satellite_directory(LABEL)}") gives the same table.')


def _query(butler: Butler) -> list[DatasetRef]:
    return butler.query_datasets(
        "visit_image",
        where="band.name = :band AND visit_detector_region.region OVERLAPS POINT(:ra, :dec)",
        bind={"band": BAND, "ra": RA, "dec": DEC},
        order_by=["visit.timespan.begin"],
        limit=10,
        explain=False,
    )


def _read_plainly(ref: DatasetRef, run: str) -> Any:
    with Butler.from_config(str(satellite_directory(LABEL))) as butler:
        return butler.get(ref.datasetType.name, ref.dataId, collections=run)


def _step[T](name: str, action: Callable[[], T]) -> T:
    try:
        return action()
    except Exception as error:
        raise CheckFailedError(f"{name} failed: {type(error).__name__}: {error}") from error


def _expect(condition: bool, step: str, otherwise: str) -> None:
    if not condition:
        raise CheckFailedError(f"{step} failed: {otherwise}.")


def _expect_same(expected: Table, actual: Any, step: str) -> None:
    same = (
        isinstance(actual, Table)
        and actual.colnames == expected.colnames
        and bool(np.all(actual == expected))
    )
    _expect(same, step, f"got {actual!r} instead of what was put")


def _name(ref: DatasetRef) -> str:
    values = ", ".join(f"{key}={value}" for key, value in ref.dataId.required.items())
    return f"{ref.datasetType.name} ({values})"
