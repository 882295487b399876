"""The demonstration's catalogues, from the measurements to Data Preview 2's tables.

Room: demo. Fluxes are nJy, positions ICRS degrees, times MJD (TAI). It knows no Butler and writes no files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from astropy.table import Table

from .camera import PHYSICAL_FILTERS
from .geometry import BANDS, PIXEL_SCALE, Patch, Tract
from .measure import APERTURES, Measurements
from .sky import Kind, magnitude_of, simulated_sky
from .survey import NANOJANSKY_PER_ELECTRON, TRACT, Exposed, Visit, coadd_sigma, visits
from .tables import make_table

__all__ = [
    "DETECTION_LIMIT",
    "Integers",
    "Objects",
    "object_table",
    "select_objects",
    "source_id",
    "source_table",
    "visit_detector_table",
    "visit_table",
]

type Integers = npt.NDArray[np.int64]

DETECTION_LIMIT = 5.0
"""Signal to noise of the PSF flux above which something counts as detected."""


def _aperture_columns(measured: Measurements, prefix: str = "") -> dict[str, npt.ArrayLike]:
    columns: dict[str, npt.ArrayLike] = {}
    for number, radius in enumerate(APERTURES):
        columns[f"{prefix}ap{radius:02d}Flux"] = measured.apertures[:, number]
        columns[f"{prefix}ap{radius:02d}FluxErr"] = measured.aperture_errors[:, number]
    return columns


def _extendedness(measured: Measurements) -> npt.NDArray[np.float64]:
    """1 where the PSF misses light that the model finds, 0 where it does not."""
    noise = np.hypot(measured.psf_error, measured.model_error) / np.maximum(measured.model, 1e-3)
    return np.where(measured.psf / measured.model < 0.985 - np.clip(noise, 0, 0.2), 1.0, 0.0)


@dataclass(frozen=True)
class Objects:
    """Which sources of the sky were detected on the coadds in r.

    Parameters
    ----------
    index : `numpy.ndarray`
        Numbers of the sources of the sky.
    id : `numpy.ndarray`
        Their ``objectId``.
    patch : `numpy.ndarray`
        The patch to whose inner part each belongs.
    """

    index: Integers
    id: Integers
    patch: Integers


def select_objects(coadds: Mapping[tuple[Patch, str], Measurements]) -> Objects:
    """Detect objects on the coadds in r.

    Parameters
    ----------
    coadds : `~collections.abc.Mapping`
        Measurements of each coadd by patch and band.

    Returns
    -------
    objects : `Objects`
        In the order of patches and, within a patch, of the sky's index.
    """
    index, ids, patches = [], [], []
    for (patch, band), measured in sorted(coadds.items(), key=lambda item: item[0][0].id):
        if band != "r":
            continue
        box = patch.inner_box
        chosen = (measured.psf > DETECTION_LIMIT * measured.psf_error) & box.contains(
            x=np.rint(measured.x), y=np.rint(measured.y)
        )
        found = measured.index[chosen]
        index.append(found)
        ids.append((np.int64(patch.tract * 100 + patch.id) << 32) + 1 + np.arange(len(found)))
        patches.append(np.full(len(found), patch.id))
    return Objects(np.concatenate(index), np.concatenate(ids), np.concatenate(patches))


def object_table(objects: Objects, coadds: Mapping[tuple[Patch, str], Measurements]) -> Table:
    """The table ``object`` of the tract.

    Parameters
    ----------
    objects : `Objects`
        What was detected.
    coadds : `~collections.abc.Mapping`
        Measurements of each coadd by patch and band.

    Returns
    -------
    table : `astropy.table.Table`
        One row an object. A band's columns are NaN where there is no coadd in the band.
    """
    rows = len(objects.index)
    sky = simulated_sky()
    row_of = np.full(len(sky), -1)
    row_of[objects.index] = np.arange(rows)
    projection = Tract(TRACT).projection
    values: dict[str, npt.NDArray[np.generic]] = {}

    def put(name: str, where: Integers, what: npt.ArrayLike, empty: float | bool = np.nan) -> None:
        if name not in values:
            values[name] = np.full(rows, empty)
        values[name][where] = what

    for (patch, band), measured in coadds.items():
        chosen = row_of[measured.index]
        mine = (chosen >= 0) & (objects.patch[chosen] == patch.id)
        where = chosen[mine]

        def pick(
            what: npt.NDArray[np.generic], mine: npt.NDArray[np.bool_] = mine
        ) -> npt.NDArray[np.generic]:
            return what[mine]

        ra, dec = projection.pixel_to_sky(measured.x, measured.y)
        error = measured.error * PIXEL_SCALE / 3600
        columns: dict[str, npt.NDArray[np.generic]] = {
            f"{band}_ra": ra,
            f"{band}_dec": dec,
            f"{band}_raErr": error,
            f"{band}_decErr": error,
            f"{band}_psfFlux": measured.psf,
            f"{band}_psfFluxErr": measured.psf_error,
            f"{band}_psfMag": magnitude_of(measured.psf),
            f"{band}_psfMagErr": 1.0857 * measured.psf_error / np.abs(measured.psf),
            f"{band}_free_psfFlux": measured.psf,
            f"{band}_free_psfFluxErr": measured.psf_error,
            f"{band}_cModelMag": magnitude_of(measured.model),
            f"{band}_cModelMagErr": 1.0857 * measured.model_error / np.abs(measured.model),
            f"{band}_cModel_chi2": measured.chi2,
            f"{band}_cModel_fracDev": np.zeros(len(measured.x)),
            f"{band}_extendedness": _extendedness(measured),
            f"{band}_sizeExtendedness": _extendedness(measured),
            f"{band}_ixx": measured.ixx * PIXEL_SCALE**2,
            f"{band}_iyy": measured.iyy * PIXEL_SCALE**2,
            f"{band}_ixy": measured.ixy * PIXEL_SCALE**2,
        }
        for name in ("cModel", "free_cModel", "sersic", "exponential", "cModel_exp", "kron"):
            columns[f"{band}_{name}Flux"] = measured.model
            columns[f"{band}_{name}FluxErr"] = measured.model_error
        spread = coadd_sigma(band) ** 2 * PIXEL_SCALE**2
        columns |= {f"{band}_ixxPSF": np.full(len(ra), spread), f"{band}_iyyPSF": np.full(len(ra), spread)}
        columns |= {f"{band}_ixyPSF": np.zeros(len(ra))}
        columns |= {
            name: np.asarray(column) for name, column in _aperture_columns(measured, f"{band}_").items()
        }
        for name, column in columns.items():
            put(name, where, pick(column))
        inputs = sum(visit.band == band for visit in visits())
        put(f"{band}_inputCount", where, inputs, 0)
        put(f"{band}_epoch", where, np.mean([visit.middle for visit in visits() if visit.band == band]))
        if band == "r":
            put("detect_isIsolated", where, pick(measured.isolated), False)
    for band in BANDS:
        missing = np.isnan(values[f"{band}_psfFlux"].astype(float))
        values[f"{band}_psfFlux_flag"] = values[f"{band}_cModel_flag"] = missing
        values[f"{band}_pixelFlags_nodata"] = values[f"{band}_inputCount_flag_noInputs"] = missing
    for name in ("ra", "dec", "raErr", "decErr"):
        values[f"coord_{name}"] = values[f"r_{name}"]
    galaxy = sky.kind[objects.index] == Kind.GALAXY
    for model in ("exponential", "sersic"):
        values[f"{model}_ra"], values[f"{model}_dec"] = sky.ra[objects.index], sky.dec[objects.index]
        radius = np.where(galaxy, sky.radius[objects.index], 0.0)
        values[f"{model}_reff_major"] = radius
        values[f"{model}_reff_minor"] = radius * sky.axis_ratio[objects.index]
        values[f"{model}_theta"] = sky.angle[objects.index]
    values["sersic_index"] = np.where(galaxy, 1.0, np.nan)
    values["refExtendedness"] = values["r_extendedness"]
    values["refSizeExtendedness"] = values["r_sizeExtendedness"]
    for name in ("xx", "yy", "xy"):
        values[f"shape_{name}"] = values[f"r_i{name}"]
    values |= {
        "objectId": objects.id,
        "tract": np.full(rows, TRACT),
        "patch": objects.patch,
        "refBand": np.full(rows, "r"),
        "ebv": np.full(rows, 0.0081),
    }
    return make_table("Object", rows, values)


def detected(measured: Measurements) -> npt.NDArray[np.bool_]:
    """Which measurements on one visit count as detections."""
    return np.asarray(measured.psf > DETECTION_LIMIT * measured.psf_error)


def source_id(visit: Visit, detector: int, number: Integers) -> Integers:
    """Identifiers of sources of one detector during one visit, unique in the release."""
    return (np.int64(visit.id * 1000 + detector) << 12) + 1 + number


def source_table(visit: Visit, measured: Mapping[int, Measurements]) -> Table:
    """The table ``source`` of one visit.

    Parameters
    ----------
    visit : `Visit`
        The visit.
    measured : `~collections.abc.Mapping`
        Measurements by detector.

    Returns
    -------
    table : `astropy.table.Table`
        One row a detection.
    """
    parts: dict[str, list[npt.NDArray[np.generic]]] = {}
    rows = 0
    for exposed in visit.exposed:
        everything = measured[exposed.detector.id]
        chosen = detected(everything)
        columns = _source_columns(visit, exposed, everything)
        for name, column in columns.items():
            parts.setdefault(name, []).append(np.broadcast_to(column, chosen.shape)[chosen])
        number = np.arange(int(chosen.sum()))
        parts.setdefault("sourceId", []).append(source_id(visit, exposed.detector.id, number))
        rows += len(number)
    values = {name: np.concatenate(column) for name, column in parts.items()}
    return make_table("Source", rows, values, first=["coord_ra", "coord_dec"])


def _source_columns(
    visit: Visit, exposed: Exposed, measured: Measurements
) -> dict[str, npt.NDArray[np.generic]]:
    ra, dec = exposed.projection.pixel_to_sky(measured.x, measured.y)
    error = measured.error * PIXEL_SCALE / 3600
    spread = np.full(len(ra), visit.sigma**2)
    calibration = measured.apertures[:, APERTURES.index(12)], measured.aperture_errors[:, APERTURES.index(12)]
    columns = {
        "coord_ra": ra,
        "coord_dec": dec,
        "x": measured.x,
        "y": measured.y,
        "xErr": measured.error,
        "yErr": measured.error,
        "ra": ra,
        "dec": dec,
        "raErr": error,
        "decErr": error,
        "calibFlux": calibration[0],
        "calibFluxErr": calibration[1],
        "psfFlux": measured.psf,
        "psfFluxErr": measured.psf_error,
        "gaussianFlux": measured.model,
        "gaussianFluxErr": measured.model_error,
        "ixx": measured.ixx,
        "iyy": measured.iyy,
        "ixy": measured.ixy,
        "ixxPSF": spread,
        "iyyPSF": spread,
        "ixyPSF": 0 * spread,
        "sky": 0 * spread,
        "skyErr": np.full(len(ra), visit.noise),
        "extendedness": _extendedness(measured),
        "sizeExtendedness": _extendedness(measured),
        "psfFlux_area": 4 * np.pi * spread,
        "psfFlux_apCorr": np.ones(len(ra)),
        "variance_value": np.full(len(ra), visit.noise**2),
        "visit": np.full(len(ra), visit.id),
        "detector": np.full(len(ra), exposed.detector.id),
        "band": np.full(len(ra), visit.band),
        "physical_filter": np.full(len(ra), PHYSICAL_FILTERS[visit.band]),
    }
    return columns | {name: np.asarray(column) for name, column in _aperture_columns(measured).items()}


def _stamp(mjd: npt.ArrayLike) -> npt.NDArray[np.datetime64]:
    microseconds = np.rint((np.asarray(mjd) - 40_587.0) * 86_400e6).astype(np.int64)
    return microseconds.astype("datetime64[us]")


def visit_table() -> Table:
    """The table ``visit_table``: one row a visit."""
    everything = visits()
    altitude = np.array([visit.altitude_azimuth[0] for visit in everything])
    middle = np.array([visit.middle for visit in everything])
    begin = np.array([visit.begin for visit in everything])
    values: dict[str, npt.ArrayLike] = {
        "visitId": [visit.id for visit in everything],
        "visit": [visit.id for visit in everything],
        "physical_filter": [PHYSICAL_FILTERS[visit.band] for visit in everything],
        "band": [visit.band for visit in everything],
        "ra": [visit.pointing.ra for visit in everything],
        "dec": [visit.pointing.dec for visit in everything],
        "skyRotation": [visit.pointing.rotation for visit in everything],
        "azimuth": [visit.altitude_azimuth[1] for visit in everything],
        "altitude": altitude,
        "zenithDistance": 90 - altitude,
        "airmass": [visit.airmass for visit in everything],
        "expTime": [visit.exposure_time for visit in everything],
        "expMidpt": _stamp(middle),
        "expMidptMJD": middle,
        "obsStart": _stamp(begin),
        "obsStartMJD": begin,
    }
    return make_table("Visit", len(everything), values, first=["visitId"])


def visit_detector_table() -> Table:
    """The table ``visit_detector_table``: one row a detector during a visit."""
    pairs = [(visit, exposed) for visit in visits() for exposed in visit.exposed]
    everything = [visit for visit, _ in pairs]
    middle = np.array([visit.middle for visit in everything])
    begin = np.array([visit.begin for visit in everything])
    sigma = np.array([visit.sigma for visit in everything])
    centres = [
        exposed.projection.pixel_to_sky(exposed.box.x.center, exposed.box.y.center) for _, exposed in pairs
    ]
    noise = np.array([visit.noise for visit in everything]) / NANOJANSKY_PER_ELECTRON
    values: dict[str, npt.ArrayLike] = {
        "visitId": [visit.id for visit in everything],
        "visit": [visit.id for visit in everything],
        "detector": [exposed.detector.id for _, exposed in pairs],
        "physical_filter": [PHYSICAL_FILTERS[visit.band] for visit in everything],
        "band": [visit.band for visit in everything],
        "ra": [float(ra) for ra, _ in centres],
        "dec": [float(dec) for _, dec in centres],
        "pixelScale": PIXEL_SCALE,
        "zenithDistance": [90 - visit.altitude_azimuth[0] for visit in everything],
        "expTime": [visit.exposure_time for visit in everything],
        "darkTime": [visit.exposure_time + 0.4 for visit in everything],
        "zeroPoint": 31.4 - 2.5 * np.log10(NANOJANSKY_PER_ELECTRON),
        "psfSigma": sigma,
        "seeing": sigma * PIXEL_SCALE * 2.3548,
        "skyBg": noise**2,
        "skyNoise": noise,
        "magLim": magnitude_of(5 * np.sqrt(4 * np.pi) * sigma * noise * NANOJANSKY_PER_ELECTRON),
        "skyRotation": [visit.pointing.rotation for visit in everything],
        "expMidpt": _stamp(middle),
        "expMidptMJD": middle,
        "obsStart": _stamp(begin),
        "obsStartMJD": begin,
        "xSize": [exposed.box.shape.x for _, exposed in pairs],
        "ySize": [exposed.box.shape.y for _, exposed in pairs],
    }
    for name, column, row in (("llc", 0, 0), ("ulc", 0, 1), ("urc", 1, 1), ("lrc", 1, 0)):
        corners = []
        for _, exposed in pairs:
            x = (exposed.box.x.min, exposed.box.x.max)[column]
            y = (exposed.box.y.min, exposed.box.y.max)[row]
            corners.append(exposed.projection.pixel_to_sky(x, y))
        values[f"{name}ra"] = [float(ra) for ra, _ in corners]
        values[f"{name}dec"] = [float(dec) for _, dec in corners]
    return make_table("VisitDetector", len(pairs), values, first=["visitId", "visit"])
