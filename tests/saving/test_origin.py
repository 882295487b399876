"""What formatters are told of inputs is true, and short."""

from __future__ import annotations

import pytest
from lsst.daf.butler import DataCoordinate, DatasetRef, DatasetType, DimensionUniverse

from python_butler.saving.origin import Origin

UNIVERSE = DimensionUniverse()


def dataset(name: str) -> DatasetRef:
    dataset_type = DatasetType(name, (), "ArrowAstropy", universe=UNIVERSE)
    return DatasetRef(dataset_type, DataCoordinate.make_empty(UNIVERSE), run="r")


@pytest.mark.parametrize(("count", "named"), [(2, 2), (100, 100), (101, 0)])
def test_a_file_names_its_inputs_if_they_are_few_and_always_their_number(count: int, named: int) -> None:
    origin = Origin.of([dataset(f"input_{number}") for number in range(count)], given=True)
    told = origin.provenance.to_flat_dict(dataset("output"), prefix="LSST.BUTLER", sep=".", max_inputs=2_000)
    assert told["LSST.BUTLER.N_INPUTS"] == count
    assert sum(key.startswith("LSST.BUTLER.INPUT.") and key.endswith(".ID") for key in told) == named
    assert len(origin.notes["inputs"]) == count
