"""Transfer from one satellite into another, as between any two Butlers."""

from __future__ import annotations

from pathlib import Path

from lsst.daf.butler import DatasetExistence

from python_butler.federation import SatelliteButler
from python_butler.federation import open as open_butler

from .conftest import table


def test_datasets_of_one_satellite_go_to_another(butler: SatelliteButler, tmp_path: Path) -> None:
    here = butler.clone(run="u/me/mine", collections=["u/me/mine", "dp2"])
    personal = here.put(table(1), "source", visit=101, instrument="Cam")
    official = here.query_datasets("source", "dp2", limit=-1)[0]
    with open_butler("dp2", collections="dp2", root=tmp_path / "other") as there:
        # What "dp2" holds is known to both already; only what was made here is new.
        moved = there.transfer_from(
            here,
            [personal],
            transfer="copy",
            register_dataset_types=True,
            transfer_dimensions=True,
        )
        assert list(moved) == [personal]
        assert list(there.get(personal)["id"]) == [1, 2, 3]
        assert there.find_dataset("source", visit=101, instrument="Cam", collections="u/me/mine") == personal
        assert list(there.get(official)["id"]) == list(here.get(official)["id"])
        # A second time changes nothing.
        there.transfer_from(here, [personal], transfer="copy")
        assert there.query_datasets("source", "u/me/mine") == [personal]
        # What the one forgets stays with the other.
        here.pruneDatasets([personal], disassociate=True, unstore=True, purge=True)
        assert here.get_dataset(personal.id) is None
        assert there.exists(personal) is DatasetExistence.VERIFIED
