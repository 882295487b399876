"""Where pixels are on the sky, as polynomials that a browser evaluates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from numpy.polynomial import chebyshev

from .models import ImageBox, ImageSky

__all__ = ["PixelToSky", "approximate"]

_Floats = npt.NDArray[np.float64]

PixelToSky = Callable[[_Floats, _Floats], tuple[_Floats, _Floats]]
"""From pixels to right ascension and declination, in radians; not a number where there is no sky."""

_DEGREES = (1, 3, 5, 7, 9, 11)
_ENOUGH = 1e-3
"""Pixels: a better approximation is not looked for."""
_MOST = 0.5
"""Pixels: a worse approximation is none."""
_ARCSECOND = np.pi / 180 / 3600


def approximate(to_sky: PixelToSky, box: ImageBox, source: str) -> ImageSky | None:
    """Approximate a projection over a box.

    Parameters
    ----------
    to_sky : callable
        The projection.
    box : `ImageBox`
        Where it is needed.
    source : `str`
        What is approximated, for people.

    Returns
    -------
    sky : `ImageSky` or `None`
        The approximation of the lowest degree that is better than a thousandth of a pixel, or else the
        best; `None` if that is off by more than half a pixel somewhere. It is compared with the projection
        on a grid finer than that of the fit, corners included.
    """
    x_center, y_center = (box.x0 + box.x1 - 1) / 2, (box.y0 + box.y1 - 1) / 2
    x_half, y_half = max((box.x1 - box.x0) / 2, 1.0), max((box.y1 - box.y0) / 2, 1.0)
    ra0, dec0 = (
        float(value[0]) for value in to_sky(np.array([x_center], float), np.array([y_center], float))
    )
    if not (np.isfinite(ra0) and np.isfinite(dec0)):
        return None

    def plane(u: _Floats, v: _Floats) -> tuple[_Floats, _Floats]:
        return _to_plane(*to_sky(x_center + x_half * u, y_center + y_half * v), ra0, dec0)

    fine = np.linspace(-1.0, 1.0, 33)
    u, v = (grid.ravel() for grid in np.meshgrid(fine, fine))
    true = plane(u, v)
    step = np.array([-0.5, 0.5])
    scale = float(
        np.hypot(*(np.diff(value)[0] for value in plane(step / x_half, np.zeros(2))))
    )  # radians to a pixel
    if not np.all(np.isfinite(true)) or not scale > 0:
        return None
    best: ImageSky | None = None
    for degree in _DEGREES:
        # The extremes of a Chebyshev polynomial, with the edges, where the error is largest otherwise.
        nodes = np.cos(np.pi * np.arange(2 * degree + 3) / (2 * degree + 2))
        nu, nv = (grid.ravel() for grid in np.meshgrid(nodes, nodes))
        basis = chebyshev.chebvander2d(nu, nv, [degree, degree])
        fits = [
            np.linalg.lstsq(basis, values, rcond=None)[0].reshape(degree + 1, degree + 1)
            for values in plane(nu, nv)
        ]
        off = [chebyshev.chebval2d(u, v, fit) - values for fit, values in zip(fits, true, strict=True)]
        error = float(np.hypot(*off).max() / scale)
        if best is None or error < best.error:
            best = ImageSky(
                ra=float(np.degrees(ra0) % 360),
                dec=float(np.degrees(dec0)),
                x_center=x_center,
                y_center=y_center,
                x_half=x_half,
                y_half=y_half,
                xi=fits[0].tolist(),
                eta=fits[1].tolist(),
                error=error,
                pixel_scale=scale / _ARCSECOND,
                source=source,
            )
        if best.error < _ENOUGH:
            break
    return best if best is not None and best.error <= _MOST else None


def _to_plane(ra: _Floats, dec: _Floats, ra0: float, dec0: float) -> tuple[_Floats, _Floats]:
    """Project onto the plane that touches the sky at a point."""
    delta = ra - ra0
    depth = np.sin(dec0) * np.sin(dec) + np.cos(dec0) * np.cos(dec) * np.cos(delta)
    # What is behind is not on the plane.
    depth = np.where(depth > 0, depth, np.nan)
    xi = np.cos(dec) * np.sin(delta) / depth
    eta = (np.cos(dec0) * np.sin(dec) - np.sin(dec0) * np.cos(dec) * np.cos(delta)) / depth
    return xi, eta
