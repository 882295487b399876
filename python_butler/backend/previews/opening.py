"""One dataset, open to be looked at: never more of it is read than was agreed, and never for nobody.

This is what all previews read through. A file of an official repository is read in parts; its signed
address never leaves this process, nor the objects here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, BinaryIO, cast
from uuid import UUID

from lsst.daf.butler import Butler, DatasetRef, Location, StorageClass
from lsst.daf.butler.datastore.cache_manager import DatastoreDisabledCacheManager
from lsst.daf.butler.datastore.stored_file_info import StoredFileInfo
from lsst.daf.butler.datastores.file_datastore.get import (
    generate_datastore_get_information,
    get_dataset_as_python_object_from_get_info,
)
from lsst.daf.butler.remote_butler import RemoteButler
from lsst.daf.butler.remote_butler._ref_utils import make_read_ref
from lsst.daf.butler.remote_butler._remote_butler import _to_file_payload
from lsst.resources import ResourcePath

from ...datastore.path import ReferencePath
from ...datastore.remote_file import RemoteFileSystem
from ...datastore.signed_path import SignedPath
from ...errors import GoneError, InvalidRequestError, PythonButlerError, UnreadableError
from ...words import size as in_words
from ..repository import BrowsedRepository
from ..streaming import Cancelled
from .memory import GUARD

__all__ = ["WHOLE", "OpenedDataset", "causes", "find_files", "opened_dataset"]

_LOG = logging.getLogger(__name__)

WHOLE = 32_000_000
"""Bytes of files up to which a dataset is read whole, unless a preview says otherwise."""

PARTS = 64_000_000
"""Bytes that may be fetched from elsewhere, altogether, for one preview."""

_GROWTH = 6
"""How many times its file an object may need in memory: most files are compressed."""


class OpenedDataset:
    """One dataset and its files, for as long as a preview is made of it.

    Made by `opened_dataset`.

    Attributes
    ----------
    butler : `lsst.daf.butler.Butler`
        For other short questions, such as about records.
    ref : `lsst.daf.butler.DatasetRef`
        The dataset.
    repository : `BrowsedRepository`
        Where it is.
    records : `dict` [`str` or `None`, `lsst.daf.butler.datastore.stored_file_info.StoredFileInfo`]
        What the datastore recorded of each file, by component; of `None` if the file holds the whole.
    cancelled : `threading.Event`
        Set when nobody waits any more: long work looks at it with `check`.
    """

    def __init__(
        self,
        repository: BrowsedRepository,
        butler: Butler,
        ref: DatasetRef,
        files: Mapping[str | None, tuple[ResourcePath, StoredFileInfo]],
        cancelled: threading.Event,
    ) -> None:
        self.repository = repository
        self.butler = butler
        self.ref = ref
        self.records = {component: info for component, (_, info) in files.items()}
        self.cancelled = cancelled
        self._paths = {component: self._watched(path) for component, (path, _) in files.items()}
        self._left = PARTS

    @property
    def storage_class(self) -> StorageClass:
        """How the dataset is to be read."""
        return self.ref.datasetType.storageClass

    @property
    def size(self) -> int | None:
        """Bytes in all its files; `None` if the datastore did not record it."""
        sizes = [info.file_size for info in self.records.values()]
        return sum(sizes) if sizes and min(sizes) >= 0 else None

    @property
    def extension(self) -> str:
        """What the name of the file ends with, such as ``.fits``; empty if there are several."""
        paths = list(self._paths.values())
        return paths[0].getExtension() if len(paths) == 1 else ""

    def check(self) -> None:
        """Stop if nobody waits for the preview any more.

        Raises
        ------
        Cancelled
            If so.
        """
        if self.cancelled.is_set():
            raise Cancelled

    def reserve(self, needed: int) -> AbstractContextManager[None]:
        """Hold memory while it is needed; `get` does so by itself.

        Parameters
        ----------
        needed : `int`
            Bytes that may be needed at most.

        Raises
        ------
        python_butler.errors.InvalidRequestError
            If it is more than previews may take.
        """
        return GUARD.reserve(needed, self.cancelled)

    def path(self, component: str | None = None) -> ResourcePath:
        """Give the address of a file, for readers that take one.

        Parameters
        ----------
        component : `str`, optional
            Which, if there are several.

        Returns
        -------
        path : `lsst.resources.ResourcePath`
            Reads of an official file through it are counted, and fail when nobody waits. It must not
            be shown to anybody.
        """
        try:
            return self._paths[component]
        except KeyError:
            raise GoneError(
                f"{self.ref.datasetType.name} has no file for {component or 'the whole'}."
            ) from None

    @contextmanager
    def open(self, component: str | None = None) -> Iterator[BinaryIO]:
        """Open a file for reading here and there: only what is read is fetched.

        Parameters
        ----------
        component : `str`, optional
            Which, if there are several.

        Yields
        ------
        file : file object
            Seekable, of bytes.
        """
        with self.path(component).open("rb") as file:
            yield cast(BinaryIO, file)

    def head(self, size: int, component: str | None = None) -> bytes:
        """Read the beginning of a file.

        Parameters
        ----------
        size : `int`
            Most bytes.
        component : `str`, optional
            Which, if there are several.

        Returns
        -------
        content : `bytes`
            Fewer if the file is shorter.
        """
        with self.open(component) as file:
            return file.read(size)

    def get(
        self,
        component: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        *,
        storage_class: str | None = None,
        limit: int = WHOLE,
        needed: int | None = None,
    ) -> Any:
        """Read the dataset, or a part of it, as a Python object.

        Parameters
        ----------
        component : `str`, optional
            Component to read instead of the whole.
        parameters : `dict`, optional
            Parameters of the storage class that make it less, such as ``bbox`` or ``columns``.
        storage_class : `str`, optional
            Storage class to read it as.
        limit : `int`, optional
            Bytes of files up to which the whole is read.
        needed : `int`, optional
            Bytes of memory that it may need at most; by default judged by the size of the files.

        Returns
        -------
        object
            As `lsst.daf.butler.Butler.get` gives it.

        Raises
        ------
        python_butler.errors.InvalidRequestError
            If it is too much.
        """
        self.check()
        size = self.size
        if component is None and not parameters and size is not None and size > limit:
            raise InvalidRequestError(
                f"This dataset has {in_words(size)}; previews read {in_words(limit)} at most.",
                "Read it, or a part of it, in a notebook.",
            )
        if needed is None:
            needed = _GROWTH * min(size if size is not None else limit, limit)
        dataset_type = self.ref.datasetType
        read_ref = make_read_ref(
            self.ref, self.ref if component is None else self.ref.makeComponentRef(component), storage_class
        )
        with self.reserve(needed):
            if not isinstance(self.butler, RemoteButler):
                return self.butler.get(read_ref, parameters=dict(parameters) if parameters else None)
            prepared = generate_datastore_get_information(
                [(_Location(self._paths[name]), info) for name, info in self.records.items()],
                registry_ref=self.ref,
                read_ref=read_ref,
                parameters=parameters,
            )
            _LOG.debug("Reading %s of %s for a preview", component or "the whole", dataset_type.name)
            return get_dataset_as_python_object_from_get_info(
                prepared,
                ref=read_ref,
                parameters=parameters,
                cache_manager=DatastoreDisabledCacheManager(),
            )

    def _watched(self, path: ResourcePath) -> ResourcePath:
        reference = path._reference if isinstance(path, SignedPath) else path
        return (
            _WatchedPath.watching(reference, self._fetched) if isinstance(reference, ReferencePath) else path
        )

    def _fetched(self, size: int) -> None:
        """Note that so much is about to be fetched."""
        self.check()
        self._left -= size
        if self._left < 0:
            raise InvalidRequestError(
                f"A preview of this would have to fetch more than {in_words(PARTS)}.",
                "Read a part of it in a notebook.",
            )


@contextmanager
def opened_dataset(
    repository: BrowsedRepository, dataset_id: UUID, cancelled: threading.Event | None = None
) -> Iterator[OpenedDataset]:
    """Open a dataset to look at it.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where it is.
    dataset_id : `uuid.UUID`
        Its identifier.
    cancelled : `threading.Event`, optional
        Set when nobody waits any more.

    Yields
    ------
    opened : `OpenedDataset`
        The dataset.

    Raises
    ------
    GoneError
        If there is no such dataset, or its file is not there.
    UnreadableError
        If something else than reading itself fails while it is open.
    """
    butler = repository.butler()
    ref, files = find_files(repository, butler, dataset_id)
    try:
        yield OpenedDataset(repository, butler, ref, files, cancelled or threading.Event())
    except Exception as error:
        for reason in causes(error):
            if isinstance(reason, PythonButlerError | Cancelled):
                raise reason from None
            if isinstance(reason, FileNotFoundError):
                raise _gone(ref) from error
        _LOG.warning("Dataset %s cannot be shown", dataset_id, exc_info=error)
        # The text of somebody else's exception may hold anything.
        raise UnreadableError(
            f"The file of this {ref.datasetType.name} cannot be read as {ref.datasetType.storageClass_name} "
            f"({type(error).__name__}).",
            "Look whether butler.get fails in a notebook, too.",
        ) from error


def causes(error: BaseException) -> Iterator[BaseException]:
    """Give an exception and those that led to it: formatters hide them in their own."""
    reason: BaseException | None = error
    while reason is not None:
        yield reason
        reason = reason.__cause__ or reason.__context__


def find_files(
    repository: BrowsedRepository, butler: Butler, dataset_id: UUID
) -> tuple[DatasetRef, dict[str | None, tuple[ResourcePath, StoredFileInfo]]]:
    """Give a dataset and, by component, its files with what the datastore recorded of them."""
    if isinstance(butler, RemoteButler):
        ref = butler.get_dataset(dataset_id)
        if ref is None:
            raise _unknown(repository, dataset_id)
        answer = butler._get_file_info_for_ref(ref)
        if answer.artifact is None:
            raise _gone(ref)
        infos = [
            StoredFileInfo.from_simple(file.datastoreRecords) for file in _to_file_payload(answer).file_info
        ]
        return ref, {
            info.component: (ReferencePath.of(repository.label, ref.id, info.component, info.path), info)
            for info in infos
        }
    ref = butler.get_dataset(dataset_id, datastore_records=True)
    if ref is None:
        raise _unknown(repository, dataset_id)
    recorded = [
        info
        for rows in (ref._datastore_records or {}).values()
        for info in rows
        if isinstance(info, StoredFileInfo)
    ]
    try:
        uris = butler.getURIs(ref)
    except FileNotFoundError as error:
        raise _gone(ref) from error
    paths: dict[str | None, ResourcePath] = dict(uris.componentURIs.items())
    if uris.primaryURI is not None:
        paths[None] = uris.primaryURI
    files = {info.component: (paths[info.component], info) for info in recorded if info.component in paths}
    if not files:
        raise _gone(ref)
    return ref, files


def _unknown(repository: BrowsedRepository, dataset_id: UUID) -> GoneError:
    return GoneError(
        f"{repository.label} has no dataset {dataset_id}.", "Reload the list; it may have been removed."
    )


def _gone(ref: DatasetRef) -> GoneError:
    return GoneError(
        f"The file of this {ref.datasetType.name} is not there.",
        "Its data ID and provenance remain; reading it will fail.",
    )


class _WatchedPath(ReferencePath):
    """An official file of which every part that is fetched is told about before."""

    _tell: Callable[[int], None]

    @classmethod
    def watching(cls, path: ReferencePath, tell: Callable[[int], None]) -> _WatchedPath:
        watched = cls.of(path.label, path.dataset_id, path.component, path.official)
        assert isinstance(watched, cls)
        watched._tell = tell
        return watched

    def to_fsspec(self) -> tuple[RemoteFileSystem, str]:
        system, path = super().to_fsspec()
        fetch = system.fetch

        def watched(start: int, stop: int) -> bytes:
            self._tell(stop - start)
            return fetch(start, stop)

        system.fetch = watched
        return system, path

    def read(self, size: int = -1) -> bytes:
        self._tell(size if size >= 0 else self.size())
        return super().read(size)

    def download(self, target: Any, expected: int = -1) -> int:
        self._tell(expected if expected >= 0 else self.size())
        return super().download(target, expected)


class _Location(Location):
    """A place that keeps the very path it was given."""

    __slots__ = ()

    def __init__(self, path: ResourcePath) -> None:
        super().__init__(None, path)
        self._uri = path
