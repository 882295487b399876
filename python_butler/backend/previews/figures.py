"""Figures: files that a browser can show as they are, made smaller when they are large."""

from __future__ import annotations

import io
from typing import Any

from ...errors import InvalidRequestError
from ...words import size as in_words
from .models import FigurePreview
from .opening import OpenedDataset

__all__ = ["describe_figure", "is_figure", "picture"]

_MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
_READ = 32_000_000
"""Bytes of a file that are read."""
_SENT = 3_000_000
"""Bytes that are sent."""
_PIXELS = 100_000_000
"""Pixels that are unpacked."""
_SIDE = 2_000
"""Pixels of the longer side of a figure that was made smaller."""


def is_figure(opened: OpenedDataset) -> bool:
    """Tell whether a dataset is a figure.

    Parameters
    ----------
    opened : `OpenedDataset`
        The dataset.

    Returns
    -------
    is_figure : `bool`
        Judged by its file.
    """
    return opened.extension in _MEDIA_TYPES


def describe_figure(opened: OpenedDataset) -> FigurePreview:
    """Tell how large a figure is.

    Parameters
    ----------
    opened : `OpenedDataset`
        A figure.

    Returns
    -------
    preview : `FigurePreview`
        Its size.
    """
    with opened.open() as file:
        width, height = _image(file).size
    return FigurePreview(
        width=width, height=height, size=opened.size or 0, media_type=_MEDIA_TYPES[opened.extension]
    )


def picture(opened: OpenedDataset) -> tuple[bytes, str]:
    """Give a figure as a browser shows it.

    Parameters
    ----------
    opened : `OpenedDataset`
        A figure.

    Returns
    -------
    content : `bytes`
        The file, or a smaller picture if it is large.
    media_type : `str`
        Of the content.

    Raises
    ------
    python_butler.errors.InvalidRequestError
        If it is no figure, or too large.
    """
    if not is_figure(opened):
        raise InvalidRequestError("This dataset is no figure.", "Open one whose file is a picture.")
    content = opened.head(_READ + 1)
    if len(content) > _READ:
        raise InvalidRequestError(f"This figure has more than {in_words(_READ)}.", "Open it in a notebook.")
    if len(content) <= _SENT:
        return content, _MEDIA_TYPES[opened.extension]
    image = _image(io.BytesIO(content))
    if image.width * image.height > _PIXELS:
        raise InvalidRequestError(
            f"This figure has {image.width} by {image.height} pixels.", "Open it in a notebook."
        )
    with opened.reserve(8 * image.width * image.height):
        image.thumbnail((_SIDE, _SIDE))
        smaller = io.BytesIO()
        image.convert("RGB").save(smaller, "JPEG", quality=85)
    return smaller.getvalue(), "image/jpeg"


def _image(file: Any) -> Any:
    # Whoever makes figures has it: matplotlib needs it.
    from PIL import Image

    return Image.open(file)
