"""What crosses the wire about images."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ...models import WireModel

__all__ = [
    "MEDIA_TYPE",
    "ImageBox",
    "ImageDescription",
    "ImageGrid",
    "ImageMaskPlane",
    "ImagePlane",
    "ImageRegion",
    "ImageSky",
    "ImageStatistics",
]

MEDIA_TYPE = "application/vnd.python-butler.image-region"
"""Of an `ImageRegion` and the pixels after it."""


class ImageBox(WireModel):
    """Pixels, half open, in the image's own coordinates."""

    x0: int
    x1: int
    y0: int
    y1: int


class ImagePlane(WireModel):
    """One array of values that can be shown."""

    id: str
    unit: str = Field(description="Unit of the values, empty if there is none.")
    description: str
    smooth: bool = Field(
        description="Whether it is a model, evaluated at the centres of blocks instead of averaged over them."
    )


class ImageMaskPlane(WireModel):
    """One bit of the mask."""

    name: str
    description: str
    word: int = Field(description="Which of the mask's 32-bit words it is in.")
    bit: int = Field(description="Which bit of the word.")


class ImageSky(WireModel):
    """Where the pixels are on the sky.

    With u = (x - x_center) / x_half and v = (y - y_center) / y_half, the position in the plane that touches
    the sky at (ra, dec), in radians, is xi = sum of xi[i][j] T_i(u) T_j(v), and eta likewise; T are
    Chebyshev polynomials. From there it is the gnomonic projection.
    """

    ra: float = Field(description="ICRS, degrees.")
    dec: float
    x_center: float
    y_center: float
    x_half: float
    y_half: float
    xi: list[list[float]]
    eta: list[list[float]]
    error: float = Field(description="Largest distance from the stored projection that was found, in pixels.")
    pixel_scale: float = Field(description="Arcseconds to a pixel at the centre.")
    source: str = Field(description="What it approximates.")


class ImageGrid(WireModel):
    """The cells that an image is made of."""

    x0: int
    y0: int
    width: int
    height: int


class ImageDescription(WireModel):
    """Everything about an image but its pixels."""

    type: str = Field(description="Its Python type, or the format of the file.")
    box: ImageBox
    planes: list[ImagePlane]
    mask: list[ImageMaskPlane] = Field(description="Empty if there is no mask.")
    sky: ImageSky | None
    cells: ImageGrid | None
    missing: list[ImageBox] = Field(description="Cells without data.")


class ImageStatistics(WireModel):
    """How values are distributed, before they are averaged."""

    pixels: int = Field(description="How many pixels of the region have a value.")
    missing: int = Field(description="How many have none.")
    minimum: float
    maximum: float
    zscale: tuple[float, float]
    percentiles: list[tuple[float, float]] = Field(
        description="Pairs of percentage and value, the first rising."
    )
    sampled: int = Field(description="From how many pixels zscale and percentiles were computed.")


class ImageRegion(WireModel):
    """What comes before the pixels of a region.

    The body is the length of this document in bytes, as an unsigned 32-bit integer; this document, as
    JSON; and the pixels, deflated (zlib). All numbers are little-endian. Pixels go from left to right and
    from bottom to top, one array after the other for masks of several words; the first bytes of all
    numbers come first, then the second bytes, and so on, since they compress better so.
    """

    plane: str
    box: ImageBox
    bin: int = Field(description="Pixels each way that a value stands for.")
    width: int
    height: int
    kind: Literal["float32", "uint32"]
    words: int = Field(description="Number of arrays: words of the mask, or 1.")
    statistics: ImageStatistics | None = Field(description="Of the region's pixels; null for masks.")
