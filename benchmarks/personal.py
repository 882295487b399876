"""Satellites full of personal datasets, written at once instead of put one by one."""

from __future__ import annotations

from pathlib import Path

DATASET_TYPE = "visit_image"
"""The dataset type of all personal datasets: the same as the official ones'."""

_NEEDED = ("instrument", "physical_filter", "day_obs", "detector", "visit", "visit_detector_region")


def filled_satellite(root: Path, run: str, official: Path, first: int, last: int) -> int:
    """Make a satellite with a visit image for every detector of some visits.

    Parameters
    ----------
    root : `pathlib.Path`
        Where the satellite shall be.
    run : `str`
        Run of the datasets. They have no files.
    official : `pathlib.Path`
        Directory with the configuration of the official repository, whose dimension records are copied.
    first, last : `int`
        Which of the visits at scale, by their numbers from 0; the last is not included.

    Returns
    -------
    count : `int`
        How many datasets it holds.
    """
    from lsst.daf.butler import Butler

    from python_butler import Satellite
    from python_butler.demo.scale import RUN

    with Butler.from_config(str(official)) as source:
        satellite = Satellite.create("dp2", root, universe=source.dimensions)
        with source.query() as query:
            data_ids = query.datasets(DATASET_TYPE, collections=RUN).data_ids.order_by("visit", "detector")
            visits = list(dict.fromkeys(int(data_id["visit"]) for data_id in data_ids))[first:last]
            chosen = query.where(instrument="LSSTCam").where(
                "visit >= first AND visit <= last", bind={"first": visits[0], "last": visits[-1]}
            )
            records = {name: list(chosen.dimension_records(name)) for name in _NEEDED}
            wanted = list(chosen.datasets(DATASET_TYPE, collections=RUN).data_ids)
        dataset_type = source.get_dataset_type(DATASET_TYPE)
    with satellite.writer() as writer:
        for name, rows in records.items():
            writer.registry.insertDimensionData(name, *rows, skip_existing=True)
        writer.registry.registerDatasetType(dataset_type)
        writer.collections.register(run)
        writer.registry.insertDatasets(dataset_type, wanted, run=run)
    return len(wanted)
