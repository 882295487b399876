"""Runs that are versions of one name, under a chain that has the newest first."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence

from lsst.daf.butler import CollectionType, MissingCollectionError
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry import CollectionTypeError, OrphanedRecordError
from sqlalchemy.exc import IntegrityError

from ..errors import InvalidRequestError

__all__ = ["children_of", "drop", "newest_of", "publish", "split_run", "version_number", "versions_in"]

_VERSION = re.compile(r"(?P<chain>.+)/(?P<version>[vm][1-9][0-9]*)")


def split_run(run: str) -> tuple[str, str] | None:
    """Tell a run of a version from others.

    Parameters
    ----------
    run : `str`
        Any run.

    Returns
    -------
    parts : `tuple` [`str`, `str`] or `None`
        The chain and the version, such as ``v2``; `None` if it is no version.
    """
    match = _VERSION.fullmatch(run)
    return (match["chain"], match["version"]) if match else None


def version_number(run: str) -> int:
    """Number of the version that a run is.

    Parameters
    ----------
    run : `str`
        Any run.

    Returns
    -------
    number : `int`
        The number; 0 if the run is no version.
    """
    parts = split_run(run)
    return int(parts[1][1:]) if parts else 0


def children_of(butler: DirectButler, chain: str) -> Sequence[str]:
    """List what is in a chain.

    Parameters
    ----------
    butler : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite.
    chain : `str`
        Name of a chain.

    Returns
    -------
    children : sequence of `str`
        Its children; none if there is no such chain.

    Raises
    ------
    InvalidRequestError
        If it is a collection of another kind.
    """
    try:
        # The newer interface asks the database three times as often.
        return butler.registry.getCollectionChain(chain)
    except MissingCollectionError:
        return ()
    except CollectionTypeError:
        raise InvalidRequestError(
            f"{chain!r} is a collection of yours, and no chain of versions.",
            f"Save under another name, or into that collection: run={chain!r}.",
        ) from None


def newest_of(butler: DirectButler, chain: str) -> str | None:
    """Find the newest version in a chain.

    Parameters
    ----------
    butler : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite.
    chain : `str`
        Chain over versions.

    Returns
    -------
    run : `str` or `None`
        Its first run that is a version; `None` if there is none, or no chain.

    Raises
    ------
    InvalidRequestError
        If it is a collection of another kind.
    """
    for child in children_of(butler, chain):
        parts = split_run(child)
        if parts is not None and parts[0] == chain:
            return child
    return None


def versions_in(butler: DirectButler, chain: str) -> list[str]:
    """Find all versions of a name, also retired ones.

    Parameters
    ----------
    butler : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite.
    chain : `str`
        Chain over versions.

    Returns
    -------
    runs : `list` [`str`]
        Their runs, the highest number first.
    """
    runs = butler.collections.query(f"{chain}/v*", collection_types=CollectionType.RUN)
    return sorted((run for run in runs if split_run(run)), key=version_number, reverse=True)


def publish(writer: DirectButler, run: str) -> None:
    """Put the run of a version first in its chain, which is made if there is none.

    Parameters
    ----------
    writer : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite, open for writing; in a transaction, if others may do the same.
    run : `str`
        Any run; nothing happens if it is no version, or in its chain already.

    Raises
    ------
    InvalidRequestError
        If there is a collection of another kind in place of the chain.
    """
    parts = split_run(run)
    if parts is not None and run not in children_of(writer, parts[0]):
        writer.collections.register(parts[0], CollectionType.CHAINED)
        writer.collections.prepend_chain(parts[0], run)


def drop(writer: DirectButler, run: str) -> None:
    """Give the run of a version up that nothing came of.

    Parameters
    ----------
    writer : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite, open for writing.
    run : `str`
        Any run. It stays if it is no version, if there is something in it, or if it is in a chain.
    """
    if split_run(run) is not None:
        with contextlib.suppress(MissingCollectionError, IntegrityError, OrphanedRecordError):
            if not writer.collections.get_info(run, include_parents=True).parents:
                writer.collections.x_remove(run)
