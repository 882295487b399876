"""An official file as a file object and as a file system, for readers that want only a part of it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from fsspec.spec import AbstractBufferedFile, AbstractFileSystem

__all__ = ["RemoteFileSystem"]

SMALL = 1 << 20
"""Bytes up to which a file is read whole: a request costs more than they do."""

BLOCK = 1 << 20
"""Bytes read at a time of larger files."""

Fetch = Callable[[int, int], bytes]
"""Reads from one byte up to another."""


class _RemoteFile(AbstractBufferedFile):  # type: ignore[misc]  # fsspec has no types
    """A file whose parts are fetched as they are read."""

    def _fetch_range(self, start: int, end: int) -> bytes:
        return self.fs.fetch(start, min(end, self.size))  # type: ignore[no-any-return]  # as above


class RemoteFileSystem(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A file system that holds one file, for reading.

    Parameters
    ----------
    fetch : callable
        Reads a part of the file.
    size : `int`
        Bytes in the file.
    """

    cachable = False

    def __init__(self, fetch: Fetch, size: int) -> None:
        super().__init__()
        self.fetch = fetch
        self._size = size

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        """Describe the file, as fsspec asks."""
        return {"name": path, "size": self._size, "type": "file"}

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        autocommit: bool = True,
        cache_options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        if mode != "rb":
            raise PermissionError("An official file can only be read.")
        if self._size <= SMALL:
            return io.BytesIO(self.fetch(0, self._size))
        return _RemoteFile(
            self,
            path,
            mode,
            block_size or BLOCK,
            cache_type=kwargs.get("cache_type", "readahead"),
            cache_options=cache_options,
            size=self._size,
        )
