"""Copies of official files that were read, kept on disk and shared by all of a user's kernels."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import override

from lsst.daf.butler import DatasetRef, DimensionUniverse
from lsst.daf.butler.datastore.cache_manager import (
    CacheRegistry,
    DatastoreCacheManager,
    DatastoreCacheManagerConfig,
)
from lsst.resources import ResourcePath

from ..settings import FILE_CACHE_BYTES, file_cache_directory

__all__ = ["FileCache"]

_LOG = logging.getLogger(__name__)

_LAST_TIDIED = "last-tidied"
_TIDY_SECONDS = 60.0
_LEFTOVER_SECONDS = 86_400.0


class FileCache(DatastoreCacheManager):
    """Upstream's cache of files, made to outlive the process and to cost little for each file.

    Upstream's own reads the whole directory each time a file is added. Here that happens once in a
    while, in whichever process comes first, and whenever much was added: in between the directory may
    grow past its limit by what is read in a minute.

    Parameters
    ----------
    universe : `lsst.daf.butler.DimensionUniverse`
        Dimensions of the repository.
    """

    def __init__(self, universe: DimensionUniverse) -> None:
        super().__init__(_configuration(), universe)
        if self.enabled:
            # Upstream would use the variable as it is, and share the directory with its own caches.
            self._cache_directory = ResourcePath(
                str(file_cache_directory()), forceAbsolute=True, forceDirectory=True
            )
        self._added = 0
        self._tidying = threading.Lock()

    @property
    def enabled(self) -> bool:
        """Whether files are kept at all."""
        return self._expiration_mode != "disabled"

    @property
    def limit(self) -> int | None:
        """Bytes to which it is kept, if it is kept to a number of bytes."""
        return self._expiration_threshold if self._expiration_mode == "size" else None

    def surplus(self, refs: Collection[DatasetRef]) -> int:
        """By how many datasets or files these are more than it is kept to, if it is kept to a number.

        Parameters
        ----------
        refs : collection of `lsst.daf.butler.DatasetRef`
            One for each file: the dataset, or the component if that is a file of its own.
        """
        if self._expiration_mode == "files":
            number = len(refs)
        elif self._expiration_mode == "datasets":
            number = len({ref.id for ref in refs})
        else:
            return 0
        return max(number - (self._expiration_threshold or 0), 0)

    def path(self, ref: DatasetRef, extension: str) -> Path:
        """Where the file of a dataset is, or would be.

        Parameters
        ----------
        ref : `lsst.daf.butler.DatasetRef`
            The dataset, or the component if that is a file of its own.
        extension : `str`
            The file's extension, with the dot.
        """
        return Path(self._construct_cache_name(ref, extension).ospath)

    def drop(self, ref: DatasetRef, extension: str) -> None:
        """Remove a file that is not what it should be.

        Parameters
        ----------
        ref, extension
            As for `path`.
        """
        self.path(ref, extension).unlink(missing_ok=True)

    @override
    def known_to_cache(self, ref: DatasetRef, extension: str | None = None) -> bool:
        # The directory is asked, since other processes add to it and take from it.
        if not self.enabled or extension is None:
            return False
        return self.path(ref, extension).exists()

    @override
    def move_to_cache(self, uri: ResourcePath, ref: DatasetRef) -> ResourcePath | None:
        if not self.enabled or not self.should_be_cached(ref):
            return None
        target = self._construct_cache_name(ref, uri.getExtension())
        try:
            self._added += os.stat(uri.ospath).st_size  # noqa: PTH116  one system call of a plain string
            # Downloaded beside it, so this is atomic: another process sees all of the file or nothing.
            os.replace(uri.ospath, target.ospath)  # noqa: PTH105
        except OSError as error:
            _LOG.info("A file cannot be kept in %s: %s", self.cache_directory, error.strerror)
            return None
        self._tidy()
        return target

    def _tidy(self) -> None:
        """Keep the directory to its limit, now and then; one thread at a time, as upstream's lists need."""
        due = self._much_is_new() or self._is_my_turn()
        while due and self._tidying.acquire(blocking=False):
            try:
                self._added = 0
                # Listed anew, since files come and go without being told to upstream's list.
                self._cache_entries = CacheRegistry()
                self._expire_cache()
                self._remove_leftovers()
            finally:
                self._tidying.release()
            # Threads that added meanwhile left it to this one.
            due = self._much_is_new()

    def _much_is_new(self) -> bool:
        threshold = self.limit
        return threshold is not None and self._added > threshold // 20

    def _is_my_turn(self) -> bool:
        marker = Path(self.cache_directory.ospath) / _LAST_TIDIED
        try:
            if 0 <= time.time() - marker.stat().st_mtime < _TIDY_SECONDS:
                return False
        except OSError:
            pass
        with contextlib.suppress(OSError):
            marker.touch()
        return True

    def _remove_leftovers(self) -> None:
        """Remove downloads of processes that were killed."""
        oldest = time.time() - _LEFTOVER_SECONDS
        with contextlib.suppress(OSError):
            for path in Path(self._temp_exempt_directory.ospath).iterdir():
                with contextlib.suppress(OSError):
                    if path.stat().st_ctime < oldest:
                        path.unlink()


def _configuration() -> DatastoreCacheManagerConfig:
    directory = file_cache_directory()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        usable = os.access(directory, os.W_OK)
    except OSError:
        usable = False
    if not usable:
        _LOG.info("Official files are not kept: %s cannot be written.", directory)
    return DatastoreCacheManagerConfig(
        {
            "cached": {
                "root": str(directory),
                "default": True,
                # Upstream requires an entry.
                "cacheable": {"StructuredDataNothing": False},
                "expiry": (
                    {"mode": "size", "threshold": FILE_CACHE_BYTES}
                    if usable
                    else {"mode": "disabled", "threshold": 0}
                ),
            }
        }
    )
