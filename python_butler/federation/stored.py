"""Files of datasets of both repositories: whether they are there, where they are, copies of them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any, override

from lsst.daf.butler import (
    DataId,
    DatasetExistence,
    DatasetNotFoundError,
    DatasetRef,
    DatasetType,
)
from lsst.daf.butler.datastore import DatasetRefURIs
from lsst.daf.butler.datastores.file_datastore.retrieve_artifacts import (
    ArtifactIndexInfo,
    ZipIndex,
    retrieve_and_zip,
)
from lsst.daf.butler.direct_butler import DirectButler
from lsst.resources import ResourcePath, ResourcePathExpression

from ..errors import OfflineError, UnknownRepositoryError
from .existence import official_existence
from .safety import safely
from .searching import SearchingButler
from .spooled import SpooledHome

__all__ = ["StoredButler"]


class StoredButler(SearchingButler):
    """Looks after files of datasets of both repositories."""

    @override
    @safely
    def exists(
        self,
        dataset_ref_or_type: DatasetRef | DatasetType | str,
        /,
        data_id: DataId | None = None,
        *,
        full_check: bool = True,
        collections: Any = None,
        **kwargs: Any,
    ) -> DatasetExistence:
        if isinstance(dataset_ref_or_type, DatasetRef):
            if collections is not None:
                warnings.warn("Collections should not be specified with DatasetRef", stacklevel=3)
            if data_id is not None:
                warnings.warn("A DataID should not be specified with DatasetRef", stacklevel=3)
            return self._existence(dataset_ref_or_type, full_check)
        try:
            found = self.find_dataset(dataset_ref_or_type, data_id, collections=collections, **kwargs)
        except (OfflineError, UnknownRepositoryError):
            # The one is no answer; nor is the other, which is a lookup error, too.
            raise
        except (LookupError, TypeError):
            return DatasetExistence.UNRECOGNIZED
        if found is None:
            return DatasetExistence.UNRECOGNIZED
        # Of a component, what counts is the whole.
        return self._existence(found.makeCompositeRef() if found.isComponent() else found, full_check)

    def _existence(self, ref: DatasetRef, full_check: bool) -> DatasetExistence:
        home, ref = self._finder.home(ref)
        if isinstance(home, DirectButler | SpooledHome):
            return home.exists(ref, full_check=full_check)
        # Upstream's own way asks a store that is in trouble for half a minute before it gives up.
        sides = self._sides
        return official_existence(sides.official, sides.shared.label, [ref], full_check=full_check)[ref]

    @safely
    def _exists_many(
        self, refs: Iterable[DatasetRef], /, *, full_check: bool = True
    ) -> dict[DatasetRef, DatasetExistence]:
        refs = list(refs)
        found: dict[DatasetRef, DatasetExistence] = {}
        for home, datasets in self._finder.homes(refs):
            if isinstance(home, DirectButler):
                found |= home._exists_many(datasets, full_check=full_check)
            elif isinstance(home, SpooledHome):
                found |= {ref: home.exists(ref, full_check=full_check) for ref in datasets}
            else:
                found |= official_existence(
                    self._sides.official, self._sides.shared.label, datasets, full_check=full_check
                )
        return {ref: found[ref] for ref in refs}

    @override
    @safely
    def stored_many(self, refs: Iterable[DatasetRef]) -> dict[DatasetRef, bool]:
        refs = list(refs)
        found: dict[DatasetRef, bool] = {}
        for home, datasets in self._finder.homes(refs):
            if isinstance(home, DirectButler):
                found |= home.stored_many(datasets)
            elif isinstance(home, SpooledHome):
                found |= {ref: bool(home.exists(ref)) for ref in datasets}
            else:
                # Upstream's remote Butler has no datastore to ask.
                existence = official_existence(self._sides.official, self._sides.shared.label, datasets)
                found |= {ref: bool(value) for ref, value in existence.items()}
        return {ref: found[ref] for ref in refs}

    @override
    @safely
    def get_many_uris(
        self, refs: Iterable[DatasetRef], predict: bool = False, allow_missing: bool = False
    ) -> dict[DatasetRef, DatasetRefURIs]:
        uris: dict[DatasetRef, DatasetRefURIs] = {}
        self._sides.spooled.settle()
        for home, datasets in self._finder.homes(refs):
            if isinstance(home, DirectButler):
                uris |= home.get_many_uris(datasets, predict=predict, allow_missing=allow_missing)
                continue
            for ref in datasets:
                try:
                    uris[ref] = home.getURIs(ref)
                except DatasetNotFoundError as error:
                    if not allow_missing:
                        raise FileNotFoundError(f"Dataset {ref} not in this datastore.") from error
        return uris

    @override
    @safely
    def retrieveArtifacts(
        self,
        refs: Iterable[DatasetRef],
        destination: ResourcePathExpression,
        transfer: str = "auto",
        preserve_path: bool = True,
        overwrite: bool = False,
    ) -> list[ResourcePath]:
        retrieved = self._retrieve_artifacts(refs, destination, transfer, preserve_path, overwrite)
        return list(retrieved)

    @override
    @safely
    def retrieve_artifacts_zip(
        self, refs: Iterable[DatasetRef], destination: ResourcePathExpression, overwrite: bool = True
    ) -> ResourcePath:
        return retrieve_and_zip(refs, destination, self._retrieve_artifacts, overwrite)

    def _retrieve_artifacts(
        self,
        refs: Iterable[DatasetRef],
        destination: ResourcePathExpression,
        transfer: str = "auto",
        preserve_path: bool = True,
        overwrite: bool = False,
        write_index: bool = True,
        add_prefix: bool = False,
    ) -> dict[ResourcePath, ArtifactIndexInfo]:
        refs = list(refs)
        directory = ResourcePath(destination)
        if not directory.isdir():
            raise ValueError(f"Destination location must refer to a directory. Given {directory}.")
        retrieved: dict[ResourcePath, ArtifactIndexInfo] = {}
        self._sides.spooled.settle()
        for home, datasets in self._finder.homes(refs):
            if isinstance(home, SpooledHome):
                raise home.unsettled()
            retrieve = (
                home._datastore.retrieveArtifacts
                if isinstance(home, DirectButler)
                else self._sides.official._retrieve_artifacts
            )
            retrieved |= retrieve(
                datasets,
                directory,
                transfer=transfer,
                preserve_path=preserve_path,
                overwrite=overwrite,
                write_index=False,
                add_prefix=add_prefix,
            )
        if write_index:
            ZipIndex.from_artifact_map(refs, retrieved, directory).write_index(directory)
        return retrieved
