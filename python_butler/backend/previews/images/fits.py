"""Images in other FITS files: those of `lsst.afw.image`, whose package is not needed, and plain ones."""

from __future__ import annotations

import contextlib
import re
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning
from lsst.images import (
    get_legacy_deep_coadd_mask_planes,
    get_legacy_difference_image_mask_planes,
    get_legacy_visit_image_mask_planes,
)
from lsst.resources import ResourcePath

from ....errors import InvalidRequestError
from .models import ImageBox, ImageDescription, ImageMaskPlane, ImagePlane
from .sky import approximate

__all__ = ["FitsImage"]

_MASK = "MASK"
_BLOCK = 1 << 20
_MOST_PIXELS = 1 << 28
_NOT_IMAGES = re.compile(r"ARCHIVE_INDEX|.*(PSF|WCS|TABLE).*", re.IGNORECASE)


class FitsImage:
    """The two-dimensional arrays of a FITS file.

    Parameters
    ----------
    uri : `lsst.resources.ResourcePath`
        The file, which may be remote: what is read of it is what is asked for.

    Raises
    ------
    InvalidRequestError
        If there is no image in it.
    """

    def __init__(self, uri: ResourcePath) -> None:
        with contextlib.ExitStack() as stack:
            system, path = uri.to_fsspec()
            stream = stack.enter_context(system.open(path, block_size=_BLOCK))
            hdus = stack.enter_context(fits.open(stream, lazy_load_hdus=True, memmap=False))
            found = {
                _name(hdu, number): hdu
                for number, hdu in enumerate(hdus)
                if getattr(hdu, "is_image", False)
                and len(hdu.shape) == 2
                and 0 < hdu.shape[0] * hdu.shape[1] <= _MOST_PIXELS
                and not _NOT_IMAGES.fullmatch(hdu.name)
            }
            if not found:
                raise InvalidRequestError(
                    f"There is no image in {uri.basename()}.", "Read it in a notebook instead."
                )
            first = next(iter(found.values()))
            # Arrays of another shape belong to something else, such as a model of the optics.
            self._hdus: dict[str, Any] = {n: hdu for n, hdu in found.items() if hdu.shape == first.shape}
            mask = self._hdus.get(_MASK.lower())
            self._mask: Any = mask if mask is not None and mask.header["BITPIX"] > 0 else None
            self.description = self._describe(first)
            self._stack = stack.pop_all()

    def close(self) -> None:
        """Close the file."""
        self._stack.close()

    def read(self, plane: str, box: ImageBox) -> npt.NDArray[Any]:
        """Read the pixels of a plane.

        Parameters
        ----------
        plane : `str`
            Name of the array.
        box : `ImageBox`
            Within the image.

        Returns
        -------
        pixels : `numpy.ndarray`
            Rows first.
        """
        return self._section(self._hdus[plane], box)

    def model(
        self, plane: str, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Refuse: there are no models in such files.

        Parameters
        ----------
        plane : `str`
            Name of the array.
        x, y : `numpy.ndarray`
            Pixel positions.

        Raises
        ------
        KeyError
            Always.
        """
        raise KeyError(plane)

    def read_mask(self, box: ImageBox) -> npt.NDArray[np.uint32]:
        """Read the mask.

        Parameters
        ----------
        box : `ImageBox`
            Within the image.

        Returns
        -------
        mask : `numpy.ndarray`
            One word, rows, columns.
        """
        return self._section(self._mask, box).astype(np.int64).astype(np.uint32)[np.newaxis]

    def _section(self, hdu: Any, box: ImageBox) -> npt.NDArray[Any]:
        origin = self.description.box
        return np.asarray(
            hdu.section[box.y0 - origin.y0 : box.y1 - origin.y0, box.x0 - origin.x0 : box.x1 - origin.x0]
        )

    def _describe(self, hdu: Any) -> ImageDescription:
        header = hdu.header
        x0, y0 = _origin(header, 1), _origin(header, 2)
        box = ImageBox(x0=x0, x1=x0 + hdu.shape[1], y0=y0, y1=y0 + hdu.shape[0])
        return ImageDescription(
            type="FITS",
            box=box,
            planes=[
                ImagePlane(id=name, unit=str(one.header.get("BUNIT", "")), description="", smooth=False)
                for name, one in self._hdus.items()
                if one is not self._mask
            ],
            mask=_mask_planes(self._mask),
            sky=_sky(header, box),
            cells=None,
            missing=[],
        )


def _name(hdu: Any, number: int) -> str:
    return str(hdu.name).lower() if hdu.name and hdu.name != "PRIMARY" else f"hdu {number}"


def _origin(header: fits.Header, axis: int) -> int:
    """Coordinate of the first pixel; `lsst.afw` writes it as a second coordinate system."""
    if header.get(f"CTYPE{axis}A") == "LINEAR":
        return round(float(header.get(f"CRVAL{axis}A", 0)) - float(header.get(f"CRPIX{axis}A", 1)) + 1)
    return 0


def _mask_planes(hdu: Any) -> list[ImageMaskPlane]:
    if hdu is None:
        return []
    known = {
        **get_legacy_deep_coadd_mask_planes(),
        **get_legacy_difference_image_mask_planes(),
        **get_legacy_visit_image_mask_planes(),
    }
    bits = {
        card.keyword.removeprefix("MP_"): int(card.value)
        for card in hdu.header.cards
        if card.keyword.startswith("MP_")
    }
    return [
        ImageMaskPlane(
            name=name, description=known[name].description if name in known else "", word=0, bit=bit
        )
        for name, bit in sorted(bits.items(), key=lambda item: item[1])
        if 0 <= bit < 32
    ]


def _sky(header: fits.Header, box: ImageBox) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        try:
            wcs = WCS(header)
        except Exception:  # whatever is wrong with the header, the image can be shown without
            return None
    if not wcs.has_celestial:
        return None
    celestial = wcs.celestial

    def to_sky(
        x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        sky = celestial.pixel_to_world(x - box.x0, y - box.y0).icrs
        return np.asarray(sky.ra.rad), np.asarray(sky.dec.rad)

    return approximate(to_sky, box, "the projection in the FITS header")
