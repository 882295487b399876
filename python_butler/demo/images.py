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
    SkyProjection,
    VisitImage,
    get_legacy_difference_image_mask_planes,
    get_legacy_visit_image_mask_planes,
)

# The only way to describe a camera without the science pipelines: its frames are AST objects.
from lsst.images._transforms import _ast as ast
from lsst.images.cameras import CameraFrameSet, Detector, DetectorAttributes, DetectorType, Orientation
from lsst.images.fields import ChebyshevField
from lsst.images.psfs import GaussianPointSpreadFunction

from .camera import INSTRUMENT, PHYSICAL_FILTERS, PIXEL_SIZE, DetectorGeometry, camera
from .geometry import PIXEL_SCALE
from .measure import Measurements, measure
from .scene import Scene
from .solarsystem import observed_sky
from .survey import (
    COADD_VISITS,
    NANOJANSKY_PER_ELECTRON,
    Exposed,
    Visit,
)

__all__ = ["SATURATION", "Observed", "flat_background", "mask_of", "observe"]

SATURATION = 1.2e5
"""Flux in one pixel of a visit, in nJy, above which it counts as saturated."""


@dataclass(frozen=True)
class Observed:
    """One detector during one visit: its images and what was measured on them.

    Parameters
    ----------
    visit_image, difference_image : `lsst.images.VisitImage`
        Pixels of the window.
    sources : `Measurements`
        On the visit image, with fitted centroids.
    forced, differences : `Measurements`
        On the visit image and on the difference image, at the true positions.
    changes : `Measurements`
        On the difference image, of what truly changes, with fitted centroids.
    """

    visit_image: VisitImage
    difference_image: DifferenceImage
    sources: Measurements
    forced: Measurements
    differences: Measurements
    changes: Measurements


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


def mask_of(
    box: Box, planes: MaskSchema, detected: npt.NDArray[np.bool_], saturated: npt.NDArray[np.bool_]
) -> Mask:
    """A mask with two of its planes set, each by an array of the shape of the box."""
    mask = Mask(0, bbox=box, schema=planes)
    mask.set("DETECTED", detected)
    mask.set("SATURATED", saturated)
    return mask


def flat_background(box: Box, level: float, tilt: float, unit: u.UnitBase) -> ChebyshevField:
    """A background that is almost flat: its mean level, and by how much it changes from middle to edge."""
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
        Images whose pixels cover the window, in nJy, and measurements.
    """
    box, detector = exposed.box, exposed.detector
    sky = observed_sky(visit)
    scene = Scene(sky, exposed.projection, box, visit.sigma)
    now, static = scene.sky.flux_at(visit.band, visit.middle), scene.sky.static_flux(visit.band)
    truth, expected = scene.paint(now), scene.paint(static)
    random = visit.random(4, detector.id)
    variance = visit.noise**2 + NANOJANSKY_PER_ELECTRON * truth
    template_variance = (visit.noise**2 + NANOJANSKY_PER_ELECTRON * expected) / COADD_VISITS
    pixels = truth + random.normal(size=truth.shape) * np.sqrt(variance)
    template = expected + random.normal(size=truth.shape) * np.sqrt(template_variance)
    difference, difference_variance = pixels - template, variance + template_variance

    sources = measure(scene, pixels, variance, now)
    forced = measure(scene, pixels, variance, now, forced=True)
    differences = measure(scene, difference, difference_variance, now - static, forced=True)
    changing = Scene(sky[sky.changes], exposed.projection, box, visit.sigma)
    change = changing.sky.flux_at(visit.band, visit.middle) - changing.sky.static_flux(visit.band)
    changes = measure(changing, difference, difference_variance, change)

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
    background = flat_background(box, sky_level, 0.01 * sky_level, u.nJy)
    common = {
        "sky_projection": sky_projection,
        "psf": psf,
        "obs_info": _observation(visit, detector),
        "summary_stats": stats,
        "detector": _detector(detector, visit.id),
        "band": visit.band,
    }
    saturated = truth > SATURATION
    # What both have in common is of many types, so a type checker cannot match it with the parameters.
    planes = MaskSchema(get_legacy_visit_image_mask_planes().values())
    visit_image = VisitImage(
        Image(pixels.astype(np.float32, copy=False), bbox=box, unit=u.nJy),
        variance=Image(variance.astype(np.float32, copy=False), bbox=box, unit=u.nJy**2),
        mask=mask_of(box, planes, truth > visit.noise, saturated),
        backgrounds=BackgroundMap(
            [Background("standard", background, "Sky level that was subtracted from the visit.")],
            subtracted="standard",
        ),
        **common,  # type: ignore[arg-type]
    )
    planes = MaskSchema(get_legacy_difference_image_mask_planes().values())
    mask = mask_of(box, planes, truth - expected > visit.noise, saturated)
    mask.set("DETECTED_NEGATIVE", expected - truth > visit.noise)
    difference_image = DifferenceImage(
        Image(difference.astype(np.float32), bbox=box, unit=u.nJy),
        variance=Image(difference_variance.astype(np.float32, copy=False), bbox=box, unit=u.nJy**2),
        mask=mask,
        **common,  # type: ignore[arg-type]
    )
    return Observed(visit_image, difference_image, sources, forced, differences, changes)
