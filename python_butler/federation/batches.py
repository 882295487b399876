"""`Deferred`: what is gathered, and then saved together or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from html import escape
from typing import TYPE_CHECKING, Any

from lsst.daf.butler import DataId, DatasetProvenance, DatasetRef, DatasetType, StorageClass
from lsst.daf.butler.registry import ConflictingDefinitionError, NoDefaultCollectionError

from ..errors import InvalidRequestError
from ..satellite.notebook import shows_progress
from ..satellite.progress import ProgressCallback, ProgressWish
from ..satellite.spool import Batch, BatchInfo, Spool
from ..satellite.usage.room import bytes_of, check_room
from ..satellite.versions import drop
from ..saving.names import chain_of
from ..saving.origin import Origin
from ..words import size
from .rewriting import rewrite

if TYPE_CHECKING:
    from .saving import SavingButler

__all__ = ["Deferred", "LeftBatch", "LeftBatches", "current_batch"]

current_batch: ContextVar[Deferred | None] = ContextVar("python_butler_batch", default=None)
"""The batch that saves of this thread go to."""


class Deferred:
    """Datasets that nobody sees until they are committed together. `SavingButler.deferred` makes one.

    Each name that is saved gets a version of its own, which nobody else writes to.

    Parameters
    ----------
    butler : `SavingButler`
        The Butler that saves.
    batch : `python_butler.satellite.spool.Batch`
        Where datasets are gathered.
    """

    def __init__(self, butler: SavingButler, batch: Batch) -> None:
        self.butler = butler
        self._batch = batch
        self._runs: dict[str, list[str]] = {}
        self._lock = threading.Lock()
        self.is_open = True
        self.is_kept = False

    @property
    def id(self) -> str:
        """Identifier under which `SavingButler.batches` lists it if the process ends before it does."""
        return self._batch.id

    def __len__(self) -> int:
        return len(self._batch)

    def __repr__(self) -> str:
        return f"Deferred({len(self)} datasets, {'open' if self.is_open else 'ended'})"

    def save(
        self,
        obj: Any,
        name: str,
        data_id: DataId | None = None,
        *,
        inputs: Iterable[DatasetRef] | None = None,
        storage_class: str | StorageClass | None = None,
        run: str | None = None,
        doc: str | None = None,
        **data_id_values: Any,
    ) -> DatasetRef:
        """Add an object under a name; the parameters are those of `SavingButler.save`.

        Returns
        -------
        ref : `lsst.daf.butler.DatasetRef`
            The dataset that it will be. With this reference, ``butler.get`` reads it already.

        Raises
        ------
        InvalidRequestError
            Also if the batch has ended.
        """
        origin = self.butler._origin(name, inputs, doc)
        ref = self._add(obj, name, data_id, data_id_values, storage_class, run, origin)
        self.butler._sides.reads.saved(name)
        return ref

    def _add(
        self,
        obj: Any,
        name: str,
        data_id: DataId | None,
        data_id_values: Mapping[str, Any],
        storage_class: str | StorageClass | None,
        run: str | None,
        origin: Origin,
    ) -> DatasetRef:
        self._check_open()
        landing = self.butler._landing
        parcel = landing.pack(obj, name, data_id, data_id_values, storage_class, origin)
        if run is not None:
            landing.chains.ensure_run(run)
        chain = chain_of(name)
        runs = self._runs.setdefault(chain, [])
        tried = ""
        while True:
            with self._lock:
                if run is None and (not runs or runs[-1] == tried):
                    runs.append(landing.chains.reserve(chain))
                version = run if run is not None else runs[-1]
            try:
                return self._batch.put(
                    self.butler._sides.reader,
                    parcel.fitting.obj,
                    parcel.ref(version),
                    provenance=parcel.origin.provenance,
                    notes=parcel.origin.notes,
                )
            except ConflictingDefinitionError:
                if run is not None:
                    raise
                # Saved again within the batch: that is the next version, and the newest for all that follows.
                tried = version

    def put(
        self,
        obj: Any,
        datasetRefOrType: DatasetRef | DatasetType | str,  # noqa: N803  upstream's name
        /,
        dataId: DataId | None = None,  # noqa: N803
        *,
        run: str | None = None,
        provenance: DatasetProvenance | None = None,
        **kwargs: Any,
    ) -> DatasetRef:
        """Add a dataset, as upstream's ``put`` does; the parameters are those of that.

        Returns
        -------
        ref : `lsst.daf.butler.DatasetRef`
            The dataset that it will be.
        """
        self._check_open()
        butler = self.butler
        check_room(butler._place, bytes_of(obj))
        if isinstance(datasetRefOrType, DatasetRef):
            ref = datasetRefOrType
            butler._writing.prepare([ref])
        else:
            run = run or butler.run
            if run is None:
                raise NoDefaultCollectionError(
                    "No run provided to put, and no default from opening this Butler: pass run='u/...'."
                )
            dataset_type = butler._writing.prepare_dataset_type(datasetRefOrType)
            plain, values = rewrite(butler, dataId, dataset_type, kwargs)
            coordinate = butler._standardize(dataset_type, plain, values)
            butler._writing.prepare_records([coordinate])
            ref = DatasetRef(dataset_type, butler.registry.expandDataId(coordinate), run=run)
        butler._landing.chains.ensure_run(ref.run)
        return self._batch.put(butler._sides.reader, obj, ref, provenance=provenance)

    @shows_progress
    def commit(self, *, progress: ProgressWish = None, cancel: threading.Event | None = None) -> int:
        """Save everything, or nothing. The end of the ``with`` block does it.

        Parameters
        ----------
        progress, cancel
            As `python_butler.satellite.progress` describes.

        Returns
        -------
        committed : `int`
            Number of datasets.

        Raises
        ------
        lsst.daf.butler.registry.ConflictingDefinitionError
            If a run that was named has got one of the datasets meanwhile. The batch stays as it is.
        python_butler.errors.SatelliteError
            If the satellite cannot be written. The batch stays as it is.
        """
        self._check_open()
        committed = _commit(self.butler, self._batch, progress or None, cancel)
        self.is_open = bool(cancel is not None and cancel.is_set() and not committed and len(self))
        return committed

    def discard(self) -> None:
        """Leave nothing of it behind."""
        self._check_open()
        self.is_open = False
        _discard(self.butler, self._batch, [run for runs in self._runs.values() for run in runs])

    def keep(self) -> None:
        """Keep what was gathered if the block ends with an exception: `SavingButler.batches` lists it."""
        self.is_kept = True

    def _check_open(self) -> None:
        if not self.is_open:
            raise InvalidRequestError("This batch has ended.", "Begin another with butler.deferred().")


class LeftBatch:
    """A batch that was begun, and neither committed nor discarded: its process may have been killed.

    Parameters
    ----------
    butler : `SavingButler`
        The Butler that found it.
    info : `python_butler.satellite.spool.BatchInfo`
        What is known of it.
    """

    def __init__(self, butler: SavingButler, info: BatchInfo) -> None:
        self._butler = butler
        self.info = info

    def commit(
        self, *, progress: ProgressCallback | None = None, cancel: threading.Event | None = None
    ) -> int:
        """Save everything in it, or nothing.

        Parameters
        ----------
        progress, cancel
            As `python_butler.satellite.progress` describes.

        Returns
        -------
        committed : `int`
            Number of datasets.

        Raises
        ------
        python_butler.errors.SatelliteError
            If it is in use, or the satellite cannot be written.
        """
        self._butler._check_writeable()
        return _commit(self._butler, self._taken(), progress, cancel)

    def discard(self) -> None:
        """Leave nothing of it behind.

        Raises
        ------
        python_butler.errors.SatelliteError
            If it is in use.
        """
        self._butler._check_writeable()
        _discard(self._butler, self._taken(), [])

    def _taken(self) -> Batch:
        return self._butler._landing.spool.open_batch(self.info.id)

    def row(self) -> tuple[str, ...]:
        """Describe it in words.

        Returns
        -------
        row : `tuple` [`str`]
            Name, datasets, size, time, process and its state.
        """
        info = self.info
        state = {True: "running", False: "ended", None: "elsewhere"}[info.alive]
        return (
            info.name or info.id[:8],
            str(info.datasets),
            size(info.size),
            info.began.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
            f"{info.pid} on {info.host} ({state})",
        )

    def __repr__(self) -> str:
        return "LeftBatch({}: {} datasets, {}, begun {}, process {})".format(*self.row())


class LeftBatches(Sequence[LeftBatch]):
    """Batches that were neither committed nor discarded, the oldest first.

    Parameters
    ----------
    batches : iterable of `LeftBatch`
        The batches.
    """

    def __init__(self, batches: Iterable[LeftBatch]) -> None:
        self._batches = list(batches)

    def __getitem__(self, index: Any) -> Any:
        return self._batches[index]

    def __len__(self) -> int:
        return len(self._batches)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self._batches)) or "No batch is open."

    def _repr_html_(self) -> str:
        if not self._batches:
            return "<p>No batch is open.</p>"
        head = "".join(f"<th>{each}</th>" for each in ("batch", "datasets", "size", "begun", "process"))
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in batch.row()) + "</tr>"
            for batch in self._batches
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def left_batches(butler: SavingButler, spool: Spool) -> LeftBatches:
    """List batches that can be taken up.

    Parameters
    ----------
    butler : `SavingButler`
        The Butler that asks.
    spool : `python_butler.satellite.spool.Spool`
        Spool of its satellite.

    Returns
    -------
    batches : `LeftBatches`
        The oldest first.
    """
    return LeftBatches(LeftBatch(butler, info) for info in spool.batches())


def _commit(
    butler: SavingButler,
    batch: Batch,
    progress: ProgressCallback | None,
    cancel: threading.Event | None,
) -> int:
    with butler._changing() as writer:
        return batch.commit(writer=writer, progress=progress, cancel=cancel)


def _discard(butler: SavingButler, batch: Batch, runs: Iterable[str]) -> None:
    with butler._changing() as writer:
        batch.discard(writer=writer)
        for run in runs:
            drop(writer, run)
