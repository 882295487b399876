"""Names of what the demonstration's repository holds: runs, collections and dataset types.

Room: demo. They are Data Preview 2's names, dimensions and storage classes.
"""

from __future__ import annotations

from .provenance import TASKS

__all__ = [
    "CALIBRATION",
    "CHAIN",
    "COLLECTION_DOCUMENTATION",
    "DATASET_TYPES",
    "RUNS",
    "TAGGED",
    "is_calibration",
]

_DP2 = "LSSTCam/runs/DRP/DP2/v30_0_8"

RUNS = {
    "isr": f"{_DP2}/stage1/20260110T031512Z",
    "isr late": f"{_DP2}/stage1/20260118T220447Z",
    "visits": f"{_DP2}/stage2/20260128T070215Z",
    "visit tables": f"{_DP2}/stage2/20260131T174508Z",
    "coadds r": f"{_DP2}/stage3/20260205T054411Z",
    "coadds": f"{_DP2}/stage3/20260211T031930Z",
    "objects": f"{_DP2}/stage3/20260219T110147Z",
    "differences": f"{_DP2}/stage4/20260224T213055Z",
    "dia": f"{_DP2}/stage4/20260226T160120Z",
    "forced": f"{_DP2}/stage4/20260302T082719Z",
    "dia forced": f"{_DP2}/stage4/20260305T193012Z",
    "solar system": f"{_DP2}/stage4/20260309T010204Z",
}
"""Runs of the data release, in the order in which they were processed."""

CHAIN = "dp2"
CALIBRATION = "LSSTCam/calib/DP2"
TAGGED = "LSSTCam/DP2/best-seeing"

COLLECTION_DOCUMENTATION = {
    CHAIN: "Data Preview 2, in miniature: five fields around the Extended Chandra Deep Field South.",
    CALIBRATION: "Calibrations of the release and when each is valid.",
    TAGGED: "Visit images with a seeing better than 0.8 arcseconds.",
    RUNS["isr"]: "Instrument signature removal and single-visit calibration, nights up to September 2025.",
    RUNS["isr late"]: "Instrument signature removal and single-visit calibration, later nights.",
    RUNS["visits"]: "Visit images and their sources.",
    RUNS["visit tables"]: "Tables of visits and of detectors during visits.",
    RUNS["coadds r"]: "Coadds of the reference band, made first.",
    RUNS["coadds"]: "Coadds of the other bands.",
    RUNS["objects"]: "Objects measured on coadds.",
    RUNS["differences"]: "Difference images.",
    RUNS["dia"]: "Sources on difference images and the objects they belong to.",
    RUNS["forced"]: "Forced photometry at the positions of objects.",
    RUNS["dia forced"]: "Forced photometry at the positions of difference-image objects.",
    RUNS["solar system"]: "Asteroids among the difference-image sources.",
}

_VISIT_DETECTOR = ("instrument", "visit", "detector")
_TRACT = ("skymap", "tract")
_PATCH = ("skymap", "tract", "patch")

DATASET_TYPES: dict[str, tuple[tuple[str, ...], str]] = {
    "deep_coadd": (("band", *_PATCH), "CellCoadd"),
    "visit_image": (_VISIT_DETECTOR, "VisitImage"),
    "difference_image": (_VISIT_DETECTOR, "DifferenceImage"),
    "object": (_TRACT, "ArrowAstropy"),
    "source": (("instrument", "visit"), "ArrowAstropy"),
    "object_forced_source": (_PATCH, "ArrowAstropy"),
    "dia_object": (_TRACT, "ArrowAstropy"),
    "dia_source": (_TRACT, "ArrowAstropy"),
    "dia_object_forced_source": (_PATCH, "ArrowAstropy"),
    "ss_object": ((), "ArrowAstropy"),
    "ss_source": ((), "ArrowAstropy"),
    "visit_table": (("instrument",), "ArrowAstropy"),
    "visit_detector_table": (("instrument",), "ArrowAstropy"),
    "bias": (("instrument", "detector"), "ImageV2"),
    "dark": (("instrument", "detector"), "ImageV2"),
    "flat": (("instrument", "detector", "physical_filter"), "ImageV2"),
    "packages": ((), "Packages"),
    "variable_candidates": (_TRACT, "ArrowAstropy"),
}
"""Dimensions and storage class of each dataset type."""

for _task in TASKS:
    DATASET_TYPES[f"{_task.label}_log"] = (_task.dimensions, "ButlerLogRecords")
    DATASET_TYPES[f"{_task.label}_metadata"] = (_task.dimensions, "TaskMetadata")


def is_calibration(name: str) -> bool:
    """Whether datasets of a type can be certified for a period."""
    return name in {"bias", "dark", "flat"}
