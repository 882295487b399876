"""Where references are: locations that tell the official path, and having no address at all."""

from __future__ import annotations

from typing import Never, override

from lsst.daf.butler import Location, LocationFactory
from lsst.daf.butler.datastore import DatasetRefURIs
from lsst.resources import ResourcePath

from ..errors import InvalidRequestError
from .path import split_reference

__all__ = ["Nowhere", "OfficialLocation", "ReferenceLocationFactory"]


class Nowhere(DatasetRefURIs):
    """No address at all: false, so that a chain asks its next datastore to predict one."""

    def __bool__(self) -> bool:
        return False


class _ReferenceLocation(Location):
    """Location whose path in the datastore is the official one: what retrieved files are called."""

    __slots__ = ()

    @property
    def pathInStore(self) -> ResourcePath:
        # Quoted as it is, with its fragment.
        return self._path.replace(path=split_reference(self._path.path)[3])


class OfficialLocation(Location):
    """Location of an official file: to copy it, or to take the reference, not to be recorded as it is."""

    __slots__ = ()

    @override
    def toAbsolute(self) -> Never:
        raise InvalidRequestError(
            "Official files can be referenced in satellites only: no other repository could read them.",
            "Transfer them into a satellite, or copy them with transfer='copy'.",
        )


class ReferenceLocationFactory(LocationFactory):
    """Makes locations of references."""

    @override
    def from_uri(self, uri: ResourcePath, *, trusted_path: bool = False) -> Location:
        return _ReferenceLocation(self._datastoreRootUri, uri, trusted_path=trusted_path)
