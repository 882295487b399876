"""A full disk, told in our words wherever something is written.

Ground floor: standard library only.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from .errors import NoSpaceError

__all__ = ["NO_ROOM", "writing"]

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Numbers of the errors that say that a disk is full, or a quota used up."""


@contextmanager
def writing(where: str) -> Iterator[None]:
    """Tell that there is no room for a file, instead of what a file system says.

    Parameters
    ----------
    where : `str`
        Directory that is written to.

    Raises
    ------
    NoSpaceError
        If the disk is full or the quota reached.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM | {errno.EFBIG}:
            raise
        raise NoSpaceError(
            f"There is no room left in {where}: {error.strerror}.", "Free some space there, then try again."
        ) from None
