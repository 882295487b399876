"""The demonstration's catalogues of what changes: forced photometry, difference sources, the Solar System.

Room: demo. Fluxes are nJy, positions ICRS degrees, times MJD (TAI). It knows no Butler and writes no files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from astropy.table import Table

from .catalogues import DETECTION_LIMIT, Integers, Objects, source_id
from .geometry import BANDS, PATCHES_PER_SIDE, PIXEL_SCALE, Floats, Tract
from .measure import APERTURES, Measurements
from .sky import simulated_sky
from .solarsystem import ASTEROIDS
from .survey import TRACT, Exposed, Visit
from .tables import make_table

__all__ = [
    "Seen",
    "dia_object_forced_source_table",
    "dia_object_table",
    "dia_source_table",
    "object_forced_source_table",
    "ss_object_table",
    "ss_source_table",
]

type Columns = dict[str, npt.NDArray[np.generic]]


@dataclass(frozen=True)
class Seen:
    """Measurements of one detector during one visit."""

    visit: Visit
    exposed: Exposed
    sources: Measurements
    forced: Measurements
    differences: Measurements
    changes: Measurements


def _stack(parts: Sequence[Columns]) -> tuple[int, Columns]:
    """Concatenate parts that have the same columns; parts without rows may be left out."""
    if not parts:
        return 0, {}
    values = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return len(next(iter(values.values()))), values


def _dia_object_ids(index: Integers) -> Integers:
    """``diaObjectId`` of sources of the sky: in another range than ``objectId``."""
    return (np.int64(TRACT) << 44) + 1 + index


def _patch_of(index: Integers) -> Integers:
    """The patch to whose inner part each source of the sky belongs."""
    sky = simulated_sky()
    x, y = Tract(TRACT).projection.sky_to_pixel(sky.ra[index], sky.dec[index])
    # Pixel k reaches from k - 0.5 to k + 0.5.
    column, row = ((np.floor((value + 0.5) / 3000)).astype(np.int64) for value in (x, y))
    return np.asarray(row * PATCHES_PER_SIDE + column)


def object_forced_source_table(objects: Objects, patch: int, everything: Sequence[Seen]) -> Table:
    """The table ``object_forced_source`` of one patch.

    Parameters
    ----------
    objects : `Objects`
        What was detected on the coadds.
    patch : `int`
        Number of the patch.
    everything : `~collections.abc.Sequence` [`Seen`]
        All measurements.

    Returns
    -------
    table : `astropy.table.Table`
        One row for each object on each visit image that covers it.
    """
    ids = np.zeros(len(simulated_sky()), dtype=np.int64)
    mine = objects.patch == patch
    ids[objects.index[mine]] = objects.id[mine]
    rows, values = _forced(ids, everything)
    return make_table(
        "ForcedSource",
        rows,
        _renamed(values, "objectId") | _constants(rows, {"tract": TRACT, "patch": patch}),
    )


def dia_object_forced_source_table(patch: int, everything: Sequence[Seen]) -> Table:
    """The table ``dia_object_forced_source`` of one patch, as `object_forced_source_table`."""
    changing = _detected_changes(everything)
    mine = changing[_patch_of(changing) == patch]
    ids = np.zeros(len(simulated_sky()), dtype=np.int64)
    ids[mine] = _dia_object_ids(mine)
    rows, values = _forced(ids, everything)
    return make_table(
        "ForcedSourceOnDiaObject",
        rows,
        _renamed(values, "diaObjectId") | _constants(rows, {"tract": TRACT, "patch": patch}),
    )


def _renamed(values: Columns, name: str) -> Columns:
    return {name if column == "id" else column: found for column, found in values.items()}


def _constants(rows: int, values: Mapping[str, int]) -> Columns:
    return {name: np.full(rows, value) for name, value in values.items()}


def _forced(ids: Integers, everything: Sequence[Seen]) -> tuple[int, Columns]:
    parts = []
    for seen in everything:
        fixed = seen.forced.index < len(ids)
        index = seen.forced.index[fixed]
        chosen = ids[index] > 0
        if not chosen.any():
            continue
        rows = int(chosen.sum())

        def pick(
            values: Floats, fixed: npt.NDArray[np.bool_] = fixed, chosen: npt.NDArray[np.bool_] = chosen
        ) -> Floats:
            return values[fixed][chosen]

        parts.append(
            {
                "id": ids[index][chosen],
                "visit": np.full(rows, seen.visit.id),
                "detector": np.full(rows, seen.exposed.detector.id),
                "band": np.full(rows, seen.visit.band),
                "psfFlux": pick(seen.forced.psf),
                "psfFluxErr": pick(seen.forced.psf_error),
                "psfDiffFlux": pick(seen.differences.psf),
                "psfDiffFluxErr": pick(seen.differences.psf_error),
            }
        )
    return _stack(parts)


def _is_detection(measured: Measurements) -> npt.NDArray[np.bool_]:
    return np.abs(measured.psf) > DETECTION_LIMIT * measured.psf_error


def _detected_changes(everything: Sequence[Seen]) -> Integers:
    """Sources of the fixed sky that were detected on a difference image."""
    found = [seen.changes.index[_is_detection(seen.changes)] for seen in everything]
    index = np.unique(np.concatenate(found))
    return index[index < len(simulated_sky())]


def dia_source_table(everything: Sequence[Seen]) -> Table:
    """The table ``dia_source`` of the tract.

    Parameters
    ----------
    everything : `~collections.abc.Sequence` [`Seen`]
        All measurements.

    Returns
    -------
    table : `astropy.table.Table`
        One row for each variable star, supernova or asteroid on each difference image on which it stands
        out of the noise, up or down.
    """
    fixed = len(simulated_sky())
    parts = []
    for seen in everything:
        measured = seen.changes
        chosen = _is_detection(measured)
        rows = int(chosen.sum())
        if not rows:
            continue
        index, x, y = measured.index[chosen], measured.x[chosen], measured.y[chosen]
        moving = index >= fixed
        ra, dec = seen.exposed.projection.pixel_to_sky(x, y)
        science = np.isin(seen.forced.index, index)
        flux, error = measured.psf[chosen], measured.psf_error[chosen]
        aperture = APERTURES.index(12)
        position_error = measured.error[chosen]
        asteroid_ids = np.array([asteroid.id for asteroid in ASTEROIDS])
        parts.append(
            {
                "diaSourceId": source_id(seen.visit, seen.exposed.detector.id, np.arange(rows)),
                "visit": np.full(rows, seen.visit.id),
                "detector": np.full(rows, seen.exposed.detector.id),
                "band": np.full(rows, seen.visit.band),
                "diaObjectId": np.where(moving, 0, _dia_object_ids(index)),
                "ssObjectId": np.where(moving, asteroid_ids[np.where(moving, index - fixed, 0)], 0),
                "midpointMjdTai": np.full(rows, seen.visit.middle),
                "timeProcessedMjdTai": np.full(rows, seen.visit.middle + 150),
                "ra": ra,
                "dec": dec,
                "raErr": position_error * PIXEL_SCALE / 3600,
                "decErr": position_error * PIXEL_SCALE / 3600,
                "x": x,
                "y": y,
                "xErr": position_error,
                "yErr": position_error,
                "apFlux": measured.apertures[chosen, aperture],
                "apFluxErr": measured.aperture_errors[chosen, aperture],
                "psfFlux": flux,
                "psfFluxErr": error,
                "psfChi2": measured.chi2[chosen],
                "snr": np.abs(flux) / error,
                "isNegative": flux < 0,
                "scienceFlux": seen.forced.psf[science],
                "scienceFluxErr": seen.forced.psf_error[science],
                "templateFlux": seen.forced.psf[science] - flux,
                "templateFluxErr": error / np.sqrt(25.0),
                "reliability": 1 - 0.5 * np.exp(-0.1 * np.abs(flux) / error),
                "extendedness": np.zeros(rows),
                "ixxPSF": np.full(rows, (seen.visit.sigma * PIXEL_SCALE) ** 2),
                "iyyPSF": np.full(rows, (seen.visit.sigma * PIXEL_SCALE) ** 2),
                "ixyPSF": np.zeros(rows),
            }
        )
    rows, values = _stack(parts)
    return make_table("DiaSource", rows, values)


def dia_object_table(dia_sources: Table) -> Table:
    """The table ``dia_object`` of the tract.

    Parameters
    ----------
    dia_sources : `astropy.table.Table`
        The table ``dia_source``.

    Returns
    -------
    table : `astropy.table.Table`
        One row for each object that has difference sources; asteroids have none.
    """
    fixed = dia_sources[dia_sources["diaObjectId"] > 0]
    ids = np.unique(np.asarray(fixed["diaObjectId"]))
    index = ids - _dia_object_ids(np.zeros(1, dtype=np.int64))[0]
    sky = simulated_sky()
    columns: dict[str, npt.NDArray[np.generic]] = {
        "diaObjectId": ids,
        "ra": sky.ra[index],
        "dec": sky.dec[index],
        "nDiaSources": np.array([int((fixed["diaObjectId"] == id).sum()) for id in ids]),
    }
    for band in BANDS:
        rows = []
        for id in ids:
            mine = fixed[(fixed["diaObjectId"] == id) & (fixed["band"] == band)]
            rows.append(_light_curve(mine))
        for name in rows[0]:
            columns[f"{band}_{name}"] = np.array([row[name] for row in rows])
    return make_table("DiaObject", len(ids), columns)


def _light_curve(mine: Table) -> dict[str, float]:
    """Statistics of one object's difference sources in one band."""
    count = len(mine)
    names = (
        "psfFluxMean",
        "psfFluxMeanErr",
        "psfFluxSigma",
        "psfFluxMin",
        "psfFluxMax",
        "psfFluxMaxSlope",
        "psfFluxErrMean",
        "scienceFluxMean",
        "scienceFluxMeanErr",
    )
    statistics = dict.fromkeys(names, np.nan) | {"psfFluxNdata": count}
    if count == 0:
        return statistics
    for name in ("psf", "science"):
        flux, error = (np.asarray(mine[f"{name}Flux{kind}"], dtype=np.float64) for kind in ("", "Err"))
        weight = 1 / error**2
        statistics[f"{name}FluxMean"] = float((flux * weight).sum() / weight.sum())
        statistics[f"{name}FluxMeanErr"] = float(1 / np.sqrt(weight.sum()))
    flux = np.asarray(mine["psfFlux"], dtype=np.float64)
    statistics |= {"psfFluxMin": float(flux.min()), "psfFluxMax": float(flux.max())}
    statistics["psfFluxErrMean"] = float(np.mean(mine["psfFluxErr"]))
    if count > 1:
        statistics["psfFluxSigma"] = float(flux.std(ddof=1))
        order = np.argsort(mine["midpointMjdTai"])
        slopes = np.diff(flux[order]) / np.diff(np.asarray(mine["midpointMjdTai"])[order])
        statistics["psfFluxMaxSlope"] = float(slopes.max())
    return statistics


def ss_source_table(dia_sources: Table) -> Table:
    """The table ``ss_source``: one row for each difference source that is an asteroid."""
    mine = dia_sources[dia_sources["ssObjectId"] > 0]
    asteroids = {asteroid.id: asteroid for asteroid in ASTEROIDS}
    found = [asteroids[int(id)] for id in mine["ssObjectId"]]
    rows = len(mine)
    predicted = np.array(
        [asteroid.position(time) for asteroid, time in zip(found, mine["midpointMjdTai"], strict=True)]
    ).reshape(rows, 2)
    rate = np.array([asteroid.rate for asteroid in found]).reshape(rows, 2)
    offset_ra = (np.asarray(mine["ra"]) - predicted[:, 0]) * np.cos(np.radians(predicted[:, 1])) * 3600
    offset_dec = (np.asarray(mine["dec"]) - predicted[:, 1]) * 3600
    values = {
        "diaSourceId": mine["diaSourceId"],
        "ssObjectId": mine["ssObjectId"],
        "designation": np.array([asteroid.designation for asteroid in found], dtype=np.str_),
        "ephRa": predicted[:, 0],
        "ephDec": predicted[:, 1],
        "ephRateRa": rate[:, 0],
        "ephRateDec": rate[:, 1],
        "ephRate": np.hypot(rate[:, 0], rate[:, 1]),
        "ephVmag": np.array([asteroid.magnitude for asteroid in found]) + 0.2,
        "ephOffset": np.hypot(offset_ra, offset_dec),
        "ephOffsetRa": offset_ra,
        "ephOffsetDec": offset_dec,
        "diaDistanceRank": np.ones(rows),
    }
    return make_table("SSSource", rows, {name: np.asarray(value) for name, value in values.items()})


def ss_object_table(dia_sources: Table) -> Table:
    """The table ``ss_object``: one row for each asteroid that was seen."""
    seen = [asteroid for asteroid in ASTEROIDS if (dia_sources["ssObjectId"] == asteroid.id).any()]
    mine = [dia_sources[dia_sources["ssObjectId"] == asteroid.id] for asteroid in seen]
    values: dict[str, npt.ArrayLike] = {
        "ssObjectId": [asteroid.id for asteroid in seen],
        "designation": [asteroid.designation for asteroid in seen],
        "nObs": [len(table) for table in mine],
        "arc": [float(np.ptp(table["midpointMjdTai"])) for table in mine],
        "firstObservationMjdTai": [float(np.min(table["midpointMjdTai"])) for table in mine],
    }
    for band in BANDS:
        values[f"{band}_nObs"] = [int((table["band"] == band).sum()) for table in mine]
    for name in ("Max", "Median", "Min"):
        values[f"extendedness{name}"] = np.zeros(len(seen))
    return make_table("SSObject", len(seen), values)
