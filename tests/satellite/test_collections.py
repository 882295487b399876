"""All collections at once are those that upstream's own interface gives."""

from __future__ import annotations

from pathlib import Path

from lsst.daf.butler import Butler, CollectionInfo, CollectionType
from lsst.daf.butler.direct_butler import DirectButler

from python_butler.satellite.collections import all_collections


def test_collections_of_all_kinds_are_read_as_upstream_reads_them(tmp_path: Path) -> None:
    Butler.makeRepo(str(tmp_path / "repo"))
    with Butler.from_config(str(tmp_path / "repo"), writeable=True) as butler:
        assert isinstance(butler, DirectButler)
        assert all_collections(butler) == []
        for number in range(12):
            butler.collections.register(f"u/someone/run{number}")
        butler.collections.register("tagged", CollectionType.TAGGED, doc="Chosen by hand")
        butler.collections.register("calib", CollectionType.CALIBRATION, doc="For all\nnights")
        butler.collections.register("empty", CollectionType.CHAINED)
        butler.collections.register("outer", CollectionType.CHAINED, doc="Everything")
        # Not in the order in which they were made: a chain is searched in its own.
        butler.collections.redefine_chain("outer", ["u/someone/run11", "empty", "tagged", "u/someone/run2"])

        found = sorted(all_collections(butler))

        assert found == sorted(butler.collections.query_info("*", include_doc=True))
        outer = next(info for info in found if info.name == "outer")
        assert outer == CollectionInfo(
            name="outer",
            type=CollectionType.CHAINED,
            doc="Everything",
            children=("u/someone/run11", "empty", "tagged", "u/someone/run2"),
        )
