"""Numbers, sizes and times as a person reads and writes them.

Ground floor: standard library only.
"""

from __future__ import annotations

import re
from datetime import timedelta

from .errors import InvalidRequestError

__all__ = ["bytes_in", "counted", "duration", "number", "size", "time_in"]

_UNITS = ("kB", "MB", "GB", "TB", "PB")
_SIZE = re.compile(r"\s*(\d+(?:\.\d*)?)\s*(?:([kMGTP])(i?)B?|B)?\s*", re.IGNORECASE)
_TIME = re.compile(r"\s*(\d+(?:\.\d*)?)\s*(s|min|h|d|w|y)\s*")
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0, "y": 31_557_600.0}


def size(count: int | None) -> str:
    """Number of bytes as a person reads it.

    Parameters
    ----------
    count : `int` or `None`
        Bytes; `None` if that is not known.

    Returns
    -------
    text : `str`
        Three digits and a unit, in powers of a thousand: ``"1.23 GB"``.
    """
    if count is None:
        return "unknown"
    if count < 1000:
        return f"{count} B"
    power = 1
    while count >= 999.5 * 1000**power and power < len(_UNITS):
        power += 1
    value = count / 1000**power
    unit = _UNITS[power - 1]
    return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f} {unit}"


def number(count: int) -> str:
    """Number with its thousands apart.

    Parameters
    ----------
    count : `int`
        Any number.

    Returns
    -------
    text : `str`
        For example ``"12,345"``.
    """
    return f"{count:,}"


def counted(count: int, one: str) -> str:
    """Number of things.

    Parameters
    ----------
    count : `int`
        How many.
    one : `str`
        What one of them is called.

    Returns
    -------
    text : `str`
        For example ``"1 dataset"`` or ``"1,234 datasets"``.
    """
    return f"{number(count)} {one}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """Time as a person reads it.

    Parameters
    ----------
    seconds : `float`
        Seconds.

    Returns
    -------
    text : `str`
        One or two units: ``"12 s"``, ``"3 min"``, ``"1 h 20 min"``.
    """
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


def bytes_in(text: str) -> int:
    """Understand a size that a person wrote.

    Parameters
    ----------
    text : `str`
        For example ``"40GB"``, ``"1.5 TB"``, ``"40 GiB"``; a number alone means bytes.

    Returns
    -------
    count : `int`
        Bytes.

    Raises
    ------
    python_butler.errors.InvalidRequestError
        If it cannot be understood.
    """
    found = _SIZE.fullmatch(text)
    if found is None:
        raise InvalidRequestError(f"{text!r} is not a size.", "Write it like 500MB, 40GB or 1.5TB.")
    value, unit, binary = found.groups()
    power = "kMGTP".lower().index(unit.lower()) + 1 if unit else 0
    return int(float(value) * (1024 if binary else 1000) ** power)


def time_in(text: str) -> timedelta:
    """Understand a length of time that a person wrote.

    Parameters
    ----------
    text : `str`
        A number and a unit, for example ``"30d"``: ``s``, ``min``, ``h``, ``d``, ``w`` or ``y``.

    Returns
    -------
    time : `datetime.timedelta`
        The time.

    Raises
    ------
    python_butler.errors.InvalidRequestError
        If it cannot be understood.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise InvalidRequestError(
            f"{text!r} is not a length of time.", "Write a number and a unit: 12h, 30d, 8w or 1y."
        )
    try:
        return timedelta(seconds=float(found[1]) * _SECONDS[found[2]])
    except OverflowError:
        raise InvalidRequestError(f"{text!r} is too long a time.", "Write it like 30d or 1y.") from None
