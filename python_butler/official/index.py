"""Labels of official repositories and the addresses of their servers."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import urlsplit

from lsst.daf.butler import Butler, Config
from lsst.resources import ResourcePath
from pydantic import TypeAdapter

from ..credentials import scrub
from ..errors import UnknownRepositoryError

__all__ = ["known_repositories", "official_url"]

_INDEX_VARIABLE = "DAF_BUTLER_REPOSITORY_INDEX"
_LABELS = TypeAdapter(dict[str, str])
_LOG = logging.getLogger(__name__)


def known_repositories() -> dict[str, str]:
    """Official repositories that this environment knows.

    Returns
    -------
    repositories : `dict` [`str`, `str`]
        Address of the Butler server by label, from upstream's repository index
        (``DAF_BUTLER_REPOSITORY_INDEX`` or ``DAF_BUTLER_REPOSITORIES``). Entries that are not
        served over HTTP are left out: they are not official repositories.

    Raises
    ------
    UnknownRepositoryError
        If there is an index that cannot be read.
    """
    return {
        label: address.removesuffix("butler.yaml").rstrip("/")
        for label, address in sorted(_entries().items())
        if urlsplit(address).scheme in ("http", "https")
    }


def _entries() -> Mapping[str, str]:
    """Everything in the index."""
    index = os.environ.get(_INDEX_VARIABLE)
    try:
        file = ResourcePath(index, forceAbsolute=True) if index else None
        if file is not None and file.isLocal:
            # Upstream reads it once in the life of a process; a backend must see it mended.
            status = os.stat(file.ospath)  # noqa: PTH116  asked for with every file that is read
            return _local_entries(file.ospath, status.st_ino, status.st_size, status.st_mtime_ns)
        entries = {label: Butler.get_repo_uri(label).geturl() for label in Butler.get_known_repos()}
    except Exception as error:  # a file of any content may be named
        _LOG.warning("The repository index cannot be read: %s", scrub(str(error)))
        raise _unreadable() from None
    if index and not entries:
        # Upstream takes an index that it cannot read for an empty one.
        raise _unreadable()
    return entries


@lru_cache(maxsize=4)
def _local_entries(path: str, *_version: int) -> Mapping[str, str]:
    """Everything in an index on disk; parsed once for each version of the file."""
    return MappingProxyType(_LABELS.validate_python(dict(Config(path))))


def _unreadable() -> UnknownRepositoryError:
    return UnknownRepositoryError(
        "The index of official repositories cannot be read.", f"Check the file that {_INDEX_VARIABLE} names."
    )


def official_url(label: str) -> str:
    """Address of the server of one official repository.

    Parameters
    ----------
    label : `str`
        Label of the repository, for example ``dp2``.

    Returns
    -------
    url : `str`
        The server's address, without a trailing slash.

    Raises
    ------
    UnknownRepositoryError
        If no official repository has this label; the message lists those that there are.
    """
    known = known_repositories()
    if label in known:
        return known[label]
    if known:
        step = f"Known labels: {', '.join(known)}."
    else:
        step = "No official repository is known here: set DAF_BUTLER_REPOSITORY_INDEX."
    raise UnknownRepositoryError(f"There is no official repository with the label {label!r}.", step)
