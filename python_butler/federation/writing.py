"""What has to be in the satellite before something is written there: types, records, runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from lsst.daf.butler import DataCoordinate, DatasetRef, DatasetType, MissingDatasetTypeError
from lsst.daf.butler.registry import ConflictingDefinitionError

from ..errors import OfficialRunError, SatelliteError
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

    def prepare(self, refs: Iterable[DatasetRef]) -> None:
        """Bring everything that some new datasets need.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            Datasets that are about to be written.

        Raises
        ------
        OfficialRunError
            If one of them would be in an official run.
        """
        refs = list(refs)
        for run in {ref.run for ref in refs}:
            self._collections.check_writeable(run)
        self._prepare_types_and_records(refs)

    def prepare_dataset_type(self, dataset_type: DatasetType | str) -> DatasetType:
        """Make the satellite know a dataset type, if the official repository does.

        Parameters
        ----------
        dataset_type : `lsst.daf.butler.DatasetType` or `str`
            A dataset type, or the name of one.

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
        name = dataset_type if isinstance(dataset_type, str) else dataset_type.name
        parent, _ = DatasetType.splitDatasetTypeName(name)
        personal = self._sides.dataset_type(Side.PERSONAL, parent)
        official = self._sides.dataset_type(Side.OFFICIAL, parent)
        if personal is None and official is None and self._sides.offline:
            raise self._sides.shared.reach.unavailable(f"Dataset type {parent!r}")
        if personal is None and official is None:
            error = MissingDatasetTypeError(f"Dataset type {parent!r} does not exist.")
            error.add_note("Make it first: butler.registry.registerDatasetType(DatasetType(...)).")
            raise error
        if personal is None:
            assert official is not None, "one of them is known"
            self._bring_dataset_type(official)
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
        new: dict[str, list[DatasetRef]] = defaultdict(list)
        for ref in refs:
            if ref.id not in known:
                new[ref.run].append(ref)
        for run, datasets in new.items():
            writer.collections.register(run)
            self._prepare_types_and_records(datasets)
            writer.registry._importDatasets(datasets, expand=True)
        if new:
            self._sides.changed()

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

    def _bring_dataset_type(self, dataset_type: DatasetType) -> None:
        try:
            self._sides.writer.registry.registerDatasetType(dataset_type)
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
        self._sides.changed()

    def _prepare_types_and_records(self, refs: Iterable[DatasetRef]) -> None:
        refs = list(refs)
        for dataset_type in {ref.datasetType.name: ref.datasetType for ref in refs}.values():
            self.prepare_dataset_type(dataset_type)
        self.prepare_records({ref.dataId for ref in refs})
