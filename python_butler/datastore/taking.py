"""Which official file an address is of, so that a reference can be taken instead of a copy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from lsst.daf.butler.datastore.stored_file_info import StoredFileInfo
from lsst.resources import ResourcePath

from ..official import known_repositories
from .failures import gone
from .path import ReferencePath
from .signer import signer_for

__all__ = ["Reference", "recognise", "reference_at"]


@dataclass(frozen=True)
class Reference:
    """One official file.

    Attributes
    ----------
    label : `str`
        Label of the official repository.
    dataset_id : `uuid.UUID`
        The dataset.
    component : `str` or `None`
        Component, if its file is not the whole dataset.
    """

    label: str
    dataset_id: UUID
    component: str | None

    def path(self) -> ReferencePath:
        """Path to read it from; its server is asked for its name.

        Raises
        ------
        python_butler.errors.GoneError
            If it is no longer there.
        """
        for info in self.files(self.label, [self.dataset_id]).get(self.dataset_id, []):
            if info.component == self.component:
                return ReferencePath.of(self.label, self.dataset_id, self.component, info.path)
        raise gone(self.label, self.dataset_id)

    @staticmethod
    def files(label: str, dataset_ids: Iterable[UUID]) -> dict[UUID, list[StoredFileInfo]]:
        """Files of datasets that must be there.

        Parameters
        ----------
        label : `str`
            Label of the official repository.
        dataset_ids : iterable of `uuid.UUID`
            The datasets.

        Returns
        -------
        files : `dict` [`uuid.UUID`, `list` [`lsst.daf.butler.datastore.StoredFileInfo`]]
            Their records, as the server tells them.

        Raises
        ------
        python_butler.errors.GoneError
            If one of them is no longer there.
        """
        wanted = list(dataset_ids)
        found = signer_for(label).files(wanted)
        for dataset_id in wanted:
            if dataset_id not in found:
                raise gone(label, dataset_id)
        return found


def recognise(address: str | ResourcePath) -> Reference | None:
    """Tell which official file an address is of.

    Parameters
    ----------
    address : `str` or `lsst.resources.ResourcePath`
        Any address: that of a file on disk, a permanent one of an official server, or a reference.

    Returns
    -------
    reference : `Reference` or `None`
        `None` if it is no official file of a repository that is known here.
    """
    if isinstance(address, ReferencePath):
        return Reference(address.label, address.dataset_id, address.component)
    text = str(address)
    if not text.startswith(("http://", "https://")):
        return None
    for label in known_repositories():
        found = signer_for(label).recognise(text)
        if found is not None:
            return Reference(label, *found)
    return None


def reference_at(path: ReferencePath) -> str:
    """Permanent address of an official file, as exports hold it; it has no secret.

    Parameters
    ----------
    path : `ReferencePath`
        The file.

    Returns
    -------
    address : `str`
        Address that `recognise` recognises, wherever the same label is known.
    """
    return signer_for(path.label).address(path.dataset_id, path.component)
