"""Numbers, sizes and times as people read and write them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from python_butler.errors import InvalidRequestError
from python_butler.words import bytes_in, counted, duration, time_in


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0", 0),
        ("512", 512),
        ("512 B", 512),
        ("40GB", 40_000_000_000),
        ("40 gb", 40_000_000_000),
        ("1.5 TB", 1_500_000_000_000),
        ("2k", 2_000),
        ("40 GiB", 40 * 1024**3),
        (" 1 MB ", 1_000_000),
    ],
)
def test_sizes_are_understood(text: str, count: int) -> None:
    assert bytes_in(text) == count


@pytest.mark.parametrize("text", ["", "much", "-1 GB", "1 XB", "GB", "1 GB 2 MB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="not a size"):
        bytes_in(text)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("30d", timedelta(days=30)),
        ("12 h", timedelta(hours=12)),
        ("90min", timedelta(minutes=90)),
        ("8w", timedelta(weeks=8)),
        ("1y", timedelta(days=365.25)),
        ("0s", timedelta(0)),
        ("1.5d", timedelta(hours=36)),
    ],
)
def test_times_are_understood(text: str, time: timedelta) -> None:
    assert time_in(text) == time


@pytest.mark.parametrize("text", ["", "30", "soon", "-3d", "3 months", "9999999999999y"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        time_in(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (12.4, "12 s"),
        (99.4, "99 s"),
        (99.6, "2 min"),
        (3540, "59 min"),
        (3590, "1 h 0 min"),
        (4800, "1 h 20 min"),
        (180_000, "2 d 2 h"),
    ],
)
def test_durations_have_at_most_two_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_one_is_not_many() -> None:
    assert (counted(0, "dataset"), counted(1, "dataset"), counted(1234, "dataset")) == (
        "0 datasets",
        "1 dataset",
        "1,234 datasets",
    )
