"""Images as a viewer gets them: true averages, true positions, and never much at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from lsst.daf.butler import Butler, DatasetRef
from lsst.images import Box
from numpy.polynomial import chebyshev

from .conftest import Images, Own

FEW_MEGABYTES = 4_500_000


def means(values: np.ndarray, size: int) -> np.ndarray:
    """Averages of finite values over blocks, in the plainest way."""
    result = np.full((-(-values.shape[0] // size), -(-values.shape[1] // size)), np.nan)
    for row in range(result.shape[0]):
        for column in range(result.shape[1]):
            block = values[row * size : (row + 1) * size, column * size : (column + 1) * size]
            finite = block[np.isfinite(block)].astype(np.float64)
            if finite.size:
                result[row, column] = finite.mean()
    return result


def positions(sky: dict[str, Any], x: np.ndarray, y: np.ndarray) -> SkyCoord:
    """Evaluate a description's sky as its documentation says."""
    u, v = (x - sky["x_center"]) / sky["x_half"], (y - sky["y_center"]) / sky["y_half"]
    xi, eta = (chebyshev.chebval2d(u, v, np.array(sky[name])) for name in ("xi", "eta"))
    ra0, dec0 = np.radians(sky["ra"]), np.radians(sky["dec"])
    depth = np.cos(dec0) - eta * np.sin(dec0)
    ra = ra0 + np.arctan2(xi, depth)
    dec = np.arctan2(np.sin(dec0) + eta * np.cos(dec0), np.hypot(xi, depth))
    return SkyCoord(ra, dec, unit="rad")


def test_a_description_names_planes_mask_bits_and_cells(images: Images, coadd: DatasetRef) -> None:
    description = images.describe(coadd.id)
    assert description["type"] == "CellCoadd"
    assert description["box"] == {"x0": 14850, "x1": 18150, "y0": 2850, "y1": 6150}
    planes = {plane["id"]: plane for plane in description["planes"]}
    assert list(planes) == ["image", "variance", "backgrounds/object", "backgrounds/pretty"]
    assert planes["image"]["unit"] == "nJy"
    assert planes["variance"]["unit"] == "nJy2"
    assert planes["backgrounds/object"]["smooth"]
    assert description["cells"]["width"] == 150
    assert description["missing"] == []
    names = {plane["name"]: plane for plane in description["mask"]}
    assert "DETECTED" in names
    assert names["DETECTED"]["description"]


@pytest.mark.parametrize("bin_", [1, 3, 8])
def test_values_are_the_means_of_their_blocks(
    images: Images, truth: Butler, coadd: DatasetRef, bin_: int
) -> None:
    bbox = (15_001, 15_001 + 400, 3_007, 3_007 + 301)
    region = images.region(coadd.id, "image", bin_, bbox)
    whole = truth.get(coadd, parameters={"bbox": Box.factory[3_007:3_308, 15_001:15_401]})
    np.testing.assert_allclose(region.pixels[0], means(whole.image.array, bin_), rtol=1e-5, atol=1e-3)


def test_a_whole_image_comes_small_and_with_statistics_of_all_its_pixels(
    images: Images, truth: Butler, coadd: DatasetRef
) -> None:
    region = images.region(coadd.id, "image", 8)
    true = truth.get(coadd).image.array
    assert region.pixels.shape == (1, 413, 413)
    assert region.bytes < 1_000_000
    statistics = region.head["statistics"]
    assert statistics["pixels"] == true.size
    assert statistics["minimum"] == pytest.approx(true.min(), rel=1e-6)
    assert statistics["maximum"] == pytest.approx(true.max(), rel=1e-6)
    percentiles = dict(map(tuple, statistics["percentiles"]))
    for percentage in (5, 50, 95):
        # A sample: as good as one can tell on a picture.
        assert percentiles[percentage] == pytest.approx(
            float(np.percentile(true, percentage)),
            abs=0.02 * float(np.percentile(true, 95) - np.percentile(true, 5)),
        )
    low, high = statistics["zscale"]
    assert low < percentiles[50] < high


def test_no_answer_is_more_than_a_few_megabytes(images: Images, coadd: DatasetRef) -> None:
    assert images.region(coadd.id, "image", 1, (14_850, 15_874, 2_850, 3_874)).bytes < FEW_MEGABYTES
    status, error = images.backend.error(f"{images.path(coadd.id)}/region", plane="image", bin=1)
    assert status == 400
    assert "3300 by 3300" in error["message"]
    assert error["next_step"]


def test_a_mask_tells_what_is_set_anywhere_in_a_block(
    images: Images, truth: Butler, coadd: DatasetRef
) -> None:
    region = images.region(coadd.id, "mask", 4, (15_000, 15_400, 3_000, 3_400))
    mask = truth.get(
        coadd.makeComponentRef("mask"), parameters={"bbox": Box.factory[3_000:3_400, 15_000:15_400]}
    )
    planes = images.describe(coadd.id)["mask"]
    assert [plane["name"] for plane in planes] == [plane.name for plane in mask.schema if plane is not None]
    for plane in planes:
        set_ = (region.pixels[plane["word"]] >> plane["bit"]) & 1
        true = mask.get(plane["name"]).reshape(100, 4, 100, 4).any(axis=(1, 3))
        np.testing.assert_array_equal(set_.astype(bool), true)
    assert region.pixels.any()


def test_a_background_is_evaluated_at_the_centres_of_blocks(
    images: Images, truth: Butler, coadd: DatasetRef
) -> None:
    region = images.region(coadd.id, "backgrounds/pretty", 10, (15_000, 15_100, 3_000, 3_100))
    field = truth.get(coadd.makeComponentRef("backgrounds"))["pretty"].field
    x, y = np.meshgrid(15_004.5 + 10 * np.arange(10), 3_004.5 + 10 * np.arange(10))
    np.testing.assert_allclose(region.pixels[0], field(x=x, y=y), rtol=1e-6)


@pytest.mark.parametrize("name", ["coadd", "visit_image"])
def test_positions_agree_with_the_stored_projection_far_below_a_pixel(
    images: Images, truth: Butler, name: str, request: pytest.FixtureRequest
) -> None:
    ref: DatasetRef = request.getfixturevalue(name)
    sky = images.describe(ref.id)["sky"]
    projection = truth.get(ref.makeComponentRef("sky_projection"))
    box = truth.get(ref.makeComponentRef("bbox"))
    random = np.random.default_rng(3)
    x = random.uniform(box.x.start - 0.5, box.x.stop - 0.5, 1_000)
    y = random.uniform(box.y.start - 0.5, box.y.stop - 0.5, 1_000)
    off = positions(sky, x, y).separation(projection.pixel_to_sky(x=x, y=y)).arcsec / sky["pixel_scale"]
    assert off.max() < 0.01
    assert sky["error"] < 0.001
    assert sky["pixel_scale"] == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("dataset_type", ["difference_image", "flat", "bias"])
def test_all_types_of_images_can_be_shown(images: Images, truth: Butler, dataset_type: str) -> None:
    ref = truth.query_datasets(dataset_type, "*", find_first=False, limit=1)[0]
    true = truth.get(ref)
    pixels = true.array if dataset_type != "difference_image" else true.image.array
    region = images.region(ref.id, "image")
    np.testing.assert_array_equal(region.pixels[0], pixels)


def test_cells_without_data_are_missing_not_zero(images: Images, own: tuple[Path, Own]) -> None:
    holes = own[1]
    description = images.describe(holes.holes.id, "personal")
    box, missing = description["box"], description["missing"]
    assert len(missing) == 2
    region = images.region(holes.holes.id, "image", 1, kind="personal")
    expected = np.array(holes.coadd.image.array)
    for cell in missing:
        rows, columns = (slice(cell[f"{a}0"] - box[f"{a}0"], cell[f"{a}1"] - box[f"{a}0"]) for a in "yx")
        assert expected[rows, columns].shape == (150, 150)
        expected[rows, columns] = np.nan
    np.testing.assert_array_equal(region.pixels[0], expected)
    assert region.head["statistics"]["missing"] == 2 * 150 * 150


def test_values_that_are_not_finite_are_left_out_of_means(images: Images, own: tuple[Path, Own]) -> None:
    description = images.describe(own[1].plain.id, "personal")
    assert description["box"] == {"x0": 20, "x1": 73, "y0": -10, "y1": 27}
    assert description["sky"] is None
    assert description["mask"] == []
    region = images.region(own[1].plain.id, "image", 4, kind="personal")
    np.testing.assert_allclose(region.pixels[0], means(own[1].values, 4), rtol=1e-5)
    assert np.isnan(region.pixels[0, 0, 0])


def test_a_masked_image_in_a_personal_repository_has_all_its_planes(
    images: Images, own: tuple[Path, Own]
) -> None:
    description = images.describe(own[1].masked.id, "personal")
    assert [plane["id"] for plane in description["planes"]] == ["image", "variance"]
    region = images.region(own[1].masked.id, "variance", 1, kind="personal")
    np.testing.assert_array_equal(region.pixels[0], own[1].coadd.variance.array)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"plane": "nope"}, "no plane 'nope'"),
        ({"plane": "image", "bbox": [0, 10, 0, 10]}, "outside of the image"),
        ({"plane": "image", "bbox": [10, 0, 0, 10]}, "x0 < x1"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_words(
    images: Images, visit_image: DatasetRef, parameters: dict[str, Any], words: str
) -> None:
    status, error = images.backend.error(f"{images.path(visit_image.id)}/region", **parameters)
    assert status == 400
    assert words in error["message"]
    assert error["next_step"]


def test_a_dataset_that_is_no_image_is_refused_in_words(images: Images, truth: Butler) -> None:
    ref = truth.query_datasets("visit_table", "dp2", limit=1)[0]
    status, error = images.backend.error(images.path(ref.id))
    assert status == 400
    assert "is no image" in error["message"]
