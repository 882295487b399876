"""`SavingButler`: saving an object by a name, and what belongs to that: versions, destinations, batches."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from lsst.daf.butler import (
    DataId,
    DatasetId,
    DatasetRef,
    StorageClass,
)

from ..errors import InvalidRequestError, SatelliteError, UnknownVersionError
from ..satellite.layout import read_marker
from ..satellite.place import Place
from ..saving.names import chain_of, check_name
from ..saving.origin import Origin
from ..saving.results import Saved
from ..saving.rules import PERSONAL, destinations_for
from ..saving.versions import Comparison, Versions
from .batches import Deferred, LeftBatches, current_batch, left_batches
from .keeping import Keeping
from .landing import Landing
from .putting import PuttingButler
from .remembering import Remembering
from .safety import safely

if TYPE_CHECKING:
    from .butler import SatelliteButler

__all__ = ["Destination", "SavingButler"]

type Destination = str | Path | Place
"""Where something is saved: ``"personal"``, ``"memory"``, a satellite, its label or its directory."""


class SavingButler(PuttingButler):
    """Saves and loads objects by name."""

    _landing: Landing
    _keeping: Keeping
    _others: dict[str, SatelliteButler]

    def _start_saving(self) -> None:
        """Make what saving needs: upstream's classes have no constructor to do it in."""
        self._landing = Landing(self)
        self._remembering = Remembering(self)
        self._keeping = Keeping(self)
        self._others = {}

    def _stop_saving(self) -> None:
        """Close what saving opened."""
        for other in self._others.values():
            other.close()
        self._others.clear()

    # Saving

    @overload
    def save(
        self,
        obj: Any,
        name: str,
        data_id: DataId | None = None,
        *,
        to: Destination | None = None,
        inputs: Iterable[DatasetRef] | None = None,
        storage_class: str | StorageClass | None = None,
        run: str | None = None,
        doc: str | None = None,
        **data_id_values: Any,
    ) -> DatasetRef: ...
    @overload
    def save(
        self,
        obj: Any,
        name: str,
        data_id: DataId | None = None,
        *,
        to: Sequence[Path | Place] | list[str] | tuple[str, ...] | list[Destination],
        inputs: Iterable[DatasetRef] | None = None,
        storage_class: str | StorageClass | None = None,
        run: str | None = None,
        doc: str | None = None,
        **data_id_values: Any,
    ) -> Saved: ...
    @safely
    def save(
        self,
        obj: Any,
        name: str,
        data_id: DataId | None = None,
        *,
        to: Destination | Sequence[Destination] | None = None,
        inputs: Iterable[DatasetRef] | None = None,
        storage_class: str | StorageClass | None = None,
        run: str | None = None,
        doc: str | None = None,
        **data_id_values: Any,
    ) -> DatasetRef | Saved:
        """Save an object under a name: what is missing is made, and nothing is overwritten.

        The first save of a name registers a dataset type: the object decides its storage class, the data
        ID its dimensions. Datasets go to the newest version of the name, the run
        ``u/<user name>/<name>/v<number>``; if that has one with this data ID, a new version is begun.
        All versions are in the chain ``u/<user name>/<name>``, newest first.

        Parameters
        ----------
        obj : `object`
            An astropy Table or QTable, a pandas DataFrame, an arrow Table, a numpy array, a dictionary or
            list of plain values, a text or number, a matplotlib figure, an image of ``lsst.images``, a
            pydantic model; or what fits ``storage_class``.
        name : `str`
            Name of the dataset type: letters, digits and underscores.
        data_id : `dict` or `lsst.daf.butler.DataCoordinate`, optional
            Data ID, as for `put`; none for something that there is one of.
        to : `str`, `pathlib.Path` or `python_butler.Satellite`, or a sequence of them, optional
            ``"personal"``, the satellite of this Butler; ``"memory"``, for this process only; another
            satellite, its label or its directory. If not given, what the rules of the user and the site
            say, see `python_butler.settings.rule_files`; ``"personal"`` without any.
        inputs : iterable of `lsst.daf.butler.DatasetRef`, optional
            What it was made from. If not given: the datasets that this Butler read, in this thread, since
            it last saved under the same name.
        storage_class : `str` or `lsst.daf.butler.StorageClass`, optional
            Storage class of a new dataset type, if not the usual one for the object.
        run : `str`, optional
            A personal run to save to instead of a version; it is registered if need be.
        doc : `str`, optional
            A remark that is kept with the dataset.
        **data_id_values
            Values of the data ID, such as ``tract=5063``.

        Returns
        -------
        saved : `lsst.daf.butler.DatasetRef` or `python_butler.saving.results.Saved`
            The dataset. Nothing that happens to this process harms it now; what the machine had not written
            to its disk when it loses its power is another matter, see `deferred`. If ``to`` is a sequence,
            the datasets and problems by destination: one that fails does not undo the others. If a rule names
            several destinations, the dataset at the first that has it; problems are warned of.

        Raises
        ------
        python_butler.errors.InvalidRequestError
            If there is no storage class for the object, a dimension is wrong, or the name has been used
            for something else.
        lsst.daf.butler.registry.ConflictingDefinitionError
            If ``run`` has such a dataset, or the repositories disagree on the dataset type.
        python_butler.errors.OfficialRunError
            If ``run`` belongs to the official repository.
        python_butler.errors.SatelliteError
            If a satellite cannot be written; also if no destination of several could be.

        See Also
        --------
        load : Reads it back.
        put : Upstream's exact way.
        """
        self._check_writeable()
        check_name(name)
        wanted: list[Destination]
        if to is None:
            wanted = list(destinations_for(name))
        elif isinstance(to, str | Path | Place):
            wanted = [to]
        else:
            wanted = list(to)
        if not wanted:
            raise InvalidRequestError("There is no destination.", "Name one, for example to='personal'.")
        origin = self._origin(name, inputs, doc)

        batch = current_batch.get()

        def send(destination: Destination) -> DatasetRef:
            if destination == PERSONAL and to is None and batch is not None and batch.butler is self:
                return batch._add(obj, name, data_id, data_id_values, storage_class, run, origin)
            if destination == _MEMORY:
                return self._remembering.save(obj, name, data_id, data_id_values, storage_class, run, origin)
            butler = self if destination == PERSONAL else self._other(destination)
            return butler._landing.save(obj, name, data_id, data_id_values, storage_class, run, origin)

        if len(wanted) == 1 and (to is None or isinstance(to, str | Path | Place)):
            ref = send(wanted[0])
            self._sides.reads.saved(name)
            return ref
        refs: dict[str, DatasetRef] = {}
        problems: dict[str, Exception] = {}
        for destination in wanted:
            try:
                refs[_label(destination)] = safely(send)(destination)
            except Exception as error:  # whatever it is, the other destinations are to have theirs
                problems[_label(destination)] = error
        saved = Saved(refs, problems)
        if not refs:
            raise SatelliteError(
                f"{name!r} could be saved nowhere: {'; '.join(str(saved).splitlines())}.",
                "Nothing was written.",
            ) from next(iter(problems.values()))
        self._sides.reads.saved(name)
        if to is not None:
            return saved
        for label, problem in problems.items():
            warnings.warn(f"A rule sends {name!r} to {label}, where it is not: {problem}", stacklevel=3)
        return next(iter(refs.values()))

    def _origin(self, name: str, inputs: Iterable[DatasetRef] | None, doc: str | None) -> Origin:
        refs = self._sides.reads.since(name) if inputs is None else list(inputs)
        return Origin.of(refs, given=inputs is not None, doc=doc)

    def _other(self, destination: Destination) -> SatelliteButler:
        """A Butler on another satellite."""
        from .opening import open

        root: Path | None = None
        if isinstance(destination, Place):
            label, root = destination.label, destination.root
        elif isinstance(destination, Path) or "/" in destination:
            root = Path(destination).expanduser().absolute()
            label = read_marker(root).label
        else:
            label = destination
        key = f"{label} {root}"
        if key not in self._others:
            self._others[key] = open(label, root=root)
        return self._others[key]

    @contextlib.contextmanager
    def deferred(self, name: str = "") -> Iterator[Deferred]:
        """Gather what is saved, and save it together when the block ends, or not at all.

        When it is committed, all files are on the disk: they outlast even a loss of power. Within the
        block, and its thread, `save` gathers; so do `Deferred.save` and `Deferred.put`, from any
        thread. Nobody sees any of it before it is committed. An exception discards it, unless
        `Deferred.keep` was called.

        Parameters
        ----------
        name : `str`, optional
            What the batch is called where `batches` lists it.

        Yields
        ------
        batch : `python_butler.federation.batches.Deferred`
            The batch.

        Raises
        ------
        python_butler.errors.SatelliteError
            If the satellite cannot be written. What was gathered then stays: see `batches`.
        """
        self._check_writeable()
        # Creates the satellite if there is none.
        assert self._sides.writer
        batch = Deferred(self, self._landing.spool.begin(name))
        before = current_batch.set(batch)
        try:
            yield batch
        except BaseException:
            if batch.is_open and not batch.is_kept:
                batch.discard()
            raise
        finally:
            current_batch.reset(before)
        if batch.is_open:
            batch.commit()

    def batches(self) -> LeftBatches:
        """List batches that were begun, and neither committed nor discarded, by whichever process.

        Returns
        -------
        batches : sequence of `python_butler.federation.batches.LeftBatch`
            The oldest first. Each can be committed or discarded, unless its process still runs.
        """
        return left_batches(self, self._landing.spool)

    # What was saved

    @safely
    def load(
        self,
        name: str,
        data_id: DataId | None = None,
        *,
        version: int | str | None = None,
        storage_class: str | StorageClass | None = None,
        parameters: dict[str, Any] | None = None,
        **data_id_values: Any,
    ) -> Any:
        """Read what was saved under a name.

        Parameters
        ----------
        name : `str`
            The name, as for `save`.
        data_id : `dict` or `lsst.daf.butler.DataCoordinate`, optional
            Data ID.
        version : `int` or `str`, optional
            Which version, also a retired one; ``"m1"`` for one in memory. If not given, the newest that has
            this data ID.
        storage_class : `str` or `lsst.daf.butler.StorageClass`, optional
            Another storage class, to which the object is converted.
        parameters : `dict`, optional
            Which part, as for `get`, for example ``{"columns": [...]}``.
        **data_id_values
            Values of the data ID.

        Returns
        -------
        obj : `object`
            The object.

        Raises
        ------
        python_butler.errors.UnknownVersionError
            If nothing was saved under this name, or there is no such version.
        lsst.daf.butler.DatasetNotFoundError
            If there is none with this data ID.
        """
        check_name(name)
        if version is not None:
            collection = self._keeping.run(name, version)
        else:
            collection = chain_of(name)
            if not self._remembering.knows(collection):
                raise UnknownVersionError(
                    f"You have saved nothing under {name!r}.",
                    "butler.get reads what others have made.",
                )
        return self.get(
            name,
            data_id,
            collections=[collection],
            storageClass=storage_class,
            parameters=parameters,
            **data_id_values,
        )

    def versions(self, name: str) -> Versions:
        """List the versions of what was saved under a name.

        Parameters
        ----------
        name : `str`
            The name.

        Returns
        -------
        versions : `python_butler.saving.versions.Versions`
            The newest first, with retired ones and those in memory.
        """
        return self._keeping.versions(name)

    def compare_versions(self, name: str, first: int | str, second: int | str) -> Comparison:
        """Tell how two versions differ: data IDs, inputs, code, software, columns, sizes.

        Parameters
        ----------
        name : `str`
            The name.
        first, second : `int` or `str`
            The versions.

        Returns
        -------
        comparison : `python_butler.saving.versions.Comparison`
            The differences; false if there are none.

        Raises
        ------
        python_butler.errors.UnknownVersionError
            If there is no such version.
        """
        return self._keeping.compare(name, first, second)

    def retire(self, name: str, version: int | str, *, purge: bool = False) -> None:
        """Take a version out of use: `load` and searches in the chain no longer find it.

        Parameters
        ----------
        name : `str`
            The name.
        version : `int` or `str`
            The version. It keeps its number, and can still be loaded by it.
        purge : `bool`, optional
            Whether to delete it for good. A version in memory can only be deleted.

        Raises
        ------
        python_butler.errors.UnknownVersionError
            If there is no such version.
        python_butler.errors.InvalidRequestError
            If retiring would delete it and ``purge`` does not say so, or if it is to be deleted and is in
            another collection too.
        """
        self._check_writeable()
        self._keeping.retire(name, version, purge=purge)

    def provenance(self, ref: DatasetRef | DatasetId) -> dict[str, Any]:
        """Tell where a dataset that was saved comes from.

        Parameters
        ----------
        ref : `lsst.daf.butler.DatasetRef` or `uuid.UUID`
            The dataset.

        Returns
        -------
        notes : `dict`
            ``inputs`` and how they are known, ``code``, ``software``, ``user``, ``host``, ``time`` and more.
            Empty if nothing is noted, as of official datasets and of what `put` wrote.
        """
        dataset_id = ref.id if isinstance(ref, DatasetRef) else ref
        return self._keeping.notes([dataset_id]).get(dataset_id, {})


_MEMORY = "memory"


def _label(destination: Destination) -> str:
    return str(destination.root) if isinstance(destination, Place) else str(destination)
