"""Signed addresses of official files: asked for when needed, kept in memory until they expire."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import parse_qs, quote, urlsplit
from uuid import UUID

from lsst.daf.butler import DatasetNotFoundError
from lsst.daf.butler.datastore.stored_file_info import StoredFileInfo
from lsst.daf.butler.remote_butler._http_connection import parse_model
from lsst.daf.butler.remote_butler.server_models import (
    GetFileResponseModel,
    GetFileTransferInfoRequestModel,
    GetFileTransferInfoResponseModel,
)
from lsst.utils.iteration import chunk_iterable

from ..errors import UnknownRepositoryError
from ..official import OfficialConnection, official_url
from .failures import NotConfigured, gone, wrong_size
from .transport import Transport

__all__ = ["SignedFile", "Signer", "signer_for"]

READ_TIMEOUT = 30.0
"""Seconds without a byte from the server after which it counts as offline."""

REMEMBERED = 20_000
"""Signed addresses kept in memory; the longest unused are dropped."""

_SAFETY = 60.0
_UNKNOWN_LIFETIME = 120.0


@dataclass(frozen=True)
class SignedFile:
    """Where one file can be had now.

    Attributes
    ----------
    url : `str`
        Signed address: a secret, as good as a token for this one file. Not part of the ``repr``.
    size : `int`
        Bytes, or -1 if the server does not know.
    """

    url: str
    size: int
    good_until: float

    @property
    def good(self) -> bool:
        """Whether the address will be accepted for a while yet."""
        return time.monotonic() < self.good_until

    def __repr__(self) -> str:
        return f"SignedFile(size={self.size}, good={self.good})"


class Signer:
    """What is asked of one official server about files; made by `signer_for`.

    Safe to use from several threads. Pickles as its label: whoever unpickles it uses its own token.

    Parameters
    ----------
    label : `str`
        Label of the official repository.
    server_url : `str`
        Address of its server.
    """

    def __init__(self, label: str, server_url: str) -> None:
        self.label = label
        self.server_url = server_url
        self._connection = OfficialConnection(label, server_url, read_timeout=READ_TIMEOUT)
        self._transport = Transport(label)
        self._signed: OrderedDict[tuple[UUID, str | None], SignedFile] = OrderedDict()
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return (signer_for, (self.label,))

    def sign(self, dataset_id: UUID, component: str | None = None, *, renew: bool = False) -> SignedFile:
        """Address of a file, signed by the server unless a good one is remembered.

        Parameters
        ----------
        dataset_id : `uuid.UUID`
            The dataset.
        component : `str`, optional
            Component, for a dataset whose components are files of their own.
        renew : `bool`, optional
            Whether to ask the server even if an address is remembered.

        Returns
        -------
        file : `SignedFile`
            The address and the size.

        Raises
        ------
        python_butler.errors.GoneError
            If the dataset or its file is no longer there.
        python_butler.errors.OfficialServerError
            If the server, the token or the network is in trouble.
        """
        key = (dataset_id, component)
        if not renew:
            with self._lock:
                known = self._signed.get(key)
                if known is not None and known.good:
                    self._signed.move_to_end(key)
                    return known
        asked = time.monotonic()
        try:
            answer = parse_model(self._connection.get(f"get_file/{dataset_id}"), GetFileResponseModel)
        except DatasetNotFoundError:
            raise gone(self.label, dataset_id) from None
        if answer.artifact is None:
            raise gone(self.label, dataset_id)
        with self._lock:
            for file in answer.artifact.file_info:
                url = str(file.url).partition("#")[0]
                record = file.datastoreRecords
                self._signed[dataset_id, record.component] = SignedFile(
                    url, record.file_size, _good_until(url, asked)
                )
            while len(self._signed) > REMEMBERED:
                self._signed.popitem(last=False)
            signed = self._signed.get(key)
        if signed is None:
            raise gone(self.label, dataset_id)
        return signed

    def cancel(self) -> None:
        """End all requests to the server at once, from any thread; it cannot be asked again."""
        self._connection.cancel()

    def close(self) -> None:
        """Close the connections to the server; safe to call twice. Not for what `signer_for` gave."""
        self._connection.close()

    def forget_signed(self) -> None:
        """Forget all signed addresses."""
        with self._lock:
            self._signed.clear()

    def download(self, dataset_id: UUID, component: str | None, out: BinaryIO, expected: int = -1) -> int:
        """Write a whole file into another, however often that has to be taken up again.

        Parameters
        ----------
        dataset_id, component
            As for `sign`.
        out : file object
            Open for writing bytes, at its start.
        expected : `int`, optional
            Size in bytes that the file was recorded with; any if negative.

        Returns
        -------
        size : `int`
            Bytes written.

        Raises
        ------
        python_butler.errors.GoneError, python_butler.errors.OfficialServerError
            As for `sign`; also if the file has another size than expected.
        """
        size = self._transport.download(
            dataset_id, lambda renew: self.sign(dataset_id, component, renew=renew).url, out
        )
        if 0 <= expected != size:
            raise wrong_size(self.label, dataset_id, size, expected)
        return size

    def fetch_range(self, dataset_id: UUID, component: str | None, start: int, stop: int) -> bytes:
        """Read part of a file.

        Parameters
        ----------
        dataset_id, component
            As for `sign`.
        start, stop : `int`
            The first byte and the one after the last.

        Returns
        -------
        content : `bytes`
            Shorter than asked for if the file ends before.

        Raises
        ------
        python_butler.errors.GoneError, python_butler.errors.OfficialServerError
            As for `sign`.
        """
        return self._transport.fetch_range(
            dataset_id, lambda renew: self.sign(dataset_id, component, renew=renew).url, start, stop
        )

    def length(self, dataset_id: UUID, component: str | None) -> int:
        """Ask the object store how long a file is.

        Parameters
        ----------
        dataset_id, component
            As for `sign`.

        Returns
        -------
        size : `int`
            Bytes in the file.

        Raises
        ------
        python_butler.errors.GoneError, python_butler.errors.OfficialServerError
            As for `sign`.
        """
        return self._transport.length(
            dataset_id, lambda renew: self.sign(dataset_id, component, renew=renew).url
        )

    def files(self, dataset_ids: Iterable[UUID]) -> dict[UUID, list[StoredFileInfo]]:
        """What the server knows of many datasets' files, in as few requests as it allows.

        Parameters
        ----------
        dataset_ids : iterable of `uuid.UUID`
            The datasets.

        Returns
        -------
        files : `dict` [`uuid.UUID`, `list` [`lsst.daf.butler.datastore.StoredFileInfo`]]
            Records with paths relative to the official datastore. Datasets without a file are left
            out.

        Raises
        ------
        python_butler.errors.OfficialServerError
            If the server, the token or the network is in trouble.
        """
        found: dict[UUID, list[StoredFileInfo]] = {}
        limit = GetFileTransferInfoRequestModel.MAX_ITEMS_PER_REQUEST
        for chunk in chunk_iterable(dataset_ids, limit):
            request = GetFileTransferInfoRequestModel(dataset_ids=chunk)
            response = self._connection.post("file_transfer", request)
            answer = parse_model(response, GetFileTransferInfoResponseModel)
            for dataset_id, records in answer.files.items():
                if records:
                    found[dataset_id] = [StoredFileInfo.from_simple(record.file_info) for record in records]
        return found

    def address(self, dataset_id: UUID, component: str | None = None) -> str:
        """Permanent address of a file, which holds no secret and needs a token to be read.

        Parameters
        ----------
        dataset_id, component
            As for `sign`.

        Returns
        -------
        url : `str`
            Address that the server redirects from.
        """
        suffix = f"?component={quote(component)}" if component else ""
        return f"{self.server_url}/v1/dataset/{dataset_id}/download{suffix}"

    def recognise(self, url: str) -> tuple[UUID, str | None] | None:
        """Tell which file a permanent address is of.

        Parameters
        ----------
        url : `str`
            Any address.

        Returns
        -------
        file : `tuple` [`uuid.UUID`, `str` or `None`] or `None`
            Dataset and component; `None` if it is no address of a file on this server.
        """
        begin, end = f"{self.server_url}/v1/dataset/", "/download"
        address, _, query = url.partition("?")
        if not (address.startswith(begin) and address.endswith(end)):
            return None
        try:
            dataset_id = UUID(address[len(begin) : -len(end)])
        except ValueError:
            return None
        return dataset_id, next(iter(parse_qs(query).get("component", [])), None)


def _good_until(url: str, asked: float) -> float:
    """Time on the monotonic clock until which an address is used, shortly before it expires."""
    query = parse_qs(urlsplit(url).query)
    lifetime = _UNKNOWN_LIFETIME
    for relative in ("X-Amz-Expires", "X-Goog-Expires"):
        if relative in query:
            lifetime = float(query[relative][0])
    if "Expires" in query:
        lifetime = float(query["Expires"][0]) - time.time()
    return asked + lifetime - min(_SAFETY, lifetime / 10)


_signers: dict[tuple[str, str], Signer] = {}
_signers_lock = threading.Lock()
_inherited: list[dict[tuple[str, str], Signer]] = []


def _start_anew() -> None:
    """Leave connections to the parent process: two that use one connection garble each other's answers."""
    global _signers, _signers_lock
    # Kept, since closing them would say farewell on the parent's connections.
    _inherited.append(_signers)
    _signers, _signers_lock = {}, threading.Lock()


os.register_at_fork(after_in_child=_start_anew)


def signer_for(label: str) -> Signer:
    """Find the signer of an official repository; there is one in each process.

    Parameters
    ----------
    label : `str`
        Label of the official repository.

    Returns
    -------
    signer : `Signer`
        For the address at which the label is served now.

    Raises
    ------
    python_butler.errors.OfficialServerError
        If no official repository has this label here.
    """
    try:
        key = (label, official_url(label))
    except UnknownRepositoryError as error:
        raise NotConfigured(error.message, error.next_step) from None
    with _signers_lock:
        if key not in _signers:
            _signers[key] = Signer(*key)
        return _signers[key]
