"""Putting what is saved into the satellite: its type, its records, its version, at once or spooled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lsst.daf.butler import (
    DataCoordinate,
    DataId,
    DatasetRef,
    DatasetType,
    DimensionNameError,
    FormatterFactory,
    MissingCollectionError,
    MissingDatasetTypeError,
    StorageClass,
)
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry import ConflictingDefinitionError

from ..datastore.chain import personal_of
from ..satellite.place import Place
from ..satellite.provenance import note
from ..satellite.spool import Spool, commit_soon
from ..satellite.usage.room import bytes_of, check_room, write_failures_explained
from ..satellite.versions import version_number
from ..saving.dimensions import check_values, dimensions_of
from ..saving.names import chain_of, check_name
from ..saving.origin import Origin
from ..saving.pace import pace_of
from ..saving.patience import impatient, is_busy
from ..saving.storage import Fitting, fit, fit_type
from .chains import Chains
from .expanding import RecordMemory
from .records import bring_records
from .rewriting import rewrite
from .shared import Side

if TYPE_CHECKING:
    from .saving import SavingButler

__all__ = ["Landing", "Parcel"]

_PATIENCE = 0.2
"""Seconds for which a save waits for others that write before it is spooled."""

_REMEMBERED = 20_000
"""Data IDs that are remembered to be complete in the satellite."""


@dataclass(frozen=True)
class Parcel:
    """One object on its way to a destination.

    Attributes
    ----------
    fitting : `python_butler.saving.storage.Fitting`
        The object and its storage class.
    dataset_type : `lsst.daf.butler.DatasetType`
        Its dataset type, which the satellite knows.
    data_id : `lsst.daf.butler.DataCoordinate`
        Its data ID, with records.
    origin : `python_butler.saving.origin.Origin`
        Where it comes from.
    """

    fitting: Fitting
    dataset_type: DatasetType
    data_id: DataCoordinate
    origin: Origin

    def ref(self, run: str) -> DatasetRef:
        """A new dataset of it in a run."""
        return DatasetRef(self.dataset_type, self.data_id, run=run)


@dataclass
class _Known:
    """What was found in a satellite before, and stays true as long as it is the same database."""

    database: str = ""
    types: dict[str, DatasetType] = field(default_factory=dict)
    data_ids: dict[DataCoordinate, DataCoordinate] = field(default_factory=dict)
    records: RecordMemory = field(default_factory=RecordMemory)


class Landing:
    """Puts what one Butler saves into its satellite.

    Parameters
    ----------
    butler : `SavingButler`
        The Butler.

    Attributes
    ----------
    chains : `python_butler.federation.chains.Chains`
        Its versions.
    """

    def __init__(self, butler: SavingButler) -> None:
        self._butler = butler
        self._sides = butler._sides
        self.chains = Chains(butler)
        self._known = _Known()
        self._lock = threading.RLock()

    @property
    def place(self) -> Place:
        """Where the satellite is."""
        return Place(self._sides.shared.label, self._sides.shared.root)

    @property
    def spool(self) -> Spool:
        """The satellite's spool."""
        return Spool(self.place, self._butler.dimensions)

    def save(
        self,
        obj: Any,
        name: str,
        data_id: DataId | None,
        values: Mapping[str, Any],
        storage_class: str | StorageClass | None,
        run: str | None,
        origin: Origin,
    ) -> DatasetRef:
        """Write an object; the parameters are those of `pack` and `land`.

        Returns
        -------
        ref : `lsst.daf.butler.DatasetRef`
            The dataset.
        """
        with write_failures_explained(self.place):
            try:
                return self.land(self.pack(obj, name, data_id, values, storage_class, origin), run)
            except (MissingCollectionError, MissingDatasetTypeError):
                if self._sides.in_transaction:
                    raise
                # Somebody has removed what was there before.
                self.forget()
                self._sides.writer.registry.refresh()
                self._sides.changed()
            return self.land(self.pack(obj, name, data_id, values, storage_class, origin), run)

    def pack(
        self,
        obj: Any,
        name: str,
        data_id: DataId | None,
        values: Mapping[str, Any],
        storage_class: str | StorageClass | None,
        origin: Origin,
    ) -> Parcel:
        """Find out what an object becomes, and make the satellite ready for it.

        Parameters
        ----------
        obj, name, data_id, values, storage_class
            As for `SavingButler.save`.
        origin : `python_butler.saving.origin.Origin`
            Where it comes from.

        Returns
        -------
        parcel : `Parcel`
            What can be written.
        """
        check_name(name)
        writer = self._sides.writer
        check_room(self.place, bytes_of(obj))
        known = self._current()
        dataset_type = known.types.get(name)
        if dataset_type is None:
            dataset_type, fitting = self._find_type(writer, obj, name, data_id, values, storage_class)
            known.types[name] = dataset_type
        else:
            fitting = fit_type(obj, _formatters(writer), dataset_type, storage_class)
        expanded = self._expand(writer, known, self.standardize(dataset_type, data_id, values))
        return Parcel(fitting, dataset_type, expanded, origin)

    def land(self, parcel: Parcel, run: str | None = None) -> DatasetRef:
        """Write a parcel: nothing that happens to this process harms it when this returns.

        Parameters
        ----------
        parcel : `Parcel`
            What is to be written.
        run : `str`, optional
            The run; the newest version that has not got this data ID if not given, or a new one.

        Returns
        -------
        ref : `lsst.daf.butler.DatasetRef`
            The dataset.

        Raises
        ------
        lsst.daf.butler.registry.ConflictingDefinitionError
            If the run that is given has such a dataset.
        """
        pace = pace_of(self._sides.shared.root)
        # In a transaction only the writer of this thread sees what is there.
        in_transaction = self._sides.in_transaction
        spool = pace.begins() and not in_transaction
        put = self._spool if spool else self._put
        try:
            return self._put_somewhere(parcel, run, put)
        except Exception as error:
            if spool or in_transaction or not is_busy(error):
                raise
        finally:
            pace.ends()
        return self._put_somewhere(parcel, run, self._spool)

    def _put_somewhere(
        self, parcel: Parcel, run: str | None, put: Callable[[Parcel, str], DatasetRef]
    ) -> DatasetRef:
        if run is not None:
            self.chains.ensure_run(run)
            return put(parcel, run)
        chain = chain_of(parcel.dataset_type.name)
        after = 0
        while True:
            version = self.chains.newest(chain) if after == 0 else None
            if version is None:
                version = self.chains.begin(chain, after)
            try:
                return put(parcel, version)
            except ConflictingDefinitionError:
                # Its data ID is in this version: perhaps since a moment, written by somebody else.
                after = version_number(version)

    def _put(self, parcel: Parcel, run: str) -> DatasetRef:
        sides = self._sides
        writer = sides.writer
        with (
            sides.claiming([parcel.ref(run)]),
            impatient(_PATIENCE),
            self._butler._changing(run),
            # If this fails, what the caller has written before can still be committed: PostgreSQL would
            # refuse that without a point to go back to.
            sides.transaction(savepoint=sides.in_transaction),
        ):
            ref = writer.put(
                parcel.fitting.obj,
                parcel.dataset_type,
                parcel.data_id,
                run=run,
                provenance=parcel.origin.provenance,
            )
            note(writer, {ref.id: parcel.origin.notes})
        self.chains.still_newest(run)
        return ref

    def _spool(self, parcel: Parcel, run: str) -> DatasetRef:
        # A reader, which waits for nobody.
        ref = self.spool.store(
            self._sides.reader,
            parcel.fitting.obj,
            parcel.ref(run),
            provenance=parcel.origin.provenance,
            notes=parcel.origin.notes,
        )
        commit_soon(self.place, self._sides.spare_writer)
        return ref

    def _find_type(
        self,
        writer: DirectButler,
        obj: Any,
        name: str,
        data_id: DataId | None,
        values: Mapping[str, Any],
        storage_class: str | StorageClass | None,
    ) -> tuple[DatasetType, Fitting]:
        if _type_in(writer, name) is None and self._sides.dataset_type(Side.OFFICIAL, name) is None:
            fitting = fit(obj, _formatters(writer), storage_class)
            universe = self._butler.dimensions
            dimensions = dimensions_of(data_id, values, universe)
            dataset_type = DatasetType(name, dimensions, fitting.storage_class, universe=universe)
            # Before it is registered: a data ID that is wrong leaves nothing behind.
            self.standardize(dataset_type, data_id, values)
            try:
                self._butler._writing.register_dataset_type(dataset_type)
            except ConflictingDefinitionError:
                # Another process was quicker, with another object.
                pass
            else:
                return dataset_type, fitting
        dataset_type = self._butler._writing.prepare_dataset_type(name)
        return dataset_type, fit_type(obj, _formatters(writer), dataset_type, storage_class)

    def standardize(
        self, dataset_type: DatasetType, data_id: DataId | None, values: Mapping[str, Any]
    ) -> DataCoordinate:
        """Complete a data ID, and refuse a wrong one.

        Parameters
        ----------
        dataset_type : `lsst.daf.butler.DatasetType`
            Dataset type it is for.
        data_id : `dict` or `lsst.daf.butler.DataCoordinate`, optional
            Data ID; may name dimensions by their records.
        values : `dict`
            More values of it.

        Returns
        -------
        data_id : `lsst.daf.butler.DataCoordinate`
            With the required dimensions of the type, and no others.

        Raises
        ------
        InvalidRequestError
            If it names what is no dimension of the type.
        lsst.daf.butler.DimensionNameError
            If a value is missing.
        """
        check_values(dataset_type.name, dataset_type.dimensions, data_id, values)
        plain, rest = rewrite(self._butler, data_id, dataset_type, dict(values))
        try:
            return self._butler._standardize(dataset_type, plain, rest)
        except DimensionNameError as error:
            required = ", ".join(dataset_type.dimensions.required)
            error.add_note(f"The data ID of {dataset_type.name!r} has to tell {required}.")
            raise

    def _expand(self, writer: DirectButler, known: _Known, data_id: DataCoordinate) -> DataCoordinate:
        expanded = known.data_ids.get(data_id)
        if expanded is None:
            bare = DataCoordinate.from_required_values(data_id.dimensions, data_id.required_values)
            # A reader waits for nobody; within a transaction only the writer knows all.
            butler = writer if self._sides.in_transaction else self._sides.reader
            found = known.records.expand(butler, bare)
            if found is None:
                bring_records(self._sides, [bare])
                found = writer.registry.expandDataId(bare, withDefaults=False)
            if len(known.data_ids) >= _REMEMBERED:
                known.data_ids.clear()
            expanded = known.data_ids[data_id] = found
        return expanded

    def forget(self) -> None:
        """Look everything up again."""
        self.chains.forget()
        with self._lock:
            self._known = _Known()

    def _current(self) -> _Known:
        database = self._sides.shared.satellite_version().partition("-")[0]
        with self._lock:
            if self._known.database != database:
                self._known = _Known(database)
            return self._known


def _formatters(writer: DirectButler) -> FormatterFactory:
    return personal_of(writer).formatterFactory


def _type_in(butler: DirectButler, name: str) -> DatasetType | None:
    try:
        return butler.get_dataset_type(name)
    except MissingDatasetTypeError:
        return None
