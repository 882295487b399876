"""Writing to the satellite in upstream's ways: `put`, `ingest`, imports, transfers, and deleting."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TextIO, cast, override

from lsst.daf.butler import (
    Butler,
    DataCoordinate,
    DataId,
    DatasetProvenance,
    DatasetRef,
    DatasetType,
    DimensionElement,
    DimensionRecord,
    FileDataset,
    LimitedButler,
    MissingCollectionError,
)
from lsst.daf.butler._butler import _DeprecatedDefault
from lsst.daf.butler.datastores.file_datastore.retrieve_artifacts import ZipIndex
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry import NoDefaultCollectionError
from lsst.daf.butler.transfers import RepoExportContext
from lsst.daf.butler.utils import has_globs
from lsst.resources import ResourcePath, ResourcePathExpression

from ..satellite.place import Place
from ..satellite.usage.room import (
    bytes_of,
    check_room,
    check_room_for_files,
    explains_write_failures,
    whole_or_not,
)
from .arguments import collection_terms
from .remembered import RememberingButler
from .rewriting import rewrite
from .safety import ReadOnlyError
from .transfers import Exporting, Importing
from .writing import Writing

__all__ = ["PuttingButler"]


class PuttingButler(RememberingButler):
    """Writes to the satellite as upstream's Butler writes; `SavingButler` has the easier way."""

    _writing: Writing

    @override
    @explains_write_failures
    def put(
        self,
        obj: Any,
        datasetRefOrType: DatasetRef | DatasetType | str,
        /,
        dataId: DataId | None = None,
        *,
        run: str | None = None,
        provenance: DatasetProvenance | None = None,
        **kwargs: Any,
    ) -> DatasetRef:
        self._check_writeable()
        check_room(self._place, bytes_of(obj))
        if isinstance(datasetRefOrType, DatasetRef):
            self._writing.prepare([datasetRefOrType])
            supplied = datasetRefOrType.datasetType
            _check_defined_alike(supplied, self.get_dataset_type(supplied.nameAndComponent()[0]))
            self._sides.spooled.check_free([datasetRefOrType])
            with (
                self._sides.claiming([datasetRefOrType]),
                self._changing(datasetRefOrType.run) as writer,
            ):
                return writer.put(obj, datasetRefOrType, dataId, run=run, provenance=provenance, **kwargs)
        run = self.run if run is None else run
        if run is None:
            raise NoDefaultCollectionError(
                "No run provided to put, and no default from opening this Butler: pass run='u/...'."
            )
        self.collections.check_writeable(run)
        dataset_type = self._writing.prepare_dataset_type(datasetRefOrType)
        if isinstance(datasetRefOrType, DatasetType):
            _check_defined_alike(datasetRefOrType, dataset_type)
        data_id, values = rewrite(self, dataId, dataset_type, kwargs)
        coordinate = self._standardize(dataset_type, data_id, values)
        self._writing.prepare_records([coordinate])
        ref = DatasetRef(dataset_type, coordinate, run)
        self._sides.spooled.check_free([ref])
        with self._sides.claiming([ref]), self._changing(run) as writer:
            return writer.put(obj, datasetRefOrType, coordinate, run=run, provenance=provenance)

    @override
    def transaction(self) -> AbstractContextManager[None]:
        self._check_writeable()
        return self._sides.transaction()

    @override
    @explains_write_failures
    def ingest(
        self,
        *datasets: FileDataset,
        transfer: str | None = "auto",
        record_validation_info: bool = True,
        skip_existing: bool = False,
    ) -> None:
        if not datasets:
            return
        self._check_writeable()
        sources = [ResourcePath(dataset.path, forceAbsolute=False) for dataset in datasets]
        local = {Path(uri.ospath) for uri in sources if uri.isLocal and uri.isabs()}
        check_room_for_files(self._place, local, transfer=transfer, sure=not skip_existing)
        refs = [ref for dataset in datasets for ref in dataset.refs]
        self._writing.prepare(refs, register=True)
        if skip_existing:
            refs = self._new(refs)
        else:
            self._sides.spooled.check_free(refs)
        with self._sides.claiming(refs), self._changing() as writer:
            writer.ingest(
                *datasets,
                transfer=transfer,
                record_validation_info=record_validation_info,
                skip_existing=skip_existing,
            )

    @override
    @explains_write_failures
    def ingest_zip(
        self,
        zip_file: ResourcePathExpression,
        transfer: str = "auto",
        *,
        transfer_dimensions: bool = False,
        dry_run: bool = False,
        skip_existing: bool = False,
    ) -> None:
        self._check_writeable()
        index = ZipIndex.from_zip_file(ResourcePath(zip_file))
        refs = index.refs.to_refs(universe=self.dimensions)
        if dry_run:
            self._writing.check_runs(refs)
        else:
            self._writing.prepare(refs)
            if skip_existing:
                refs = self._new(refs)
            else:
                self._sides.spooled.check_free(refs)
        with self._sides.claiming([] if dry_run else refs), self._changing() as writer:
            writer.ingest_zip(
                zip_file,
                transfer,
                transfer_dimensions=transfer_dimensions,
                dry_run=dry_run,
                skip_existing=skip_existing,
            )

    @override
    @explains_write_failures
    def import_(
        self,
        *,
        directory: ResourcePathExpression | None = None,
        filename: ResourcePathExpression | TextIO | None = None,
        format: str | None = None,
        transfer: str | None = None,
        skip_dimensions: set[str] | None = None,
        record_validation_info: bool = True,
        without_datastore: bool = False,
    ) -> None:
        self._check_writeable()
        # Upstream's own import, writing through our registry: that knows what is official.
        DirectButler.import_(
            cast(DirectButler, Importing(self)),
            directory=directory,
            filename=filename,
            format=format,
            transfer=transfer,
            skip_dimensions=skip_dimensions,
            record_validation_info=record_validation_info,
            without_datastore=without_datastore,
        )

    @override
    def export(
        self,
        *,
        directory: str | None = None,
        filename: str | None = None,
        format: str | None = None,
        transfer: str | None = None,
    ) -> AbstractContextManager[RepoExportContext]:
        return DirectButler.export(
            cast(DirectButler, Exporting(self)),
            directory=directory,
            filename=filename,
            format=format,
            transfer=transfer,
        )

    @override
    @explains_write_failures
    def transfer_from(
        self,
        source_butler: LimitedButler,
        source_refs: Iterable[DatasetRef],
        transfer: str = "auto",
        skip_missing: bool = True,
        register_dataset_types: bool = False,
        transfer_dimensions: bool = False,
        dry_run: bool = False,
    ) -> Collection[DatasetRef]:
        refs = list(source_refs)
        if not dry_run:
            self._check_writeable()
        official, own = self._writing.divide(refs)
        self._writing.check_runs(own)
        if official and not dry_run:
            self._writing.prepare_copies(official)
        if not dry_run:
            self._writing.prepare_known(own, records=not transfer_dimensions)
        elif self._writing.know_types_officially(own):
            register_dataset_types = True
        with self._sides.claiming([] if dry_run else self._new(own)), self._changing() as writer:
            moved = list(
                writer.transfer_from(
                    source_butler,
                    own,
                    transfer,
                    skip_missing,
                    register_dataset_types,
                    transfer_dimensions,
                    dry_run,
                )
            )
            if official:
                # The satellite refers to them, unless copies are asked for.
                mode = "direct" if transfer == "auto" else transfer
                moved += writer.transfer_from(source_butler, official, mode, skip_missing, dry_run=dry_run)
        return moved

    @override
    @explains_write_failures
    def transfer_dimension_records_from(
        self, source_butler: LimitedButler | Butler, source_refs: Iterable[DatasetRef | DataCoordinate]
    ) -> None:
        with self._changing() as writer:
            writer.transfer_dimension_records_from(source_butler, source_refs)

    @override
    def pruneDatasets(
        self,
        refs: Iterable[DatasetRef],
        *,
        disassociate: bool = True,
        unstore: bool = False,
        tags: Iterable[str] = (),
        purge: bool = False,
    ) -> None:
        self._check_writeable()
        self._sides.spooled.settle()
        with self._changing() as writer:
            prune = partial(
                writer.pruneDatasets,
                disassociate=disassociate,
                unstore=unstore,
                tags=tuple(tags),
                purge=purge,
            )
            # Upstream looks at its other arguments before it looks at the datasets.
            prune([])
            refs = list(refs)
            self._writing.check_deletable(refs)
            prune(refs)

    @override
    def removeRuns(
        self,
        names: Iterable[str],
        unstore: bool | type[_DeprecatedDefault] = _DeprecatedDefault,
        *,
        unlink_from_chains: bool = False,
    ) -> None:
        self._check_writeable()
        names = collection_terms(list(names))
        if has_globs(names):
            # A pattern means official runs as well, which cannot go.
            names = [info.name for info in self.collections.query_info(names)]
        for name in names:
            self.collections.check_writeable(name)
        if not names:
            return
        self._sides.spooled.settle()
        with self._changing() as writer:
            writer.removeRuns(names, unstore, unlink_from_chains=unlink_from_chains)

    # What upstream's transfers expect

    def _extract_all_dimension_records_from_data_ids(
        self,
        source_butler: LimitedButler | Butler,
        data_ids: set[DataCoordinate],
        allowed_elements: frozenset[DimensionElement],
    ) -> dict[DimensionElement, dict[DataCoordinate, DimensionRecord]]:
        # Upstream's method needs nothing of its class but what every Butler has, and one more of its own.
        return DirectButler._extract_all_dimension_records_from_data_ids(
            cast(DirectButler, self), source_butler, data_ids, allowed_elements
        )

    def _extract_dimension_records_from_data_ids(
        self,
        source_butler: LimitedButler | Butler,
        data_ids: Iterable[DataCoordinate],
        allowed_elements: frozenset[DimensionElement],
    ) -> dict[DimensionElement, dict[DataCoordinate, DimensionRecord]]:
        return DirectButler._extract_dimension_records_from_data_ids(
            cast(DirectButler, self), source_butler, data_ids, allowed_elements
        )

    # Details

    @property
    def _place(self) -> Place:
        return Place(self._sides.shared.label, self._sides.shared.root)

    def _new(self, refs: Iterable[DatasetRef]) -> list[DatasetRef]:
        """Commit what waits in the spool, and leave out what nevertheless waits under the same identifier."""
        self._sides.spooled.settle()
        return self._sides.spooled.not_waiting(refs)

    def _check_writeable(self) -> None:
        if not self.isWriteable():
            raise ReadOnlyError("Butler is read-only.")

    @contextmanager
    def _changing(self, run: str | None = None) -> Iterator[DirectButler]:
        try:
            with self._sides.writing() as writer, whole_or_not(self._place, writer):
                yield writer
        except MissingCollectionError as error:
            if run is not None:
                error.add_note(f"Make it first: butler.collections.register({run!r}).")
            raise


def _check_defined_alike(supplied: DatasetType, known: DatasetType) -> None:
    """Refuse a dataset type of other dimensions than the known one of its name, as upstream does."""
    if supplied.dimensions != known.dimensions:
        raise ValueError(
            f"Supplied dataset type ({supplied}) inconsistent with registry definition ({known}). "
            f"Take the known one, butler.get_dataset_type({known.name!r}), or choose another name."
        )
