"""Images of the demonstration, read by reference: whole, in part, and by component."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from lsst.daf.butler import Butler, DatasetRef
from lsst.daf.butler.direct_butler import DirectButler
from lsst.images import Box

from python_butler.datastore.remote_file import SMALL
from python_butler.demo.platform import Platform
from python_butler.official import connect, disconnect
from python_butler.satellite import Satellite


@pytest.fixture
def official(environment: dict[str, str]) -> Iterator[Butler]:
    butler = connect("dp2")
    yield butler
    disconnect(butler)


@pytest.fixture
def image(official: Butler) -> DatasetRef:
    return official.query_datasets("visit_image", "dp2", order_by=["visit", "detector"], limit=1)[0]


@pytest.fixture
def reader(official: Butler, image: DatasetRef) -> Iterator[DirectButler]:
    """A satellite with one image, as a plain Butler."""
    satellite = Satellite.create("dp2")
    satellite.reference([image])
    with satellite.reader() as butler:
        yield butler


def test_a_bounding_box_is_read_without_the_rest(
    reader: DirectButler, official: Butler, image: DatasetRef, platform: Platform
) -> None:
    bounds = reader.get(image.makeComponentRef("bbox"))
    box = Box.factory[bounds.y.min + 5 : bounds.y.min + 25, bounds.x.min + 40 : bounds.x.min + 70]
    platform.requests("store", forget=True)
    cutout = reader.get(image, parameters={"bbox": box})
    assert cutout.bbox == box
    sent = platform.requests("store", forget=True)
    assert sent
    upstream = official.get(image, parameters={"bbox": box})
    assert np.array_equal(cutout.image.array, upstream.image.array)
    assert np.array_equal(cutout.mask.array, upstream.mask.array)


def test_a_bounding_box_of_a_large_image_is_read_in_ranges(
    environment: dict[str, str], platform: Platform
) -> None:
    satellite = Satellite.create("dp2")
    satellite.reference("deep_coadd", limit=1)
    with satellite.reader() as reader:
        (coadd,) = reader.query_datasets("deep_coadd", "dp2")
        size = int(reader.getURI(coadd).size())
        assert size > SMALL
        bounds = reader.get(coadd.makeComponentRef("bbox"))
        box = Box.factory[bounds.y.min + 5 : bounds.y.min + 25, bounds.x.min + 40 : bounds.x.min + 70]
        platform.requests("store", forget=True)
        assert reader.get(coadd, parameters={"bbox": box}).bbox == box
    sent = platform.requests("store", forget=True)
    assert sent
    assert all(seen.range for seen in sent if seen.method == "GET")
    assert sum(seen.sent for seen in sent) < size


def test_whole_images_and_their_components_are_equal(
    reader: DirectButler, official: Butler, image: DatasetRef
) -> None:
    here, there = reader.get(image), official.get(image)
    assert np.array_equal(here.image.array, there.image.array)
    assert reader.get(image.makeComponentRef("bbox")) == here.bbox
