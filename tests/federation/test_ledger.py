"""Dimension records are compared when it matters, each once, and contradictions are told."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from lsst.daf.butler import DatasetType

from python_butler.federation import ConflictingRepositoriesError, SatelliteButler
from python_butler.federation import open as open_butler
from python_butler.federation.ledger import RecordLedger
from tests.processes import PATIENCE

from .test_planner import add_own_visit, table


def private(butler: SatelliteButler, *names: str, **values: str) -> set[str]:
    elements = [butler.dimensions[name] for name in names]
    return {element.name for element in RecordLedger(butler._sides).private(elements, values)}


def test_own_records_are_told_from_brought_ones(own_run: SatelliteButler) -> None:
    own_run.put(table(1), "source", visit=101)
    assert private(own_run, "instrument", "visit", "detector") == set()
    add_own_visit(own_run, 7)
    assert private(own_run, "instrument", "visit", "day_obs") == {"visit", "day_obs"}
    assert private(own_run, "visit", instrument="Cam") == {"visit"}
    assert private(own_run, "visit", instrument="Other") == set()


def test_what_was_compared_is_known_to_the_next_session(
    own_run: SatelliteButler, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_run.put(table(1), "source", visit=101)
    add_own_visit(own_run, 7)
    assert private(own_run, "visit") == {"visit"}
    kept = json.loads((own_run._sides.shared.root / "compared.json").read_text())
    assert kept["elements"]["visit"]["private"] == [["Cam", 7]]
    compared = []
    original = RecordLedger._both
    monkeypatch.setattr(
        RecordLedger,
        "_both",
        lambda self, element, keys: compared.extend(keys) or original(self, element, keys),
    )
    with open_butler("dp2", collections="dp2") as again:
        assert private(again, "visit") == {"visit"}
        # Only the own visit is looked for again: it may have become official.
        assert compared == [("Cam", 7)]
        again.registry.registerRun("u/me/more")
        again.put(table(2), "source", visit=102, run="u/me/more")
        assert private(again, "visit") == {"visit"}
        assert sorted(compared) == [("Cam", 7), ("Cam", 7), ("Cam", 102)]


def test_notes_that_are_damaged_or_of_another_database_are_made_anew(own_run: SatelliteButler) -> None:
    add_own_visit(own_run, 7)
    notes = own_run._sides.shared.root / "compared.json"
    for content in ("{", json.dumps({"database": "other", "elements": {"visit": {"watermark": 99}}})):
        notes.write_text(content)
        with open_butler("dp2", collections="dp2") as again:
            assert private(again, "visit") == {"visit"}


def test_records_that_differ_are_told_with_both_values_and_the_way_out(own_run: SatelliteButler) -> None:
    # Within one night: the record of another exposure time is the satellite's own mistake.
    own_run.put(table(1), "source", visit=101)
    add_own_visit(own_run, 7)
    writer = own_run._sides.writer
    (record,) = own_run._sides.official.query_dimension_records("visit", visit=101, instrument="Cam")
    wrong = record.toDict() | {"exposure_time": 99.0}
    writer.registry.syncDimensionData("visit", wrong, update=True)
    own_run._sides.changed()
    with pytest.raises(ConflictingRepositoriesError) as caught:
        own_run.query_data_ids(["visit", "detector"])
    message = str(caught.value)
    assert "exposure_time is 30.0 in dp2 and 99.0 in your satellite" in message
    assert "syncDimensionData('visit', record, update=True)" in message
    own_run.registry.syncDimensionData("visit", record, update=True)
    assert len(own_run.query_data_ids(["visit", "detector"])) == 16


@pytest.mark.parametrize("how", ["update", "replace"])
def test_a_record_that_is_changed_after_it_was_compared_is_told(own_run: SatelliteButler, how: str) -> None:
    own_run.put(table(1), "source", visit=101)
    add_own_visit(own_run, 7)
    assert len(own_run.query_data_ids(["visit", "detector"])) == 16
    (record,) = own_run._sides.official.query_dimension_records("visit", visit=101, instrument="Cam")

    def change(exposure_time: float) -> None:
        row = record.toDict() | {"exposure_time": exposure_time}
        if how == "update":
            own_run.registry.syncDimensionData("visit", row, update=True)
        else:
            own_run.registry.insertDimensionData("visit", row, replace=True)

    change(99.0)
    with pytest.raises(ConflictingRepositoriesError, match=r"30\.0 in dp2 and 99\.0 in your satellite"):
        own_run.query_data_ids(["visit", "detector"])
    change(30.0)
    assert len(own_run.query_data_ids(["visit", "detector"])) == 16


def test_a_change_that_others_compare_before_it_is_committed_is_told(own_run: SatelliteButler) -> None:
    own_run.put(table(1), "source", visit=101)
    (record,) = own_run._sides.official.query_dimension_records("visit", visit=101, instrument="Cam")
    row = record.toDict() | {"exposure_time": 99.0}

    def compare() -> None:
        RecordLedger(own_run._sides).lacking([own_run.dimensions["visit"]], {})

    with ThreadPoolExecutor(1) as pool:
        with own_run.transaction():
            own_run.registry.syncDimensionData("visit", row, update=True)
            # Another thread finds what was there before.
            pool.submit(compare).result(PATIENCE)
        with pytest.raises(ConflictingRepositoriesError, match=r"99\.0 in your satellite"):
            pool.submit(compare).result(PATIENCE)


def test_dataset_types_that_differ_are_told_with_both_definitions(own_run: SatelliteButler) -> None:
    writer = own_run._sides.writer
    writer.registry.registerDatasetType(
        DatasetType("source", ("instrument", "visit"), "StructuredDataDict", universe=own_run.dimensions)
    )
    own_run._sides.changed()
    official = own_run._sides.official
    assert own_run.query_datasets("source", "dp2")
    writer.collections.register("u/me/mine")
    from_server = official.registry.expandDataId(instrument="Cam", visit=101)
    writer.transfer_dimension_records_from(official, [from_server])
    writer.put({"a": 1}, "source", instrument="Cam", visit=101, run="u/me/mine")
    own_run._sides.changed()
    with pytest.raises(ConflictingRepositoriesError) as caught:
        own_run.query_datasets("source")
    assert "(instrument, visit; ArrowAstropy) in dp2" in str(caught.value)
    assert "(instrument, visit; StructuredDataDict) in your satellite" in str(caught.value)
    # As the error advises.
    assert [ref.run for ref in own_run.query_datasets("source", "u/me/mine")] == ["u/me/mine"]
    assert own_run.query_datasets("source", "dp2")
