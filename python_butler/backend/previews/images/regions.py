"""Describes images, and makes regions of them ready to be sent."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import numpy as np
import numpy.typing as npt
from lsst.daf.butler import DatasetRef
from lsst.images.serialization import ArchiveReadError

from ....errors import InvalidRequestError, PythonButlerError, UnreadableError
from ...repository import BrowsedRepository
from ..opening import causes, find_files
from .archives import ArchivedImage
from .blocks import block_means, block_unions, stripes
from .encoding import encode
from .fits import FitsImage
from .models import ImageBox, ImageDescription, ImageRegion
from .opened import OpenedImage
from .pool import Pool
from .statistics import Gatherer

__all__ = ["MASK", "MAX_VALUES", "describe_image", "read_region"]

MAX_VALUES = 1 << 20
"""Most values in one region: 4 megabytes before they are compressed."""

MASK = "mask"
"""Identifier of the mask among the planes."""

_ARCHIVES = (".fits", ".fits.gz", ".json", ".sdf", ".h5")
_FITS = (".fits", ".fits.gz", ".fits.fz", ".fit", ".fz")
_LOG = logging.getLogger(__name__)
_POOL = Pool()


def describe_image(repository: BrowsedRepository, dataset_id: UUID) -> ImageDescription:
    """Describe an image without reading its pixels.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    dataset_id : `uuid.UUID`
        Which dataset.

    Returns
    -------
    description : `ImageDescription`
        The description.

    Raises
    ------
    GoneError
        If the repository has no such dataset.
    InvalidRequestError
        If it is no image.
    """
    with _using(repository, dataset_id) as image:
        return image.description


def read_region(
    repository: BrowsedRepository,
    dataset_id: UUID,
    plane: str,
    box: ImageBox | None,
    size: int,
    cancelled: threading.Event,
) -> bytes:
    """Read a region of an image, averaged over blocks.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    dataset_id : `uuid.UUID`
        Which dataset.
    plane : `str`
        Identifier of a plane, or `MASK`.
    box : `ImageBox` or `None`
        Which pixels; what is outside of the image is left out. `None` for all.
    size : `int`
        Pixels of a block each way, counted from the lower left corner of the region.
    cancelled : `threading.Event`
        Set when nobody wants the region any more.

    Returns
    -------
    region : `bytes`
        As `ImageRegion` describes it; empty if it was cancelled.

    Raises
    ------
    GoneError
        If the repository has no such dataset.
    InvalidRequestError
        If there is no such plane, if the box is outside of the image, or if there were too many values.
    """
    with _using(repository, dataset_id) as image:
        whole = image.description.box
        within = whole if box is None else _common(box, whole)
        width, height = -(-(within.x1 - within.x0) // size), -(-(within.y1 - within.y0) // size)
        if width * height > MAX_VALUES:
            raise InvalidRequestError(
                f"{width} by {height} values are more than are sent at a time ({MAX_VALUES:,}).",
                "Ask for larger blocks or for a smaller region.",
            )
        region = ImageRegion(
            plane=plane,
            box=within,
            bin=size,
            width=width,
            height=height,
            kind="float32",
            words=1,
            statistics=None,
        )
        if plane == MASK and image.description.mask:
            return _mask(image, region, cancelled)
        for known in image.description.planes:
            if known.id == plane:
                return (_model if known.smooth else _values)(image, region, cancelled)
    raise InvalidRequestError(f"This image has no plane {plane!r}.", "Choose one that it has.")


def _values(image: OpenedImage, region: ImageRegion, cancelled: threading.Event) -> bytes:
    box = region.box
    values = np.empty((region.height, region.width), dtype=np.float32)
    statistics = Gatherer((box.x1 - box.x0) * (box.y1 - box.y0))
    for stripe, rows in stripes(box, region.bin):
        if cancelled.is_set():
            return b""
        pixels = image.read(region.plane, stripe)
        statistics.add(pixels)
        values[rows] = block_means(pixels, region.bin)
    return encode(region.model_copy(update={"statistics": statistics.result()}), values)


def _model(image: OpenedImage, region: ImageRegion, cancelled: threading.Event) -> bytes:
    if cancelled.is_set():
        return b""
    box = region.box
    centres: list[npt.NDArray[np.float64]] = []
    for start, stop in ((box.x0, box.x1), (box.y0, box.y1)):
        edges = np.minimum(np.arange(start, stop + region.bin, region.bin), stop).astype(np.float64)
        edges = edges[: -(-(stop - start) // region.bin) + 1]
        centres.append((edges[:-1] + edges[1:] - 1) / 2)
    x, y = np.meshgrid(*centres)
    values = image.model(region.plane, x, y).astype(np.float32)
    statistics = Gatherer(values.size)
    statistics.add(values)
    return encode(region.model_copy(update={"statistics": statistics.result()}), values)


def _mask(image: OpenedImage, region: ImageRegion, cancelled: threading.Event) -> bytes:
    words = 1 + max(plane.word for plane in image.description.mask)
    if words * region.width * region.height > MAX_VALUES:
        raise InvalidRequestError(
            "The mask of this image has too many planes for a region of this size.", "Ask for a smaller one."
        )
    values = np.empty((words, region.height, region.width), dtype=np.uint32)
    for stripe, rows in stripes(region.box, region.bin):
        if cancelled.is_set():
            return b""
        for word, bits in enumerate(image.read_mask(stripe)[:words]):
            values[word, rows] = block_unions(bits, region.bin)
    return encode(region.model_copy(update={"kind": "uint32", "words": words}), values)


def _common(box: ImageBox, whole: ImageBox) -> ImageBox:
    x0, x1 = max(box.x0, whole.x0), min(box.x1, whole.x1)
    y0, y1 = max(box.y0, whole.y0), min(box.y1, whole.y1)
    if x0 >= x1 or y0 >= y1:
        raise InvalidRequestError("The region is outside of the image.", "Choose one within it.")
    return ImageBox(x0=x0, x1=x1, y0=y0, y1=y1)


@contextmanager
def _using(repository: BrowsedRepository, dataset_id: UUID) -> Iterator[OpenedImage]:
    key = (repository.kind, repository.label, dataset_id)
    try:
        with _POOL.use(key, lambda: _open(repository, dataset_id)) as image:
            yield image
    except Exception as error:
        for cause in causes(error):
            if isinstance(cause, PythonButlerError):
                raise cause from None
        _LOG.warning("Image %s cannot be shown", dataset_id, exc_info=error)
        # The text of somebody else's exception may hold anything.
        raise UnreadableError(
            f"The file of this image cannot be read ({type(error).__name__}).",
            "Look whether butler.get fails in a notebook, too.",
        ) from error


def _open(repository: BrowsedRepository, dataset_id: UUID) -> OpenedImage:
    ref, files = find_files(repository, repository.butler(), dataset_id)
    path, _ = files.get(None) or files.get("image") or (None, None)
    if path is None:
        raise _no_image(ref)
    name = path.basename()
    if name.endswith(_ARCHIVES):
        try:
            return ArchivedImage(path)
        except (ArchiveReadError, ValueError) as error:
            # Not all such files are of lsst.images.
            if not name.endswith(_FITS):
                raise _no_image(ref) from error
    if not name.endswith(_FITS):
        raise _no_image(ref)
    return FitsImage(path)


def _no_image(ref: DatasetRef) -> InvalidRequestError:
    return InvalidRequestError(
        f"{ref.datasetType.name} is no image that can be shown.", "Read it in a notebook instead."
    )
