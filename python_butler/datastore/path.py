"""`ReferencePath`: where an official file is, without a server's address and without a signature."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Generator, Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, Never, override
from urllib.parse import ParseResult, unquote, urlparse
from uuid import UUID

from lsst.resources import ResourceInfo, ResourcePath, ResourcePathExpression
from lsst.resources.proxied import ProxiedResourcePath
from lsst.resources.utils import get_tempdir

from ..errors import NoSpaceError
from ..fulldisk import writing
from .remote_file import RemoteFileSystem
from .signed_path import SignedPath
from .signer import Signer, signer_for

__all__ = ["SCHEME", "ReferencePath", "join_reference", "split_reference"]

SCHEME = "butler-reference"
"""Scheme of the addresses of references; only this class understands it."""


def join_reference(label: str, dataset_id: UUID, component: str | None, official: str) -> str:
    """Path under which a reference is recorded.

    Parameters
    ----------
    label : `str`
        Label of the official repository.
    dataset_id : `uuid.UUID`
        The dataset.
    component : `str` or `None`
        Component, if its file is not the whole dataset.
    official : `str`
        Path in the official datastore; may end with a fragment.

    Returns
    -------
    path : `str`
        ``<label>/<dataset ID>[.<component>]/<official path>``.
    """
    return f"{label}/{dataset_id}{'.' + component if component else ''}/{official}"


def split_reference(path: str) -> tuple[str, UUID, str | None, str]:
    """Take apart what `join_reference` made.

    Parameters
    ----------
    path : `str`
        Path of a reference, with or without a slash before it.

    Returns
    -------
    label : `str`
        Label of the official repository.
    dataset_id : `uuid.UUID`
        The dataset.
    component : `str` or `None`
        Component, if its file is not the whole dataset.
    official : `str`
        Path in the official datastore.
    """
    label, name, official = path.lstrip("/").split("/", 2)
    identifier, _, component = name.partition(".")
    return label, UUID(identifier), component or None, official


class ReferencePath(ProxiedResourcePath):
    """Where an official file is; its server is asked for a signed address when bytes are needed.

    Read only. Two are equal if they lead to the same official file, whichever of the datasets in it
    they were found for. Made by `ReferenceDatastore`.
    """

    @classmethod
    def root(cls) -> ReferencePath:
        """Directory in which all references are."""
        return cls._make(urlparse(f"{SCHEME}:///"), directory=True)

    @classmethod
    def of(cls, label: str, dataset_id: UUID, component: str | None, official: str) -> ReferencePath:
        """Address of one file; the parameters are those of `join_reference`."""
        path = ResourcePath(
            join_reference(label, dataset_id, component, official), forceAbsolute=False, forceDirectory=False
        )
        joined = cls.root().join(path, forceDirectory=False)
        assert isinstance(joined, cls)
        return joined

    @classmethod
    def _make(cls, uri: ParseResult, *, directory: bool | None) -> ReferencePath:
        made = cls(uri, forceDirectory=directory)
        assert isinstance(made, cls)
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return (_unpickle, (self.geturl(), self.dirLike))

    # Which file it is

    @cached_property
    def _parts(self) -> tuple[str, UUID, str | None, str]:
        return split_reference(self.unquoted_path)

    @property
    def label(self) -> str:
        """Label of the official repository."""
        return self._parts[0]

    @property
    def dataset_id(self) -> UUID:
        """The dataset."""
        return self._parts[1]

    @property
    def component(self) -> str | None:
        """Component, if its file is not the whole dataset."""
        return self._parts[2]

    @property
    def official(self) -> str:
        """Path in the official datastore."""
        return self._parts[3]

    @cached_property
    def _identity(self) -> tuple[str, ...]:
        if self.dirLike or self.unquoted_path.count("/") < 3:
            return (self.geturl(),)
        return (self.label, self.official, self.fragment, self.query)

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, ReferencePath) and self._identity == other._identity

    @override
    def __hash__(self) -> int:
        return hash(self._identity)

    # What the base class does by the scheme, which `ResourcePath` does not know

    @override
    def _set_proxy(self) -> None:
        """There is none to set: it is asked for when bytes are needed."""

    @override
    def _get_proxy(self) -> ResourcePath:
        return self.signed()

    @override
    def split(self) -> tuple[ResourcePath, str]:
        head, _, tail = self.path.rpartition("/")
        parent = self.replace(path=f"{head}/", fragment="", query="", forceDirectory=True)
        return parent, unquote(tail)

    @override
    def root_uri(self) -> ResourcePath:
        return self.root()

    @override
    def isdir(self) -> bool:
        return bool(self.dirLike)

    # Reading

    @property
    def _signer(self) -> Signer:
        return signer_for(self.label)

    def signed(self) -> SignedPath:
        """Address that any HTTP client can read for a while, without a token.

        Returns
        -------
        path : `SignedPath`
            Its text is a secret: do not print or keep it.
        """
        return self.signed_as(self._signer.sign(self.dataset_id, self.component).url)

    def signed_as(self, url: str) -> SignedPath:
        """Dress an address that the server signed for this file.

        Parameters
        ----------
        url : `str`
            The address.

        Returns
        -------
        path : `SignedPath`
            As `signed` gives.
        """
        return SignedPath.of(url, self)

    @override
    @contextlib.contextmanager
    def as_local(
        self, multithreaded: bool = True, tmpdir: ResourcePathExpression | None = None
    ) -> Generator[ResourcePath]:
        with contextlib.ExitStack() as stack:
            yield self._downloaded(stack, tmpdir)

    def _downloaded(
        self, stack: contextlib.ExitStack, directory: ResourcePathExpression | None
    ) -> ResourcePath:
        prefix = ResourcePath(get_tempdir() if directory is None else directory, forceDirectory=True)
        local = stack.enter_context(ResourcePath.temporary_uri(prefix=prefix, suffix=self.getExtension()))
        try:
            self.download(Path(local.ospath))
        except NoSpaceError:
            if directory is None:
                raise
            # The file is read nevertheless, if not kept.
            stack.close()
            return self._downloaded(stack, None)
        return local

    def download(self, target: Path, expected: int = -1) -> int:
        """Write the file to disk.

        Parameters
        ----------
        target : `pathlib.Path`
            Where to; a file that is there is overwritten.
        expected : `int`, optional
            Size in bytes that the file was recorded with; any if negative.

        Returns
        -------
        size : `int`
            Bytes written.

        Raises
        ------
        NoSpaceError
            If the disk is full.
        python_butler.errors.GoneError, python_butler.errors.OfficialServerError
            As for `Signer.download`.
        """
        with writing(str(target.parent)), target.open("wb") as file:
            return self._signer.download(self.dataset_id, self.component, file, expected)

    @override
    def read(self, size: int = -1) -> bytes:
        if size >= 0:
            return self._signer.fetch_range(self.dataset_id, self.component, 0, size)
        content = io.BytesIO()
        self._signer.download(self.dataset_id, self.component, content)
        return content.getvalue()

    @override
    @contextlib.contextmanager
    def open(
        self, mode: str = "r", *, encoding: str | None = None, prefer_file_temporary: bool = False
    ) -> Generator[Any]:
        if set(mode) & set("wax+"):
            self._refuse()
        if prefer_file_temporary:
            with self.as_local() as local, local.open(mode, encoding=encoding) as handle:
                yield handle
            return
        file_system, path = self.to_fsspec()
        with file_system.open(path, "rb") as binary:
            yield binary if "b" in mode else io.TextIOWrapper(binary, encoding=encoding or "utf-8")

    @override
    def to_fsspec(self) -> tuple[RemoteFileSystem, str]:
        signer, dataset_id, component = self._signer, self.dataset_id, self.component

        def fetch(start: int, stop: int) -> bytes:
            return signer.fetch_range(dataset_id, component, start, stop)

        return RemoteFileSystem(fetch, self.size()), self.path

    @override
    def size(self) -> int:
        # Comes with the signed address; for a member of a zip file, that is the member's own.
        size = self._signer.sign(self.dataset_id, self.component).size
        if size < 0 or self.fragment:
            size = self._signer.length(self.dataset_id, self.component)
        return size

    @override
    def get_info(self) -> ResourceInfo:
        return ResourceInfo(uri=str(self), is_file=True, size=self.size(), last_modified=None, checksums={})

    @override
    def exists(self) -> bool:
        return self.mexists([self])[self]

    @classmethod
    @override
    def _mexists(
        cls, uris: Iterable[ResourcePath], *, num_workers: int | None = None
    ) -> dict[ResourcePath, bool]:
        wanted: dict[str, dict[UUID, list[ReferencePath]]] = {}
        for uri in uris:
            assert isinstance(uri, ReferencePath)
            wanted.setdefault(uri.label, {}).setdefault(uri.dataset_id, []).append(uri)
        existence: dict[ResourcePath, bool] = {}
        for label, paths in wanted.items():
            found = signer_for(label).files(paths)
            for dataset_id, same in paths.items():
                components = {info.component for info in found.get(dataset_id, [])}
                for path in same:
                    # Equal paths may be of several datasets in one file.
                    existence[path] = existence.get(path, False) or path.component in components
        return existence

    # Never writing

    def _refuse(self, *_: object, **__: object) -> Never:
        raise PermissionError(f"{self} is an official file, which nothing here may write or remove.")

    @override
    def remove(self) -> None:
        self._refuse()

    @override
    def write(self, data: bytes, overwrite: bool = True) -> None:
        self._refuse()

    @override
    def mkdir(self) -> None:
        self._refuse()

    @override
    def transfer_from(self, *args: Any, **kwargs: Any) -> None:
        self._refuse()


def _unpickle(url: str, directory: bool | None) -> ReferencePath:
    return ReferencePath._make(urlparse(url), directory=directory)
