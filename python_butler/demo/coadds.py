"""Coadds of the simulated sky, wrapped as the image type that Data Preview 2 has.

Room: demo. Makes `lsst.images` objects and measures them; it knows no Butler and writes no files.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import astropy.units as u
import numpy as np
import shapely
from astropy.wcs import WCS
from lsst.images import (
    Background,
    BackgroundMap,
    Box,
    Image,
    MaskSchema,
    Polygon,
    SkyProjection,
    TractFrame,
    get_legacy_deep_coadd_mask_planes,
)
from lsst.images.cells import CellCoadd, CellGridBounds, CellPointSpreadFunction, CoaddProvenance

from .camera import INSTRUMENT, PHYSICAL_FILTERS, camera
from .geometry import CELL_PIXELS, SKYMAP, Patch, Tract
from .images import SATURATION, flat_background, mask_of
from .measure import Measurements, measure
from .scene import Scene
from .sky import simulated_sky
from .survey import (
    COADD_VISITS,
    FIELDS,
    NANOJANSKY_PER_ELECTRON,
    coadd_sigma,
    noise,
    visits,
)

__all__ = ["Coadded", "coadd", "coadd_box"]

_FIELD_CELLS = 8
"""Side in cells of the coadds of the bands other than r, outside the patch that has all bands."""

_FULL_PATCH = 15
"""The patch whose coadds are complete in every band."""

_FULL_IN_R = frozenset({15, 25})
"""The patches whose coadds are complete in r."""


@dataclass(frozen=True)
class Coadded:
    """One patch in one band: its coadd and what was measured on it."""

    image: CellCoadd
    objects: Measurements


def coadd_box(patch: Patch, band: str) -> Box | None:
    """Pixels of a patch that have a coadd in a band.

    Parameters
    ----------
    patch : `Patch`
        One of the patches of the survey.
    band : `str`
        One of ``ugrizy``.

    Returns
    -------
    box : `lsst.images.Box` or `None`
        The whole patch in r for two patches, and in every band for one of them; else the cells around
        the field in this patch, or `None` where there is no field.
    """
    if patch.id == _FULL_PATCH or (band == "r" and patch.id in _FULL_IN_R):
        return patch.outer_box
    projection = Tract(patch.tract).projection
    for field in FIELDS:
        x, y = (round(float(value)) for value in projection.sky_to_pixel(field.ra, field.dec))
        if patch.inner_box.contains(x=x, y=y):
            outer = patch.outer_box
            half = _FIELD_CELLS // 2
            start = [
                low
                + CELL_PIXELS
                * min(max((value - low + CELL_PIXELS // 2) // CELL_PIXELS - half, 0), 22 - 2 * half)
                for value, low in ((y, outer.y.start), (x, outer.x.start))
            ]
            return Box.from_shape((CELL_PIXELS * _FIELD_CELLS,) * 2, start=start)
    return None


def coadd(patch: Patch, band: str) -> Coadded:
    """Simulate and measure the coadd of one patch in one band.

    Parameters
    ----------
    patch : `Patch`
        One of the patches of the survey.
    band : `str`
        One of ``ugrizy``; `coadd_box` must give a box.

    Returns
    -------
    coadded : `Coadded`
        The coadd, in nJy, and measurements of all sources on it: with a fitted centroid in r, forced
        at the true positions in the other bands.
    """
    box = coadd_box(patch, band)
    assert box is not None, "Only patches that have a coadd in this band are asked for."
    tract = Tract(patch.tract)
    sigma = coadd_sigma(band)
    sky = simulated_sky()
    scene = Scene(sky[sky.is_static], tract.projection, box, sigma)
    flux = scene.sky.static_flux(band)
    truth = scene.paint(flux)
    random = np.random.default_rng([patch.tract, patch.id, ord(band)])
    variance = (noise(band, sigma) ** 2 + NANOJANSKY_PER_ELECTRON * truth) / COADD_VISITS
    pixels = truth + random.standard_normal(truth.shape, dtype=np.float32) * np.sqrt(variance)
    objects = measure(scene, pixels, variance, flux, forced=band != "r")

    definition = patch.definition()
    bounds = CellGridBounds(grid=definition.cells, bbox=box)
    size = bounds.subgrid_size
    steps = np.arange(-10, 11)
    profile = np.exp(-0.5 * (steps / sigma) ** 2)
    kernel = np.multiply.outer(profile, profile)
    kernel /= kernel.sum()
    kernels = np.broadcast_to(kernel.astype(np.float32), (size.i, size.j, 21, 21)).copy()
    level = math.sqrt(noise(band, sigma) ** 2 / COADD_VISITS)
    frame = TractFrame(skymap=SKYMAP, tract=patch.tract, bbox=tract.box)
    image = CellCoadd(
        Image(pixels.astype(np.float32, copy=False), bbox=box, unit=u.nJy),
        variance=Image(variance.astype(np.float32, copy=False), bbox=box, unit=u.nJy**2),
        mask=mask_of(
            box,
            MaskSchema(get_legacy_deep_coadd_mask_planes().values()),
            truth > level,
            truth > SATURATION,
        ),
        sky_projection=SkyProjection.from_fits_wcs(
            WCS(tract.projection.header()), frame, pixel_bounds=tract.box
        ),
        band=band,
        psf=CellPointSpreadFunction(kernels, bounds),
        patch=definition,
        provenance=_provenance(patch, band, bounds),
        backgrounds=BackgroundMap(
            [
                Background(
                    "object", flat_background(box, 0.02 * level, 0.005 * level, u.nJy), "For photometry."
                ),
                Background(
                    "pretty", flat_background(box, 0.05 * level, 0.01 * level, u.nJy), "For pictures."
                ),
            ]
        ),
    )
    return Coadded(image, objects)


def _provenance(patch: Patch, band: str, bounds: CellGridBounds) -> CoaddProvenance:
    """The detectors whose true outline overlaps a patch, and the cells to which they contribute."""
    projection = Tract(patch.tract).projection
    cells = list(bounds.cell_indices())
    boxes = [bounds.grid.bbox_of(cell) for cell in cells]
    squares = shapely.box(
        [box.x.start - 0.5 for box in boxes],
        [box.y.start - 0.5 for box in boxes],
        [box.x.stop - 0.5 for box in boxes],
        [box.y.stop - 0.5 for box in boxes],
    )
    outer = bounds.bbox
    target = shapely.box(outer.x.start - 0.5, outer.y.start - 0.5, outer.x.stop - 0.5, outer.y.stop - 0.5)
    inputs, contributions = [], []
    for visit in visits():
        if visit.band != band:
            continue
        for detector in camera():
            if detector.purpose != "SCIENCE":
                continue
            box = detector.box
            corners = visit.pointing.projection(detector).pixel_to_sky(
                [box.x.start, box.x.stop, box.x.stop, box.x.start],
                [box.y.start, box.y.start, box.y.stop, box.y.stop],
            )
            outline = shapely.Polygon(np.column_stack(projection.sky_to_pixel(*corners)))
            overlap = outline.intersection(target)
            if overlap.area == 0:
                continue
            identity = (INSTRUMENT, visit.id, detector.id)
            vertices = np.array(overlap.exterior.coords)[:-1]
            polygon = Polygon(x_vertices=vertices[:, 0], y_vertices=vertices[:, 1])
            inputs.append((*identity, PHYSICAL_FILTERS[band], visit.day_obs, polygon))
            fraction = shapely.area(shapely.intersection(squares, outline)) / CELL_PIXELS**2
            central = shapely.contains(outline, shapely.centroid(squares))
            for number in np.flatnonzero(fraction > 0):
                cell = cells[number]
                contributions.append(
                    (
                        *(cell.i, cell.j, *identity, bool(central[number])),
                        *(float(fraction[number]), float(fraction[number]), 1 / visit.noise**2),
                        *(visit.sigma**2, visit.sigma**2, 0.0, False),
                    )
                )
    input_table = CoaddProvenance.make_empty_input_table(len(inputs))
    for name, values in zip(input_table.colnames, zip(*inputs, strict=True), strict=True):
        for row, value in enumerate(values):
            input_table[name][row] = value
    contribution_table = CoaddProvenance.make_empty_contribution_table(len(contributions))
    for name, values in zip(contribution_table.colnames, zip(*contributions, strict=True), strict=True):
        contribution_table[name][:] = values
    return CoaddProvenance(input_table, contribution_table)
