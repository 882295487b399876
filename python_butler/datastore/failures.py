"""The two kinds of failure to read an official file, which are never confused.

Either the dataset is gone, which no waiting mends: a lookup error. Or the object store is in trouble,
and the data are as they were: an `OSError` which is no `FileNotFoundError`, since a chain of datastores
takes that for "not mine". The servers' own troubles are told by `python_butler.official`.
"""

from __future__ import annotations

from uuid import UUID

from lsst.daf.butler import DatasetNotFoundError

from ..errors import (
    ErrorKind,
    ForbiddenError,
    GoneError,
    OfficialServerError,
    OfflineError,
)

__all__ = [
    "NotConfigured",
    "OfficialFileGone",
    "WrongSize",
    "gone",
    "refused",
    "unreachable",
    "wrong_size",
]


class OfficialFileGone(GoneError, DatasetNotFoundError):
    """The official repository has this dataset, or its file, no longer."""


class NotConfigured(OfficialServerError):
    """The address of an official repository's server is not known here; its datasets are what they were.

    No lookup error, as `python_butler.errors.UnknownRepositoryError` is: that would tell that a dataset
    is gone.
    """

    kind = ErrorKind.UNKNOWN_REPOSITORY


class WrongSize(OfflineError):
    """A file is not the one that was recorded: the trouble is with this one, not with the store."""


def gone(label: str, dataset_id: UUID) -> OfficialFileGone:
    """Tell that an official file is no longer there.

    Parameters
    ----------
    label : `str`
        Label of the official repository.
    dataset_id : `uuid.UUID`
        The dataset.

    Returns
    -------
    error : `OfficialFileGone`
        To be raised.
    """
    return OfficialFileGone(
        f"Dataset {dataset_id} is no longer in {label}: it, or its file, was removed there.",
        "Forget the reference with Satellite.forget, or reference the dataset that replaces it.",
    )


def refused(label: str, dataset_id: UUID, status: int) -> ForbiddenError:
    """Tell that the object store refuses signed addresses, fresh ones too.

    Parameters
    ----------
    label : `str`
        Label of the official repository.
    dataset_id : `uuid.UUID`
        The dataset.
    status : `int`
        HTTP status of the last answer.

    Returns
    -------
    error : `python_butler.errors.ForbiddenError`
        To be raised.
    """
    return ForbiddenError(
        f"The object store of {label} refuses to hand out dataset {dataset_id} (status {status}).",
        "The file may have been removed, or this machine's clock is wrong; else tell the platform's support.",
    )


def unreachable(label: str, dataset_id: UUID, reason: str) -> OfflineError:
    """Tell that the object store cannot be reached, or fails.

    Parameters
    ----------
    label : `str`
        Label of the official repository.
    dataset_id : `uuid.UUID`
        The dataset.
    reason : `str`
        What happened, without an address.

    Returns
    -------
    error : `python_butler.errors.OfflineError`
        To be raised.
    """
    return OfflineError(
        f"Dataset {dataset_id} of {label} could not be read: the object store {reason}.",
        "Check the network and try again; pinned and personal data can be used meanwhile.",
    )


def wrong_size(label: str, dataset_id: UUID, size: int, expected: int) -> WrongSize:
    """Tell that a file is not the one that was recorded.

    Parameters
    ----------
    label : `str`
        Label of the official repository.
    dataset_id : `uuid.UUID`
        The dataset.
    size, expected : `int`
        Bytes that came, and that should have.

    Returns
    -------
    error : `WrongSize`
        To be raised.
    """
    return WrongSize(
        f"The file of dataset {dataset_id} of {label} has {size} bytes, but should have {expected}.",
        "Try again, or forget the dataset and reference it anew; if it stays, tell the platform's support.",
    )
