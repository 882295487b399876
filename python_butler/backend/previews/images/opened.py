"""What an opened image can do, however it is stored."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .models import ImageBox, ImageDescription

__all__ = ["OpenedImage"]


class OpenedImage(Protocol):
    """An image whose file is open; for one thread at a time."""

    description: ImageDescription

    def read(self, plane: str, box: ImageBox) -> npt.NDArray[Any]:
        """Read the pixels of a plane in a box within the image, rows first."""

    def model(
        self, plane: str, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Evaluate a plane that is a model, at pixel positions."""

    def read_mask(self, box: ImageBox) -> npt.NDArray[np.uint32]:
        """Read the mask in a box: words, rows, columns."""

    def close(self) -> None:
        """Close the file."""
