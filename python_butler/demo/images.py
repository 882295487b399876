"""Pixels of the simulated sky, wrapped as the image types that Data Preview 2 has.

Room: demo. Makes `lsst.images` objects and measures them; it knows no Butler and writes no files.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import astropy.units as u
import numpy as np
import numpy.typing as npt
import shapely
from astro_metadata_translator import ObservationInfo
from astropy.coordinates import AltAz, Angle, EarthLocation, SkyCoord
from astropy.time import Time
from astropy.wcs import WCS
from lsst.images import (
    Background,
    BackgroundMap,
    Box,
    DetectorFrame,
    DifferenceImage,
    Image,
    Mask,
    MaskSchema,
    ObservationSummaryStats,
    Polygon,
    SkyProjection,
    TractFrame,
    VisitImage,
    get_legacy_deep_coadd_mask_planes,
    get_legacy_difference_image_mask_planes,
    get_legacy_visit_image_mask_planes,
)
from lsst.images._transforms import _ast as ast
from lsst.images.cameras import CameraFrameSet, Detector, DetectorAttributes, DetectorType, Orientation
from lsst.images.cells import CellCoadd, CellGridBounds, CellPointSpreadFunction, CoaddProvenance
from lsst.images.fields import ChebyshevField
from lsst.images.psfs import GaussianPointSpreadFunction

from .geometry import (
    CELL_PIXELS,
    INSTRUMENT,
    PHYSICAL_FILTERS,
    PIXEL_SCALE,
    PIXEL_SIZE,
    SKYMAP,
    DetectorGeometry,
    Floats,
    Patch,
    Tract,
    camera,
)
from .measure import Measurements, Scene
from .sky import simulated_sky
from .survey import COADD_VISITS, FIELDS, Exposed, Visit, coadd_sigma, noise, visits

__all__ = ["Coadded", "Observed", "coadd", "coadd_box", "observe"]

NANOJANSKY_PER_ELECTRON = 0.55
"""Shot noise: how much flux one electron stands for in a 30 s visit."""

SATURATION = 1.2e5
"""Flux in one pixel of a visit, in nJy, above which it counts as saturated."""

_FIELD_CELLS = 8
"""Side in cells of the coadds of the bands other than r, outside the patch that has all bands."""

_FULL_PATCH = 15
"""The patch whose coadds are complete in every band."""

_FULL_IN_R = frozenset({14, 15, 16, 24, 25, 26, 34, 35, 36})
"""The patches whose coadds are complete in r."""


@dataclass(frozen=True)
class Observed:
    """One detector during one visit: its images and what was measured on them."""

    visit_image: VisitImage
    difference_image: DifferenceImage
    sources: Measurements
    forced: Measurements
    differences: Measurements
    sky_variance: float


@dataclass(frozen=True)
class Coadded:
    """One patch in one band: its coadd and what was measured on it."""

    image: CellCoadd
    objects: Measurements


@cache
def _frames(number: int) -> CameraFrameSet:
    """Coordinate systems of one detector, without distortion."""
    detector = camera()[number]
    frames = ast.FrameSet(ast.Frame(2, "Ident=FOCAL_PLANE, Unit(1)=mm, Unit(2)=mm"))
    radians_per_mm = math.radians(PIXEL_SCALE / 3600) / PIXEL_SIZE
    frames.addFrame(
        1, ast.ZoomMap(2, radians_per_mm), ast.Frame(2, "Ident=FIELD_ANGLE, Unit(1)=rad, Unit(2)=rad")
    )
    to_pixels = ast.CmpMap(
        ast.ShiftMap([-detector.x, -detector.y]), ast.ZoomMap(2, 1 / PIXEL_SIZE), True
    ).then(ast.ShiftMap([(size - 1) / 2 for size in reversed(detector.box.shape)]))
    box = detector.box
    frames.addFrame(
        1,
        to_pixels,
        ast.Frame(
            2,
            f"Ident=DETECTOR_{number:03d}, Unit(1)=pix, Unit(2)=pix, "
            f"Bottom(1)={box.x.start}, Top(1)={box.x.stop}, Bottom(2)={box.y.start}, Top(2)={box.y.stop}",
        ),
    )
    return CameraFrameSet(INSTRUMENT, frames)


def _detector(detector: DetectorGeometry, visit: int) -> Detector:
    height, width = detector.box.shape
    attributes = DetectorAttributes(
        name=detector.name,
        id=detector.id,
        type=DetectorType.SCIENCE,
        serial=f"{detector.vendor}-SIM-{detector.id:03d}",
        bbox=detector.box,
        orientation=Orientation(
            focal_plane_x=detector.x,
            focal_plane_y=detector.y,
            focal_plane_z=0.0,
            pixel_reference_x=(width - 1) / 2,
            pixel_reference_y=(height - 1) / 2,
        ),
        pixel_size=PIXEL_SIZE,
        physical_type=detector.vendor,
    )
    return Detector(attributes, [], _frames(detector.id), visit=visit)


def _observation(visit: Visit, detector: DetectorGeometry) -> ObservationInfo:
    site = EarthLocation.from_geodetic(-70.749417, -30.244639, 2663)
    begin, end = Time(visit.begin, format="mjd", scale="tai"), Time(visit.end, format="mjd", scale="tai")
    altitude, azimuth = visit.altitude_azimuth
    pointing = visit.pointing
    return ObservationInfo(
        telescope="Simonyi Survey Telescope",
        instrument=INSTRUMENT,
        location=site,
        exposure_id=visit.id,
        visit_id=visit.id,
        physical_filter=PHYSICAL_FILTERS[visit.band],
        datetime_begin=begin,
        datetime_end=end,
        exposure_time=visit.exposure_time * u.s,
        exposure_time_requested=visit.exposure_time * u.s,
        dark_time=(visit.exposure_time + 0.4) * u.s,
        boresight_airmass=visit.airmass,
        boresight_rotation_angle=Angle(pointing.rotation * u.deg),
        boresight_rotation_coord="sky",
        detector_num=detector.id,
        detector_name=detector.sensor,
        detector_unique_name=detector.name,
        detector_group=detector.raft,
        detector_exposure_id=visit.id * 1000 + detector.id,
        object="ECDFS",
        tracking_radec=SkyCoord(pointing.ra * u.deg, pointing.dec * u.deg, frame="icrs"),
        altaz_begin=AltAz(alt=altitude * u.deg, az=azimuth * u.deg, obstime=begin, location=site),
        science_program="BLOCK-407",
        observation_type="science",
        observation_id=visit.name,
        observation_reason="field_survey_science",
        exposure_group=visit.name,
        observing_day=visit.day_obs,
        observation_counter=visit.sequence,
        has_simulated_content=True,
        can_see_sky=True,
    )


def _mask(box: Box, planes: MaskSchema, detected: npt.NDArray[np.bool_], saturated: npt.NDArray[np.bool_]) -> Mask:
    mask = Mask(0, bbox=box, schema=planes)
    mask.set("DETECTED", detected)
    mask.set("SATURATED", saturated)
    return mask


def _flat_background(box: Box, level: float, tilt: float, unit: u.UnitBase) -> ChebyshevField:
    return ChebyshevField(box, np.array([[level, tilt], [-0.5 * tilt, 0.0]]), unit=unit)


def observe(visit: Visit, exposed: Exposed) -> Observed:
    """Simulate and measure one detector during one visit.

    Parameters
    ----------
    visit : `Visit`
        The visit.
    exposed : `Exposed`
        One of the visit's windows.

    Returns
    -------
    observed : `Observed`
        Images whose pixels cover the window, in nJy, and measurements at the positions of all sources:
        with a fitted centroid, forced on the visit image, and forced on the difference image.
    """
    box, detector = exposed.box, exposed.detector
    scene = Scene(simulated_sky(), exposed.projection, box, visit.sigma)
    now, static = scene.sky.flux_at(visit.band, visit.middle), scene.sky.static_flux(visit.band)
    truth, expected = scene.paint(now), scene.paint(static)
    random = visit.random(4, detector.id)
    variance = visit.noise**2 + NANOJANSKY_PER_ELECTRON * truth
    template_variance = (visit.noise**2 + NANOJANSKY_PER_ELECTRON * expected) / COADD_VISITS
    pixels = truth + random.normal(size=truth.shape) * np.sqrt(variance)
    template = expected + random.normal(size=truth.shape) * np.sqrt(template_variance)
    difference, difference_variance = pixels - template, variance + template_variance

    sources = scene.measure(pixels, variance, now)
    forced = scene.measure(pixels, variance, now, forced=True)
    differences = scene.measure(difference, difference_variance, now - static, forced=True)

    frame = DetectorFrame(instrument=INSTRUMENT, visit=visit.id, detector=detector.id, bbox=detector.box)
    sky_projection = SkyProjection.from_fits_wcs(
        WCS(exposed.projection.header()), frame, pixel_bounds=detector.box
    )
    psf = GaussianPointSpreadFunction(visit.sigma, detector.box, stamp_size=41)
    corners = exposed.projection.pixel_to_sky(
        [box.x.min, box.x.max, box.x.max, box.x.min], [box.y.min, box.y.min, box.y.max, box.y.max]
    )
    centre = exposed.projection.pixel_to_sky(box.x.center, box.y.center)
    zero_point = 31.4 - 2.5 * math.log10(NANOJANSKY_PER_ELECTRON)
    stats = ObservationSummaryStats(
        psfSigma=visit.sigma,
        psfArea=4 * math.pi * visit.sigma**2,
        psfIxx=visit.sigma**2,
        psfIyy=visit.sigma**2,
        psfIxy=0.0,
        ra=float(centre[0]),
        dec=float(centre[1]),
        pixelScale=PIXEL_SCALE,
        zenithDistance=90 - visit.altitude_azimuth[0],
        expTime=visit.exposure_time,
        zeroPoint=zero_point,
        skyBg=visit.noise**2 / NANOJANSKY_PER_ELECTRON**2,
        skyNoise=visit.noise / NANOJANSKY_PER_ELECTRON,
        meanVar=float(variance.mean()),
        raCorners=tuple(float(value) for value in corners[0]),
        decCorners=tuple(float(value) for value in corners[1]),
    )
    sky_level = visit.noise**2 / NANOJANSKY_PER_ELECTRON
    background = _flat_background(box, sky_level, 0.01 * sky_level, u.nJy)
    common = {
        "sky_projection": sky_projection,
        "psf": psf,
        "obs_info": _observation(visit, detector),
        "summary_stats": stats,
        "detector": _detector(detector, visit.id),
        "band": visit.band,
    }
    saturated = truth > SATURATION
    planes = MaskSchema(get_legacy_visit_image_mask_planes().values())
    visit_image = VisitImage(
        Image(pixels.astype(np.float32), bbox=box, unit=u.nJy),
        variance=Image(variance.astype(np.float32), bbox=box, unit=u.nJy**2),
        mask=_mask(box, planes, truth > visit.noise, saturated),
        backgrounds=BackgroundMap(
            [Background("standard", background, "Sky level that was subtracted from the visit.")],
            subtracted="standard",
        ),
        **common,  # type: ignore[arg-type]
    )
    planes = MaskSchema(get_legacy_difference_image_mask_planes().values())
    mask = _mask(box, planes, truth - expected > visit.noise, saturated)
    mask.set("DETECTED_NEGATIVE", expected - truth > visit.noise)
    difference_image = DifferenceImage(
        Image(difference.astype(np.float32), bbox=box, unit=u.nJy),
        variance=Image(difference_variance.astype(np.float32), bbox=box, unit=u.nJy**2),
        mask=mask,
        **common,  # type: ignore[arg-type]
    )
    return Observed(visit_image, difference_image, sources, forced, differences, visit.noise**2)


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
        The whole patch in r for nine patches, and in every band for one of them; else the cells around
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
                low + CELL_PIXELS * min(max((value - low + CELL_PIXELS // 2) // CELL_PIXELS - half, 0), 22 - 2 * half)
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
    pixels = truth + random.normal(size=truth.shape) * np.sqrt(variance)
    objects = scene.measure(pixels, variance, flux, forced=band != "r")

    definition = patch.definition()
    bounds = CellGridBounds(grid=definition.cells, bbox=box)
    size = bounds.subgrid_size
    steps = np.arange(-12, 13)
    profile = np.exp(-0.5 * (steps / sigma) ** 2)
    kernel = np.multiply.outer(profile, profile)
    kernel /= kernel.sum()
    kernels = np.broadcast_to(kernel.astype(np.float32), (size.i, size.j, 25, 25)).copy()
    level = math.sqrt(noise(band, sigma) ** 2 / COADD_VISITS)
    frame = TractFrame(skymap=SKYMAP, tract=patch.tract, bbox=tract.box)
    image = CellCoadd(
        Image(pixels.astype(np.float32), bbox=box, unit=u.nJy),
        variance=Image(variance.astype(np.float32), bbox=box, unit=u.nJy**2),
        mask=_mask(
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
        provenance=_provenance(patch, band, bounds, sigma),
        backgrounds=BackgroundMap(
            [
                Background("object", _flat_background(box, 0.02 * level, 0.005 * level, u.nJy), "For photometry."),
                Background("pretty", _flat_background(box, 0.05 * level, 0.01 * level, u.nJy), "For pictures."),
            ]
        ),
    )
    return Coadded(image, objects)


def _provenance(patch: Patch, band: str, bounds: CellGridBounds, sigma: float) -> CoaddProvenance:
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
                [box.x.start, box.x.stop, box.x.stop, box.x.start], [box.y.start, box.y.start, box.y.stop, box.y.stop]
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
                weight = 1 / visit.noise**2
                contributions.append(
                    (cell.i, cell.j, *identity, bool(central[number]), float(fraction[number]))
                    + (float(fraction[number]), weight, visit.sigma**2, visit.sigma**2, 0.0, False)
                )
    input_table = CoaddProvenance.make_empty_input_table(len(inputs))
    for name, values in zip(input_table.colnames, zip(*inputs, strict=True), strict=True):
        for row, value in enumerate(values):
            input_table[name][row] = value
    contribution_table = CoaddProvenance.make_empty_contribution_table(len(contributions))
    for name, values in zip(contribution_table.colnames, zip(*contributions, strict=True), strict=True):
        contribution_table[name][:] = values
    return CoaddProvenance(input_table, contribution_table)

