"""Files of the demonstration's datastore: where each belongs, and writing them without a Butler.

Room: demo. A `Target` can be given to another process, which writes the file; the process that holds the
`Inventory` ingests all of them with one call.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet
from astropy.table import Table
from lsst.daf.butler import (
    Butler,
    DatasetIdGenEnum,
    DatasetRef,
    DatasetType,
    FileDataset,
    SerializedDatasetRef,
)
from lsst.daf.butler.formatters.parquet import astropy_to_arrow, compute_row_group_size
from lsst.images.fits import (
    FitsCompressionAlgorithm,
    FitsCompressionOptions,
    FitsDitherAlgorithm,
    FitsQuantizationOptions,
)
from lsst.images.serialization import ButlerInfo, write_archive

from .contents import DATASET_TYPES, is_calibration

__all__ = ["Inventory", "Target", "write_image", "write_table"]

_NOISY = FitsCompressionOptions(
    algorithm=FitsCompressionAlgorithm.RICE_1,
    # Steps of a quarter of the noise add a quarter of a percent to it and halve the size of the files.
    quantization=FitsQuantizationOptions(dither=FitsDitherAlgorithm.SUBTRACTIVE_DITHER_2, level=4.0),
)
_COMPRESSION = {"image": _NOISY, "variance": _NOISY}


@dataclass(frozen=True)
class Target:
    """Where a dataset is to be written.

    Parameters
    ----------
    ref : `lsst.daf.butler.SerializedDatasetRef`
        The dataset.
    path : `str`
        Its file, whose directory exists.
    """

    ref: SerializedDatasetRef
    path: str

    @property
    def seed(self) -> int:
        """Seed of the dithering, between 1 and 10,000."""
        return 1 + self.ref.id.int % 9_999


def write_image(image: Any, target: Target) -> None:
    """Write one of the types of `lsst.images`, with its noise, but not its signal, rounded."""
    write_archive(
        image,
        target.path,
        butler_info=ButlerInfo(dataset=target.ref),
        compression_options=_COMPRESSION,
        compression_seed=target.seed,
    )


def write_table(table: Table, target: Target) -> None:
    """Write a table as the Butler's own formatter does."""
    arrow = astropy_to_arrow(table)
    pyarrow.parquet.write_table(arrow, target.path, row_group_size=compute_row_group_size(arrow.schema))


@dataclass
class Inventory:
    """Everything that is to be ingested into one repository.

    Parameters
    ----------
    butler : `lsst.daf.butler.Butler`
        A writeable butler that has the dimension records.
    """

    butler: Butler
    types: dict[str, DatasetType] = field(default_factory=dict)
    datasets: list[FileDataset] = field(default_factory=list)

    def register_types(self) -> None:
        """Register all dataset types."""
        for name, (dimensions, storage_class) in DATASET_TYPES.items():
            self.types[name] = DatasetType(
                name,
                dimensions,
                storage_class,
                universe=self.butler.dimensions,
                isCalibration=is_calibration(name),
            )
            self.butler.registry.registerDatasetType(self.types[name])

    def add(self, name: str, run: str, **data_id: int | str) -> Target:
        """Take up one dataset and say where its file belongs.

        Parameters
        ----------
        name : `str`
            Name of a dataset type.
        run : `str`
            Name of a registered run.
        **data_id
            Values of the required dimensions.

        Returns
        -------
        target : `Target`
            The dataset, whose identifier depends on type, data ID and run alone, and its file.
        """
        coordinate = self.butler.registry.expandDataId(data_id)
        ref = DatasetRef(
            self.types[name], coordinate, run=run, id_generation_mode=DatasetIdGenEnum.DATAID_TYPE_RUN
        )
        path = Path(self.butler.getURI(ref, predict=True).ospath)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.datasets.append(FileDataset(str(path), ref))
        return Target(ref.to_simple(), str(path))

    def refs(self, name: str) -> list[DatasetRef]:
        """Datasets of one type that were taken up, in that order."""
        return [ref for dataset in self.datasets for ref in dataset.refs if ref.datasetType.name == name]

    def ingest(self) -> None:
        """Ingest all files where they are."""
        self.butler.ingest(*self.datasets, transfer=None)
