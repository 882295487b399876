"""A run in a satellite whose database is in PostgreSQL and whose files are in an object store."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsst.daf.butler import Butler
from lsst.resources import ResourcePath

import python_butler
from python_butler.processing.collecting import clean, collect
from python_butler.processing.execution import start
from python_butler.satellite import Satellite
from python_butler.satellite.repair import Options, check
from python_butler.satellite.storage import storage_of

from .conftest import DETECTORS, VISIT, Prepare, pipeline
from .tasks import GatherTask, MeasureTask


def outputs(satellite: Satellite) -> list[str]:
    return [
        file.basename()
        for file in ResourcePath.findFileResources([storage_of(satellite).files])
        if file.basename().startswith(("measured_LSSTCam", "gathered_LSSTCam"))
    ]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("satellite", ["elsewhere"], indirect=True)
def test_it_is_executed_collected_and_read_as_in_a_directory(
    prepare_run: Prepare, satellite: Satellite, tmp_path: Path
) -> None:
    cured = tmp_path / "cured"
    trouble = {"fail": [DETECTORS[0]], "fail_unless": str(cured)}
    workdir = prepare_run(pipeline((MeasureTask, trouble), GatherTask))
    assert len(start(workdir, processes=2).failures) == 1
    assert collect(workdir).new["measured"] == 2
    cured.touch()
    assert start(workdir, processes=2).complete
    report = collect(workdir)
    assert report.complete
    assert report.new["measured"] == report.new["gathered"] == 1
    assert len(outputs(satellite)) == 4
    chain = workdir.settings().output
    with (
        Butler.from_config(str(satellite.root), collections=chain) as plain,
        python_butler.open("dp2", collections=chain) as both,
    ):
        for butler in (plain, both):
            table = butler.get("gathered", instrument="LSSTCam", visit=VISIT)
            assert sorted(table["detector"]) == sorted(DETECTORS)
            data_id = {"instrument": "LSSTCam", "visit": VISIT, "detector": DETECTORS[0]}
            assert butler.get("visit_image", data_id) is not None
    assert check(satellite, Options(min_age=0)).clean

    # A second one, given up before it is collected, leaves nothing there.
    given_up = prepare_run(pipeline(MeasureTask), directory="given-up")
    assert start(given_up).complete
    assert len(outputs(satellite)) == 7
    clean(given_up)
    assert len(outputs(satellite)) == 4
