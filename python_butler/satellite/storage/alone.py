"""Writing while nobody else can, whatever the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lsst.daf.butler.direct_butler import DirectButler

__all__ = ["writing_alone"]


@contextmanager
def writing_alone(writer: DirectButler) -> Iterator[None]:
    """Begin a transaction in which what is read stays true until it is written.

    Others can read all the time.

    Parameters
    ----------
    writer : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite, for writing, without a transaction. Transactions of its own inside are a part of
        this one.
    """
    # Transactions of an SQLite database come one after the other, and so do those of `OneWriterDatabase`.
    with writer._registry._db.transaction():
        yield
