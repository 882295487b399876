"""What is in tags and calibration collections; what references bring there, the backend's tests tell."""

from __future__ import annotations

from pathlib import Path

from lsst.daf.butler import CollectionType, DimensionUniverse

from python_butler.satellite import Satellite
from python_butler.satellite.usage.picked import official_in
from python_butler.satellite.usage.tables import Tables


def test_a_tag_where_there_are_no_dataset_types_yet_is_empty(tmp_path: Path) -> None:
    satellite = Satellite.create("dp2", tmp_path / "dp2", universe=DimensionUniverse())
    with satellite.writer() as writer:
        writer.collections.register("u/me/tag", CollectionType.TAGGED)
        tables = Tables(writer)
        assert not tables.associations()
        assert not official_in(tables, ["u/me/tag", "u/me/no_such"], besides=[])
