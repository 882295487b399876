"""`SignedPath`: a signed address in the form in which upstream hands out addresses."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, override
from urllib.parse import urlparse

from lsst.resources import ResourceInfo, ResourcePath, ResourcePathExpression
from lsst.resources.http import HttpResourcePath

from ..credentials import scrub
from .remote_file import RemoteFileSystem

if TYPE_CHECKING:
    from .path import ReferencePath

__all__ = ["SignedPath"]


class SignedPath(HttpResourcePath):
    """A signed address as ``getURI`` gives it: fit for any HTTP client, but not shown or kept.

    Its ``repr``, which a notebook keeps, has no signature, and its pickle is the reference, to be signed
    anew by whoever unpickles it. ``str`` gives the whole address, as of any other path. What is read
    through it is read through the reference: upstream's HTTP client would put the address into
    its messages, and would ask the object store to remove a file that is moved.
    """

    _whole: ReferencePath | None = None

    @classmethod
    def of(cls, url: str, reference: ReferencePath) -> SignedPath:
        """Dress a signed address.

        Parameters
        ----------
        url : `str`
            The address.
        reference : `ReferencePath`
            What it was made from.
        """
        made = cls(urlparse(url), forceDirectory=False)
        assert isinstance(made, cls)
        made._whole = reference
        return made

    @property
    def _reference(self) -> ReferencePath:
        if self._whole is None:
            raise PermissionError(
                f"{self!r} was made from a signed address, which is good for its own file only."
            )
        return self._whole

    @override
    def _copy_extra_attributes(self, original_uri: ResourcePath) -> None:
        super()._copy_extra_attributes(original_uri)
        if isinstance(original_uri, SignedPath) and original_uri.path == self.path:
            self._whole = original_uri._whole

    def __repr__(self) -> str:
        return f'SignedPath("{scrub(str(self))}")'

    def __reduce__(self) -> tuple[Any, ...]:
        return (_sign_anew, (self._reference,))

    @override
    @contextlib.contextmanager
    def as_local(
        self, multithreaded: bool = True, tmpdir: ResourcePathExpression | None = None
    ) -> Generator[ResourcePath]:
        with self._reference.as_local(multithreaded, tmpdir) as local:
            yield local

    @override
    def read(self, size: int = -1) -> bytes:
        return self._reference.read(size)

    @override
    @contextlib.contextmanager
    def open(
        self, mode: str = "r", *, encoding: str | None = None, prefer_file_temporary: bool = False
    ) -> Generator[Any]:
        with self._reference.open(
            mode, encoding=encoding, prefer_file_temporary=prefer_file_temporary
        ) as handle:
            yield handle

    @override
    def to_fsspec(self) -> tuple[RemoteFileSystem, str]:
        return self._reference.to_fsspec()

    @override
    def size(self) -> int:
        return self._reference.size()

    @override
    def get_info(self) -> ResourceInfo:
        return self._reference.get_info()

    @override
    def exists(self) -> bool:
        return self._reference.exists()

    @override
    def remove(self) -> None:
        self._reference.remove()

    @override
    def write(self, data: bytes, overwrite: bool = True) -> None:
        self._reference.write(data, overwrite)

    @override
    def mkdir(self) -> None:
        self._reference.mkdir()

    @override
    def transfer_from(self, *args: Any, **kwargs: Any) -> None:
        self._reference.transfer_from(*args, **kwargs)


def _sign_anew(reference: ReferencePath) -> SignedPath:
    return reference.signed()
