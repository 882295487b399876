"""What previews of images are made of, where a server is not needed to see it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from lsst.resources import ResourcePath

from python_butler.backend.previews.images import regions
from python_butler.backend.previews.images.fits import FitsImage
from python_butler.backend.previews.images.models import ImageBox, ImageDescription, ImagePlane, ImageRegion
from python_butler.backend.previews.images.pool import Pool
from python_butler.backend.previews.images.sky import approximate
from python_butler.errors import InvalidRequestError

from ...conftest import wait_until


def exposure(path: Path) -> tuple[np.ndarray, np.ndarray, WCS]:
    """Write a file as `lsst.afw.image.ExposureF` does: compressed, with an origin and named mask bits."""
    random = np.random.default_rng(5)
    pixels = random.normal(size=(80, 120)).astype(np.float32)
    mask = random.integers(0, 2, size=(80, 120)).astype(np.int32) << 5
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN-SIP", "DEC--TAN-SIP"]
    wcs.wcs.crval, wcs.wcs.crpix = [53.0, -28.0], [60.0, 40.0]
    wcs.wcs.cd = np.array([[-0.2, 0.01], [0.01, 0.2]]) / 3600
    header = wcs.to_header(relax=True)
    header.update({"CTYPE1A": "LINEAR", "CTYPE2A": "LINEAR", "CRPIX1A": 1.0, "CRPIX2A": 1.0})
    header.update({"CRVAL1A": 1_000.0, "CRVAL2A": 2_000.0, "BUNIT": "nJy"})
    bits = fits.Header({"HIERARCH MP_DETECTED": 5, "MP_BAD": 0})
    fits.HDUList(
        [
            fits.PrimaryHDU(),
            fits.CompImageHDU(pixels, header, name="IMAGE", quantize_level=0, compression_type="GZIP_2"),
            fits.CompImageHDU(mask, bits, name="MASK", compression_type="GZIP_2"),
            fits.ImageHDU(pixels**2, header, name="VARIANCE"),
            fits.ImageHDU(np.ones((5, 5), np.float32), name="KERNEL"),
        ]
    ).writeto(path)
    return pixels, mask, wcs


def test_an_exposure_of_afw_is_read_without_its_package(tmp_path: Path) -> None:
    pixels, mask, wcs = exposure(tmp_path / "calexp.fits")
    image = FitsImage(ResourcePath(tmp_path / "calexp.fits"))
    description = image.description
    assert description.box == ImageBox(x0=1_000, x1=1_120, y0=2_000, y1=2_080)
    assert [(plane.id, plane.unit) for plane in description.planes] == [("image", "nJy"), ("variance", "nJy")]
    assert [(plane.name, plane.bit) for plane in description.mask] == [("BAD", 0), ("DETECTED", 5)]
    assert description.mask[1].description
    part = ImageBox(x0=1_010, x1=1_050, y0=2_005, y1=2_030)
    np.testing.assert_array_equal(image.read("image", part), pixels[5:30, 10:50])
    np.testing.assert_array_equal(image.read_mask(part)[0], mask[5:30, 10:50])
    assert description.sky is not None
    centre = wcs.pixel_to_world(59.5, 39.5)
    assert description.sky.ra == pytest.approx(centre.ra.deg, abs=1e-9)
    assert description.sky.dec == pytest.approx(centre.dec.deg, abs=1e-9)
    image.close()


def test_a_fits_file_without_images_is_refused(tmp_path: Path) -> None:
    fits.HDUList([fits.PrimaryHDU()]).writeto(tmp_path / "empty.fits")
    with pytest.raises(InvalidRequestError, match=r"no image in empty\.fits"):
        FitsImage(ResourcePath(tmp_path / "empty.fits"))


def test_a_strongly_curved_projection_gets_a_higher_degree_and_tells_its_error() -> None:
    def curved(x: Any, y: Any) -> tuple[Any, Any]:
        radius = np.hypot(x - 500, y - 500) / 500
        factor = 1 + 0.02 * radius**2
        return 1.0 + (x - 500) * 1e-6 * factor, 0.5 + (y - 500) * 1e-6 * factor

    box = ImageBox(x0=0, x1=1_000, y0=0, y1=1_000)
    sky = approximate(curved, box, "curved")
    assert sky is not None
    assert sky.error < 1e-3
    assert len(sky.xi) == 4


def test_a_projection_that_has_no_sky_is_none() -> None:
    box = ImageBox(x0=0, x1=10, y0=0, y1=10)
    assert approximate(lambda x, y: (np.full_like(x, np.nan), np.full_like(y, np.nan)), box, "none") is None


class Slow:
    """An image that somebody stops looking at while it is read; real ones cannot be made to wait."""

    def __init__(self, cancelled: threading.Event) -> None:
        self.box = ImageBox(x0=0, x1=4_096, y0=0, y1=4_096)
        self.description = ImageDescription(
            type="Image",
            box=self.box,
            planes=[ImagePlane(id="image", unit="", description="", smooth=False)],
            mask=[],
            sky=None,
            cells=None,
            missing=[],
        )
        self.rows = 0
        self._cancelled = cancelled

    def read(self, plane: str, box: ImageBox) -> np.ndarray:
        self.rows += box.y1 - box.y0
        self._cancelled.set()
        return np.zeros((box.y1 - box.y0, box.x1 - box.x0), np.float32)


def test_reading_ends_within_a_stripe_when_nobody_waits_any_more() -> None:
    cancelled = threading.Event()
    image = Slow(cancelled)
    region = ImageRegion(
        plane="image", box=image.box, bin=8, width=512, height=512, kind="float32", words=1, statistics=None
    )
    assert regions._values(image, region, cancelled) == b""  # type: ignore[arg-type]  # all that it asks of it
    assert image.rows <= 512


class Counted:
    """Counts how often an image is opened and closed."""

    def __init__(self) -> None:
        self.opened = self.closed = 0

    def open(self) -> Any:
        self.opened += 1
        return self

    def close(self) -> None:
        self.closed += 1


def test_an_image_stays_open_while_somebody_looks_at_it_and_a_moment_after() -> None:
    pool, image = Pool(idle=0.05), Counted()
    with pool.use("a", image.open):
        pass
    with pool.use("a", image.open):
        pass
    assert image.opened == 1
    wait_until(lambda: image.closed)
    assert pool._entries == {}


def test_an_image_that_failed_is_opened_anew_and_few_stay_open() -> None:
    pool, image = Pool(), Counted()
    with pytest.raises(OSError, match="gone"), pool.use("a", image.open):
        raise OSError("gone")
    with pool.use("a", image.open):
        pass
    assert (image.opened, image.closed) == (2, 1)
    for key in "bcdefg":
        with pool.use(key, image.open):
            pass
    assert image.opened - image.closed == 3
