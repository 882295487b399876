"""What has to be in the satellite before something is written there: types, records, runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from lsst.daf.butler import (
    DataCoordinate,
    DatasetRef,
    DatasetType,
    DimensionGroup,
    MissingDatasetTypeError,
)
from lsst.daf.butler.registry import ConflictingDefinitionError

from ..errors import OfficialRunError, SatelliteError
from ..satellite.registering import register_dataset_type, register_run
from .arguments import dataset_type_name
from .collections import SatelliteCollections
from .records import bring_records
from .shared import Side
from .sides import Sides

__all__ = ["Writing"]


class Writing:
    """Prepares the satellite for what is about to be written.

    Parameters
    ----------
    sides : `Sides`
        The two repositories.
    collections : `SatelliteCollections`
        Their collections.
    """

    def __init__(self, sides: Sides, collections: SatelliteCollections) -> None:
        self._sides = sides
        self._collections = collections

    def prepare(self, refs: Iterable[DatasetRef], *, register: bool = False) -> None:
        """Bring everything that some new datasets need.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            Datasets that are about to be written.
        register : `bool`, optional
            Whether their dataset types are registered if neither repository knows them.

        Raises
        ------
        OfficialRunError
            If one of them would be in an official run.
        """
        refs = list(refs)
        self.check_runs(refs)
        self._prepare_types_and_records(refs, register)

    def check_runs(self, refs: Iterable[DatasetRef]) -> None:
        """Refuse to write datasets into official runs.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            Datasets that are about to be written.

        Raises
        ------
        OfficialRunError
            If one of them would be in an official run.
        """
        for run in dict.fromkeys(ref.run for ref in refs):
            self._collections.check_writeable(run)

    def prepare_copies(self, refs: Iterable[DatasetRef]) -> None:
        """Bring everything that datasets need which come from elsewhere, and may be official ones.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            Datasets that are about to be imported, with their identifiers. Official ones keep their
            run, of which the satellite then has a part.

        Raises
        ------
        OfficialRunError
            If one of them would be in an official run and is no official dataset.
        """
        refs = list(refs)
        official, own = self.divide(refs)
        self.check_runs(own)
        runs = self._sides.collections(Side.OFFICIAL, sorted({ref.run for ref in official}))
        for run, info in runs.items():
            with self._sides.writing() as writer:
                register_run(writer, run, info.doc or None)
        self._prepare_types_and_records(refs)

    def prepare_known(self, refs: Iterable[DatasetRef], *, records: bool = True) -> None:
        """Bring the dataset types and records of own datasets that the official repository has.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            Datasets of the user's own that are about to be transferred.
        records : `bool`, optional
            Whether to bring dimension records, too.

        Raises
        ------
        lsst.daf.butler.ConflictingDefinitionError
            If the repositories disagree on a dataset type.
        """
        refs = list(refs)
        for name in self._official_types(refs):
            self.prepare_dataset_type(name)
        if records:
            self.prepare_records(ref.dataId for ref in refs)

    def know_types_officially(self, refs: Iterable[DatasetRef]) -> bool:
        """Tell whether the official repository has the dataset types of all of some datasets.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            Any datasets.

        Returns
        -------
        known : `bool`
            `False` if one of them is the user's own type.
        """
        refs = list(refs)
        return self._official_types(refs) == {ref.datasetType.name for ref in refs}

    def divide(self, refs: Iterable[DatasetRef]) -> tuple[list[DatasetRef], list[DatasetRef]]:
        """Tell datasets of the official repository from others.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            Any datasets, with their identifiers.

        Returns
        -------
        official, others : `list` [`lsst.daf.butler.DatasetRef`]
            Those that the official repository has under the same identifier, and those that it has not.
        """
        refs = list(refs)
        runs = self._sides.collections(Side.OFFICIAL, sorted({ref.run for ref in refs}))
        claimed = [ref.id for ref in refs if ref.run in runs]
        known = {ref.id: ref for ref in self._sides.official.get_many_datasets(claimed)} if claimed else {}
        official = [ref for ref in refs if ref.id in known and _same(ref, known[ref.id])]
        ids = {ref.id for ref in official}
        return official, [ref for ref in refs if ref.id not in ids]

    def prepare_dataset_type(self, dataset_type: DatasetType | str, *, register: bool = False) -> DatasetType:
        """Make the satellite know a dataset type, if the official repository does.

        Parameters
        ----------
        dataset_type : `lsst.daf.butler.DatasetType` or `str`
            A dataset type, or the name of one.
        register : `bool`, optional
            Whether it is registered if neither repository knows it; it has to be a dataset type then.

        Returns
        -------
        known : `lsst.daf.butler.DatasetType`
            As the satellite knows it now.

        Raises
        ------
        lsst.daf.butler.MissingDatasetTypeError
            If neither repository knows it.
        lsst.daf.butler.ConflictingDefinitionError
            If the repositories disagree on it.
        """
        name = dataset_type_name(dataset_type)
        parent, _ = DatasetType.splitDatasetTypeName(name)
        personal = self._sides.dataset_type(Side.PERSONAL, parent)
        official = self._sides.dataset_type(Side.OFFICIAL, parent)
        if personal is None and official is None and self._sides.offline:
            raise self._sides.shared.reach.unavailable(f"Dataset type {parent!r}")
        if personal is None and official is None and register and isinstance(dataset_type, DatasetType):
            self.register_dataset_type(dataset_type)
            return dataset_type
        if personal is None and official is None:
            error = MissingDatasetTypeError(f"Dataset type {parent!r} does not exist.")
            error.add_note("Make it first: butler.registry.registerDatasetType(DatasetType(...)).")
            raise error
        if personal is None:
            assert official is not None, "one of them is known"
            self.register_dataset_type(official)
            return official
        if official is not None and official.dimensions != personal.dimensions:
            raise ConflictingDefinitionError(
                f"Dataset type {parent!r} is {personal} in your satellite, but {official} in the official "
                f"repository {self._sides.shared.label}. Remove or rename yours."
            )
        return personal

    def prepare_records(self, data_ids: Iterable[DataCoordinate]) -> None:
        """Bring the dimension records of data IDs.

        Parameters
        ----------
        data_ids : iterable of `lsst.daf.butler.DataCoordinate`
            Data IDs of what is about to be written.
        """
        bring_records(self._sides, data_ids)

    def mirror(self, refs: Iterable[DatasetRef]) -> None:
        """Make official datasets known to the satellite, to tag or certify them there.

        Their identity, run and data ID are copied; no file is, and they are read officially.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            Datasets of either repository.
        """
        refs = list(refs)
        writer = self._sides.writer
        known = {ref.id for ref in writer.get_many_datasets([ref.id for ref in refs])}
        # Upstream refuses what is in neither repository, if it knows the dataset type.
        official, others = self.divide(ref for ref in refs if ref.id not in known)
        self.prepare_known(others, records=False)
        # As many at once as upstream can take.
        new: dict[tuple[str, DimensionGroup], list[DatasetRef]] = defaultdict(list)
        for ref in official:
            new[ref.run, ref.datasetType.dimensions].append(ref)
        for (run, _), datasets in new.items():
            with self._sides.writing() as writer:
                register_run(writer, run)
            self._prepare_types_and_records(datasets)
            with self._sides.writing() as writer:
                writer.registry._importDatasets(datasets, expand=True)

    def check_deletable(self, refs: Iterable[DatasetRef]) -> None:
        """Refuse to delete official datasets.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            Datasets that are about to be deleted.

        Raises
        ------
        OfficialRunError
            If one of them is not in the satellite.
        """
        refs = list(refs)
        known = {ref.id for ref in self._sides.writer.get_many_datasets([ref.id for ref in refs])}
        for ref in refs:
            if ref.id not in known and self._sides.collections(Side.OFFICIAL, [ref.run]):
                raise OfficialRunError(
                    f"{ref.datasetType.name} {ref.dataId} belongs to the official repository "
                    f"{self._sides.shared.label} and cannot be deleted.",
                    "Only datasets of your satellite can be.",
                )

    def register_dataset_type(self, dataset_type: DatasetType) -> None:
        """Make the satellite know a dataset type.

        Parameters
        ----------
        dataset_type : `lsst.daf.butler.DatasetType`
            An official one, or a new one.

        Raises
        ------
        lsst.daf.butler.registry.ConflictingDefinitionError
            If the satellite knows another one of this name.
        SatelliteError
            If it needs a new table within a transaction.
        """
        try:
            with self._sides.writing() as writer:
                register_dataset_type(writer, dataset_type)
        except AssertionError:
            # The first type of some dimensions needs a new table, which no transaction can make.
            if not self._sides.in_transaction:
                raise
            raise SatelliteError(
                f"Your satellite does not know dataset type {dataset_type.name!r} yet, and cannot learn it "
                "within a transaction.",
                "Before the transaction: butler.registry.registerDatasetType("
                f"butler.get_dataset_type({dataset_type.name!r})).",
            ) from None

    def _official_types(self, refs: Iterable[DatasetRef]) -> set[str]:
        names = {ref.datasetType.name for ref in refs}
        return {name for name in names if self._sides.dataset_type(Side.OFFICIAL, name) is not None}

    def _prepare_types_and_records(self, refs: Iterable[DatasetRef], register: bool = False) -> None:
        refs = list(refs)
        for dataset_type in {ref.datasetType.name: ref.datasetType for ref in refs}.values():
            self.prepare_dataset_type(dataset_type, register=register)
        self.prepare_records({ref.dataId for ref in refs})


def _same(ref: DatasetRef, other: DatasetRef) -> bool:
    """Whether two are one dataset, however it is to be read."""
    return (ref.run, ref.datasetType.name, ref.dataId) == (other.run, other.datasetType.name, other.dataId)
