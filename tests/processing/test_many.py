"""One quantum that fails among very many is in nobody's way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lsst.daf.butler import Butler

from python_butler.processing.collecting import collect
from python_butler.processing.execution import start
from python_butler.processing.execution.journal import State
from python_butler.processing.execution.reading import events
from python_butler.satellite import Satellite

from .conftest import Prepare, pipeline
from .tasks import FILTERS, NumberTask

QUANTA = int(os.environ.get("PYTHON_BUTLER_TEST_QUANTA", "200"))
"""At most a thousand, in steps of 200."""


@pytest.mark.timeout(900)
def test_all_others_succeed_and_are_collected_and_when_it_is_cured_it_is_added(
    prepare_run: Prepare, satellite: Satellite, tmp_path: Path
) -> None:
    cured = tmp_path / "cured"
    broken = QUANTA // 2
    filters = FILTERS[: QUANTA // 200]
    workdir = prepare_run(
        pipeline((NumberTask, {"fail": [broken], "fail_unless": str(cured)})),
        where=f"instrument = 'LSSTCam' AND detector < 200 AND physical_filter IN {(*filters, 'none')}",
    )
    told = start(workdir, processes=2)
    (failure,) = told.failures
    assert failure.error == f"RuntimeError: The sky of detector {broken} has fallen."
    assert told.succeeded == QUANTA - 1
    first = collect(workdir)
    assert first.quanta == {"number": {"succeeded": QUANTA - 1, "failed": 1}}
    assert first.new["numbered"] == QUANTA - 1
    assert not first.complete

    cured.touch()
    assert start(workdir, processes=2).complete
    second = collect(workdir)
    assert second.complete
    assert second.new == {"numbered": 1, "number_log": 1, "number_metadata": 1}
    # Nobody who had succeeded was executed again, and each number is there once.
    succeeded = [event.quantum for event in events(workdir) if event.state is State.SUCCEEDED]
    assert len(succeeded) == len(set(succeeded)) == QUANTA
    with Butler.from_config(str(satellite.root), collections=workdir.settings().output) as butler:
        numbers = [butler.get(ref)["number"][0] for ref in butler.query_datasets("numbered", limit=None)]
    assert sorted(numbers) == list(range(QUANTA))
