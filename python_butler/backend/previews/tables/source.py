"""A file of which parts are read: where its bytes come from, counted, and given up when nobody waits."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, override

from ....errors import InvalidRequestError, OfflineError
from ....words import size as in_words
from .giving_up import Waiting

if TYPE_CHECKING:
    from collections.abc import Buffer, Iterator

__all__ = ["MOST", "Fetch", "PartFile"]

MOST = 192_000_000
"""Bytes of a file that are read for one answer: a view in order of one column has cells all over it."""

Fetch = Callable[[int, int], bytes]
"""Reads from one byte up to another."""


class PartFile(io.RawIOBase):
    """A file object whose parts are fetched when they are read, and not before.

    Parameters
    ----------
    fetch : callable
        Reads a part.
    size : `int`
        Bytes in the file.
    """

    def __init__(self, fetch: Fetch, size: int) -> None:
        super().__init__()
        self._fetch = fetch
        self._position = 0
        self._waiting: Waiting | None = None
        self._begun = 0
        self.size = size
        self.bytes_read = 0
        """Bytes fetched so far."""

    def waited_for(self, waiting: Waiting) -> AbstractContextManager[None]:
        """Let reads fail as soon as nobody waits for them, or when they become too many for one answer.

        Parameters
        ----------
        waiting : `Waiting`
            Who waits.
        """

        @contextmanager
        def within() -> Iterator[None]:
            self._waiting, self._begun = waiting, self.bytes_read
            try:
                yield
            finally:
                self._waiting = None

        return within()

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True

    @override
    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    @override
    def tell(self) -> int:
        return self._position

    @override
    def read(self, size: int | None = -1, /) -> bytes:
        if self._waiting is not None:
            self._waiting.check()
        stop = self.size if size is None or size < 0 else min(self.size, self._position + size)
        if stop <= self._position:
            return b""
        if self._waiting is not None and self.bytes_read + stop - self._position > self._begun + MOST:
            raise InvalidRequestError(
                f"This would have to read more than {in_words(MOST)} of the file.",
                "Look at fewer columns, or read them in a notebook.",
            )
        content = self._fetch(self._position, stop)
        if len(content) != stop - self._position:
            raise OfflineError(
                "The file ended before it should.", "Try again; if it stays, the file is damaged."
            )
        self.bytes_read += len(content)
        self._position = stop
        return content

    @override
    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        content = self.read(len(view))
        view[: len(content)] = content
        return len(content)
