"""Images that `lsst.images` wrote, opened without reading them."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from lsst.images import Box, ColorImage, Image, Mask, SkyProjection
from lsst.images.fields import BaseField
from lsst.images.serialization import Reader, open_archive
from lsst.resources import ResourcePath

from .models import ImageBox, ImageDescription, ImageGrid, ImageMaskPlane, ImagePlane
from .sky import approximate

__all__ = ["ArchivedImage"]

_DESCRIPTIONS = {
    "image": "Pixel values",
    "variance": "Variance of the pixel values",
    "red": "Red channel",
    "green": "Green channel",
    "blue": "Blue channel",
}
_BACKGROUND = "backgrounds/"
_FRACTION = "mask_fractions/"
_NOISE = "noise_realizations/"


class ArchivedImage:
    """An image of `lsst.images`.

    Parameters
    ----------
    uri : `lsst.resources.ResourcePath`
        Its file, which may be remote: what is read of it is what is asked for, in blocks.
    """

    def __init__(self, uri: ResourcePath) -> None:
        with contextlib.ExitStack() as stack:
            self._reader: Reader[Any] = stack.enter_context(open_archive(uri))
            self._tree: Any = self._reader.get_tree()
            self._plain = isinstance(self._tree.PUBLIC_TYPE, type) and issubclass(
                self._tree.PUBLIC_TYPE, Image
            )
            self._backgrounds: Mapping[str, Any] = self._component("backgrounds") or {}
            self.description = self._describe()
            self._stack = stack.pop_all()

    def close(self) -> None:
        """Close the file."""
        self._stack.close()

    def read(self, plane: str, box: ImageBox) -> npt.NDArray[Any]:
        """Read the pixels of a plane.

        Parameters
        ----------
        plane : `str`
            Identifier of the plane.
        box : `ImageBox`
            Within the image.

        Returns
        -------
        pixels : `numpy.ndarray`
            Rows first; not a number in cells without data.
        """
        image: Image
        if self._plain:
            image = self._reader.read(bbox=_box(box))
        elif plane.startswith((_FRACTION, _NOISE)):
            component, _, name = plane.partition("/")
            models = getattr(self._tree, component)
            key = int(name) if component == _NOISE.rstrip("/") else name
            image = models[key].deserialize(self._reader._archive, bbox=_box(box))
        else:
            image = getattr(self._tree, plane).deserialize(self._reader._archive, bbox=_box(box))
        return _without(image.array, box, self.description.missing)

    def model(
        self, plane: str, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Evaluate a background.

        Parameters
        ----------
        plane : `str`
            Identifier of the plane.
        x, y : `numpy.ndarray`
            Pixel positions.

        Returns
        -------
        values : `numpy.ndarray`
            One for each position.
        """
        field: BaseField = self._backgrounds[plane.removeprefix(_BACKGROUND)].field
        return np.asarray(field(x=x, y=y), dtype=np.float64)

    def read_mask(self, box: ImageBox) -> npt.NDArray[np.uint32]:
        """Read the mask.

        Parameters
        ----------
        box : `ImageBox`
            Within the image.

        Returns
        -------
        mask : `numpy.ndarray`
            Words, rows, columns.
        """
        mask: Mask = self._reader.get_component("mask", bbox=_box(box))
        elements = np.moveaxis(mask.array, 2, 0)
        per_word = 32 // (8 * elements.dtype.itemsize)
        words = np.zeros((_words(len(mask.schema)), *elements.shape[1:]), dtype=np.uint32)
        for number, element in enumerate(elements):
            word, place = divmod(number, per_word)
            words[word] |= element.astype(np.uint32) << np.uint32(place * 32 // per_word)
        return words

    def _describe(self) -> ImageDescription:
        tree = self._tree
        bounds: Any = getattr(getattr(tree, "psf", None), "bounds", None)
        grid: Any = getattr(bounds, "grid", None)
        box = ImageBox(x0=tree.bbox.x.start, x1=tree.bbox.x.stop, y0=tree.bbox.y.start, y1=tree.bbox.y.stop)
        return ImageDescription(
            type=tree.PUBLIC_TYPE.__name__,
            box=box,
            planes=self._planes(),
            mask=self._mask_planes(),
            sky=self._sky(box),
            cells=None
            if grid is None
            else ImageGrid(
                x0=grid.bbox.x.start,
                y0=grid.bbox.y.start,
                width=grid.cell_shape.x,
                height=grid.cell_shape.y,
            ),
            missing=[]
            if grid is None
            else [
                ImageBox(x0=one.x.start, x1=one.x.stop, y0=one.y.start, y1=one.y.stop)
                for one in bounds.missing_boxes()
            ],
        )

    def _planes(self) -> list[ImagePlane]:
        tree = self._tree
        if self._plain:
            return [_plane("image", tree.unit)]
        names = ("red", "green", "blue") if tree.PUBLIC_TYPE is ColorImage else ("image", "variance")
        planes = [_plane(name, getattr(tree, name).unit) for name in names]
        planes += [
            _plane(_BACKGROUND + name, one.field.unit, one.description, smooth=True)
            for name, one in self._backgrounds.items()
        ]
        planes += [
            _plane(
                _FRACTION + name.removeprefix(_FRACTION), one.unit, "Fraction of the inputs with this flag"
            )
            for name, one in (getattr(tree, "mask_fractions", None) or {}).items()
        ]
        planes += [
            _plane(f"{_NOISE}{number}", one.unit, "A realization of the noise")
            for number, one in enumerate(getattr(tree, "noise_realizations", None) or ())
        ]
        return planes

    def _mask_planes(self) -> list[ImageMaskPlane]:
        mask = getattr(self._tree, "mask", None)
        planes = [] if mask is None else mask.planes
        return [
            ImageMaskPlane(name=plane.name, description=plane.description, word=index // 32, bit=index % 32)
            for index, plane in enumerate(planes)
            if plane is not None
        ]

    def _sky(self, box: ImageBox) -> Any:
        projection: SkyProjection[Any] | None = self._component("sky_projection")
        if projection is None:
            return None

        def to_sky(
            x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
        ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
            sky = projection.pixel_to_sky(x=x, y=y)
            return sky.ra.rad, sky.dec.rad

        return approximate(to_sky, box, "the projection of lsst.images")

    def _component(self, name: str) -> Any:
        """A component that this type of image may not have."""
        if getattr(self._tree, name, None) is None:
            return None
        return self._reader.get_component(name)


def _plane(id_: str, unit: Any, description: str = "", *, smooth: bool = False) -> ImagePlane:
    return ImagePlane(
        id=id_,
        unit="" if unit is None else unit.to_string(),
        description=description or _DESCRIPTIONS.get(id_, ""),
        smooth=smooth,
    )


def _box(box: ImageBox) -> Box:
    return Box.factory[box.y0 : box.y1, box.x0 : box.x1]


def _words(planes: int) -> int:
    return max(1, math.ceil(planes / 32))


def _without(pixels: npt.NDArray[Any], box: ImageBox, missing: list[ImageBox]) -> npt.NDArray[Any]:
    """Take away what a file may hold in cells without data."""
    holes = [
        (slice(max(one.y0 - box.y0, 0), one.y1 - box.y0), slice(max(one.x0 - box.x0, 0), one.x1 - box.x0))
        for one in missing
        if one.x0 < box.x1 and one.x1 > box.x0 and one.y0 < box.y1 and one.y1 > box.y0
    ]
    if not holes:
        return pixels
    pixels = np.array(pixels, dtype=np.float32)
    for hole in holes:
        pixels[hole] = np.nan
    return pixels
