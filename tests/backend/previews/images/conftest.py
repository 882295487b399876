"""A backend before the demonstration's repository, whose images look like those of Data Preview 2."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lsst.daf.butler import Butler, DatasetRef, DatasetType
from lsst.images import Box, Image, MaskedImage
from lsst.images.cells import CellCoadd, CellGridBounds, CellIJ, CellPointSpreadFunction

from python_butler.demo.platform import Platform

from ...conftest import Backend, kernel_environment


@dataclass
class Region:
    """A region as it came over the wire."""

    head: dict[str, Any]
    pixels: np.ndarray
    bytes: int


def decode(body: bytes) -> Region:
    """Read a region as a browser does."""
    (length,) = struct.unpack_from("<I", body)
    head = json.loads(body[4 : 4 + length])
    planes = np.frombuffer(zlib.decompress(body[4 + length :]), np.uint8).reshape(4, -1)
    numbers = np.ascontiguousarray(planes.T).reshape(-1).view(np.dtype(head["kind"]).newbyteorder("<"))
    return Region(head, numbers.reshape(head["words"], head["height"], head["width"]), len(body))


class Images:
    """Asks a backend about images."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    @staticmethod
    def path(dataset_id: object, kind: str = "official") -> str:
        return f"/repositories/{kind}/dp2/datasets/{dataset_id}/image"

    def describe(self, dataset_id: object, kind: str = "official") -> dict[str, Any]:
        description: dict[str, Any] = self.backend.get(self.path(dataset_id, kind))
        return description

    def region(
        self,
        dataset_id: object,
        plane: str,
        bin_: int = 1,
        bbox: tuple[int, int, int, int] | None = None,
        kind: str = "official",
    ) -> Region:
        parameters: dict[str, Any] = {"plane": plane, "bin": bin_}
        if bbox is not None:
            parameters["bbox"] = bbox
        response = self.backend.client.get(f"{self.path(dataset_id, kind)}/region", params=parameters)
        assert response.status_code == 200, response.text
        return decode(response.content)


@pytest.fixture(scope="session")
def truth(repository: Path) -> Iterator[Butler]:
    """The demonstration's repository opened directly: what previews must agree with."""
    with Butler.from_config(str(repository / "repo")) as butler:
        yield butler


@pytest.fixture(scope="session")
def coadd(truth: Butler) -> DatasetRef:
    """A coadd of a whole patch: 3300 pixels each way."""
    ref = truth.find_dataset(
        "deep_coadd", collections="dp2", band="r", skymap="lsst_cells_v2", tract=5063, patch=15
    )
    assert ref is not None
    return ref


@pytest.fixture(scope="session")
def visit_image(truth: Butler) -> DatasetRef:
    return truth.query_datasets("visit_image", "dp2", limit=1, order_by=["visit", "detector"])[0]


@dataclass
class Own:
    """Images in a personal repository, and what they were made of."""

    holes: DatasetRef
    masked: DatasetRef
    plain: DatasetRef
    coadd: CellCoadd
    values: np.ndarray


@pytest.fixture(scope="session")
def own(truth: Butler, coadd: DatasetRef, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Own]:
    """A personal repository with a coadd that lacks cells, and with values that are not finite."""
    root = tmp_path_factory.mktemp("own") / "butler"
    Butler.makeRepo(str(root / "dp2"))
    y0, x0 = truth.get(coadd.makeComponentRef("bbox")).start
    part: CellCoadd = truth.get(coadd, parameters={"bbox": Box.factory[y0 : y0 + 450, x0 : x0 + 600]})
    grid = part.grid
    missing = frozenset({CellIJ(i=0, j=1), CellIJ(i=2, j=3)})
    bounds = CellGridBounds(grid=grid, bbox=part.bbox, missing=missing)
    cells = part.psf
    holes = CellCoadd(
        part.image,
        mask=part.mask,
        variance=part.variance,
        sky_projection=part.sky_projection,
        band=part.band,
        psf=CellPointSpreadFunction(np.ones((3, 4, 25, 25)) / 625, bounds),
        patch=part.patch,
        backgrounds=part.backgrounds,
    )
    assert cells is not None
    values = np.random.default_rng(1).normal(size=(37, 53)).astype(np.float32)
    values[0:4, 0:4] = np.nan
    values[5, 5] = np.inf
    values[6, :] = np.nan
    with Butler.from_config(str(root / "dp2"), writeable=True, run="u/me/images") as butler:
        refs = []
        for name, storage_class, value in (
            ("holes", "CellCoadd", holes),
            ("masked", "MaskedImageV2", MaskedImage(part.image, mask=part.mask, variance=part.variance)),
            ("plain", "ImageV2", Image(values, yx0=(-10, 20))),
        ):
            butler.registry.registerDatasetType(DatasetType(name, butler.dimensions.empty, storage_class))
            refs.append(butler.put(value, name))
    return root, Own(*refs, part, values)


@pytest.fixture(scope="session")
def images(
    platform: Platform, own: tuple[Path, Own], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Images]:
    directory = tmp_path_factory.mktemp("images")
    backend = Backend(directory, kernel_environment(platform, own[0]))
    try:
        yield Images(backend)
    finally:
        backend.close()
