"""Dimension records of the demonstration's repository: what was observed, with what, and where.

Room: demo. Each element's records go in with one call, which is how to insert many: for example
``butler.registry.insertDimensionData("visit", *records)`` takes any number of dictionaries, and
``skip_existing=True`` leaves out those that are there. Elements must come in the order of `insert_records`,
since each refers to those before it.
"""

from __future__ import annotations

import hashlib
from typing import Any

from astropy.time import Time, TimeDelta
from lsst.daf.butler import Butler, Timespan

from .camera import INSTRUMENT, PHYSICAL_FILTERS, camera
from .geometry import PATCHES_PER_SIDE, SKYMAP, TRACT_COUNT, Tract, neighbours
from .survey import TRACT, Visit, visits

__all__ = ["insert_records", "timespan_of"]

_EXPOSURE_MAX = 6_050_123_199_999
_VISIT_SYSTEMS = {0: "one-to-one", 1: "by-group-metadata", 2: "by-seq-start-end"}
_OTHER_FILTERS = {"ph_5": "white", "ef_43": "white", "empty": "white"}


def timespan_of(begin: float, end: float) -> Timespan:
    """Timespan between two MJDs (TAI)."""
    return Timespan(Time(begin, format="mjd", scale="tai"), Time(end, format="mjd", scale="tai"))


def _instrument_records() -> dict[str, list[dict[str, Any]]]:
    instrument = {"instrument": INSTRUMENT}
    filters = {physical: band for band, physical in PHYSICAL_FILTERS.items()} | _OTHER_FILTERS
    return {
        "instrument": [
            {
                "name": INSTRUMENT,
                "class_name": "lsst.obs.lsst.LsstCam",
                "detector_max": 1000,
                "exposure_max": _EXPOSURE_MAX,
                "visit_max": _EXPOSURE_MAX,
                "visit_system": 2,
            }
        ],
        "visit_system": [instrument | {"id": id, "name": name} for id, name in _VISIT_SYSTEMS.items()],
        "physical_filter": [instrument | {"name": name, "band": band} for name, band in filters.items()],
        "detector": [
            instrument
            | {
                "id": detector.id,
                "full_name": detector.name,
                "raft": detector.raft,
                "name_in_raft": detector.sensor,
                "purpose": detector.purpose,
            }
            for detector in camera()
        ],
    }


def _skymap_records() -> dict[str, list[dict[str, Any]]]:
    tracts, patches = [], []
    for number in neighbours(TRACT):
        tract = Tract(number)
        projection = tract.projection
        tracts.append({"skymap": SKYMAP, "id": number, "region": projection.region(tract.box)})
        patches += [
            {
                "skymap": SKYMAP,
                "tract": number,
                "id": patch.id,
                "cell_x": patch.x,
                "cell_y": patch.y,
                "region": projection.region(patch.outer_box),
            }
            for patch in tract.patches
        ]
    skymap = {
        "name": SKYMAP,
        "hash": hashlib.sha1(SKYMAP.encode(), usedforsecurity=False).digest(),
        "tract_max": TRACT_COUNT,
        "patch_nx_max": PATCHES_PER_SIDE,
        "patch_ny_max": PATCHES_PER_SIDE,
    }
    return {"skymap": [skymap], "tract": tracts, "patch": patches}


def _night(day_obs: int) -> Timespan:
    text = str(day_obs)
    begin = Time(f"{text[:4]}-{text[4:6]}-{text[6:]}T12:00:00", format="isot", scale="utc").tai
    return Timespan(begin, begin + TimeDelta(1.0, format="jd"))


def _exposure(visit: Visit) -> dict[str, Any]:
    altitude, azimuth = visit.altitude_azimuth
    return {
        "instrument": INSTRUMENT,
        "id": visit.id,
        "obs_id": visit.name,
        "physical_filter": PHYSICAL_FILTERS[visit.band],
        "group": visit.name,
        "day_obs": visit.day_obs,
        "exposure_time": visit.exposure_time,
        "dark_time": visit.exposure_time + 0.4,
        "observation_type": "science",
        "observation_reason": "field_survey_science",
        "seq_num": visit.sequence,
        "seq_start": visit.sequence,
        "seq_end": visit.sequence,
        "target_name": "ECDFS",
        "science_program": "BLOCK-407",
        "tracking_ra": visit.pointing.ra,
        "tracking_dec": visit.pointing.dec,
        "sky_angle": visit.pointing.rotation,
        "azimuth": azimuth,
        "zenith_angle": 90 - altitude,
        "has_simulated": True,
        "can_see_sky": True,
        "timespan": timespan_of(visit.begin, visit.end),
    }


def _visit(visit: Visit) -> dict[str, Any]:
    exposure = _exposure(visit)
    shared = (
        "instrument",
        "id",
        "physical_filter",
        "day_obs",
        "exposure_time",
        "observation_reason",
        "seq_num",
        "target_name",
        "science_program",
        "azimuth",
        "zenith_angle",
        "timespan",
    )
    return {name: exposure[name] for name in shared} | {"name": visit.name, "region": visit.pointing.region()}


def _observation_records() -> dict[str, list[dict[str, Any]]]:
    instrument = {"instrument": INSTRUMENT}
    nights = sorted({visit.day_obs for visit in visits()})
    return {
        "day_obs": [instrument | {"id": night, "timespan": _night(night)} for night in nights],
        "group": [instrument | {"name": visit.name} for visit in visits()],
        "exposure": [_exposure(visit) for visit in visits()],
        "visit": [_visit(visit) for visit in visits()],
        "visit_definition": [instrument | {"exposure": visit.id, "visit": visit.id} for visit in visits()],
        "visit_system_membership": [
            instrument | {"visit": visit.id, "visit_system": system}
            for visit in visits()
            for system in _VISIT_SYSTEMS
        ],
        "visit_detector_region": [
            instrument
            | {
                "visit": visit.id,
                "detector": exposed.detector.id,
                "region": exposed.projection.region(exposed.box),
            }
            for visit in visits()
            for exposed in visit.exposed
        ],
    }


def insert_records(butler: Butler) -> None:
    """Insert all dimension records into an empty repository.

    Parameters
    ----------
    butler : `lsst.daf.butler.Butler`
        A writeable butler.
    """
    for element, records in (_instrument_records() | _skymap_records() | _observation_records()).items():
        butler.registry.insertDimensionData(element, *records)
