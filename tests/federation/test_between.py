"""Transfer from one satellite into another, as between any two Butlers."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsst.daf.butler import DatasetExistence

from python_butler.federation import SatelliteButler
from python_butler.federation import open as open_butler

from .conftest import table


@pytest.mark.parametrize("transfer", ["copy", "auto"])
def test_what_is_ones_own_and_what_is_official_goes_to_another_satellite(
    butler: SatelliteButler, tmp_path: Path, transfer: str
) -> None:
    here = butler.clone(run="u/me/mine", collections=["u/me/mine", "dp2"])
    personal = here.put(table(1), "source", visit=101, instrument="Cam")
    official = here.query_datasets("source", "dp2", limit=-1)[0]
    with open_butler("dp2", collections="dp2", root=tmp_path / "other") as there:
        moved = there.transfer_from(
            here,
            [personal, official],
            transfer=transfer,
            register_dataset_types=True,
            transfer_dimensions=True,
        )
        assert set(moved) == {personal, official}
        for ref in (personal, official):
            assert (there.get(ref) == here.get(ref)).all()
        # A second time changes nothing.
        there.transfer_from(here, [personal, official], transfer=transfer)
        assert there.query_datasets("source", "u/me/mine") == [personal]
        # What the one forgets stays with the other.
        here.pruneDatasets([personal], disassociate=True, unstore=True, purge=True)
        assert here.get_dataset(personal.id) is None
        assert there.exists(personal) is DatasetExistence.VERIFIED
