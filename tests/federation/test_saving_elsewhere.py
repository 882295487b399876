"""Destinations: memory, other satellites, several at once; and rules for those who say nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from lsst.daf.butler import DatasetExistence, DatasetNotFoundError, MissingDatasetTypeError

from python_butler.demo.platform import Platform
from python_butler.errors import InvalidRequestError, SatelliteError
from python_butler.federation import SatelliteButler
from python_butler.federation import open as open_butler
from python_butler.satellite import Satellite

from .conftest import table


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    file = tmp_path / "rules.yaml"
    monkeypatch.setenv("PYTHON_BUTLER_RULES", str(file))
    return file


def test_memory_keeps_what_is_saved_and_writes_nothing(butler: SatelliteButler) -> None:
    mine = table(1)
    ref = butler.save(mine, "trial", skymap="sky", tract=1, to="memory")
    mine["id"][0] = 99
    assert ref.run == "u/me/trial/m1"
    loaded = butler.load("trial", skymap="sky", tract=1)
    assert list(loaded["id"]) == [1, 2, 3]
    loaded["id"][0] = 99
    assert butler.get(ref)["id"][0] == 1
    assert butler.get("trial", ref.dataId, collections="u/me/trial")["id"][0] == 1
    assert butler.get("trial", ref.dataId, collections=["dp2", "u/me/trial"])["id"][0] == 1
    assert butler.getDeferred(ref).get(component="rowcount") == 3
    assert butler.get("trial.columns", ref.dataId, collections="u/me/trial") == ["id", "flux"]
    assert butler.find_dataset("trial", ref.dataId, collections="u/me/trial/m1") == ref
    assert butler.exists(ref) is DatasetExistence.VERIFIED
    assert butler.get_dataset(ref.id) == ref
    assert butler.get_many_datasets([ref.id]) == [ref]
    assert [(v.version, v.state) for v in butler.versions("trial")] == [("m1", "in memory")]
    assert not Path(os.environ["PYTHON_BUTLER_ROOT"]).exists()
    with pytest.raises(InvalidRequestError, match="in memory, and has no address"):
        butler.getURI(ref)


def test_memory_is_seen_by_all_butlers_of_the_process(kernel: Platform) -> None:
    with open_butler("dp2", collections="dp2") as one:
        ref = one.save({"a": 1}, "trial", to="memory")
    with open_butler("dp2", collections="dp2") as other:
        assert other.load("trial") == {"a": 1}
        assert other.get(ref) == {"a": 1}
        assert other.provenance(ref)["user"] == "me"


def test_part_of_a_dataset_in_memory_can_be_had(butler: SatelliteButler) -> None:
    ref = butler.save(table(1), "trial", to="memory")
    assert butler.get(ref, parameters={"columns": ["flux"]}).colnames == ["flux"]
    assert butler.get(ref, storageClass="DataFrame")["id"][1] == 2


def test_what_was_saved_last_is_loaded_wherever_it_is(butler: SatelliteButler) -> None:
    data_id = {"skymap": "sky", "tract": 1}
    butler.save(table(1), "trial", data_id, to="memory")
    butler.save(table(2), "trial", data_id)
    assert butler.load("trial", data_id)["id"][0] == 2
    butler.save(table(3), "trial", data_id, to="memory")
    assert butler.load("trial", data_id)["id"][0] == 3
    # Another data ID of the same name stands for itself.
    butler.save(table(4), "trial", skymap="sky", tract=2)
    assert butler.load("trial", data_id)["id"][0] == 3
    butler.save(table(5), "trial", data_id)
    assert butler.load("trial", data_id)["id"][0] == 5
    assert butler.load("trial", data_id, version="m2")["id"][0] == 3
    assert [v.version for v in butler.versions("trial")] == ["m2", "m1", 2, 1]


def test_a_version_in_memory_is_given_up_only_if_that_is_said(butler: SatelliteButler) -> None:
    ref = butler.save(table(1), "trial", to="memory")
    with pytest.raises(InvalidRequestError, match="purge=True"):
        butler.retire("trial", "m1")
    assert butler.load("trial")["id"][0] == 1
    butler.retire("trial", "m1", purge=True)
    with pytest.raises(LookupError):
        butler.load("trial")
    with pytest.raises((DatasetNotFoundError, MissingDatasetTypeError)):
        butler.get(ref)


def test_another_satellite_takes_what_is_saved(butler: SatelliteButler, tmp_path: Path) -> None:
    other = Satellite.create("dp2", tmp_path / "other", universe=butler.dimensions)
    for number, destination in enumerate([other, other.root, str(other.root)], start=1):
        ref = butler.save(table(number), "bright", skymap="sky", tract=1, to=destination)
        assert ref.run == f"u/me/bright/v{number}"
    with open_butler("dp2", collections="dp2", root=other.root) as there:
        assert there.load("bright", skymap="sky", tract=1)["id"][0] == 3
    assert not Satellite.exists("dp2")
    # A label means the satellite of that release.
    butler.save(table(4), "bright", skymap="sky", tract=1, to="dp2")
    assert butler.load("bright", skymap="sky", tract=1)["id"][0] == 4


def test_of_several_destinations_one_that_fails_does_not_undo_the_others(
    butler: SatelliteButler, tmp_path: Path
) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "something").touch()
    saved = butler.save(
        table(1), "bright", skymap="sky", tract=1, to=["personal", "memory", str(tmp_path / "foreign")]
    )
    assert list(saved) == ["personal", "memory"]
    assert saved["personal"].run == "u/me/bright/v1"
    assert saved["memory"].run == "u/me/bright/m1"
    assert isinstance(saved.problems[str(tmp_path / "foreign")], SatelliteError)
    with pytest.raises(SatelliteError):
        saved[str(tmp_path / "foreign")]
    assert "failed" in saved._repr_html_()
    assert str(tmp_path / "foreign") in str(saved)
    assert butler.get(saved["personal"])["id"][0] == butler.get(saved["memory"])["id"][0] == 1


def test_if_no_destination_takes_it_that_is_an_error(butler: SatelliteButler, tmp_path: Path) -> None:
    with pytest.raises(SatelliteError, match="could be saved nowhere"):
        butler.save(table(1), "bright", to=[str(tmp_path / "nowhere")])


def test_a_rule_says_where_a_dataset_type_goes(butler: SatelliteButler, rules: Path) -> None:
    rules.write_text("destinations:\n- {dataset_type: 'debug_*', to: memory}\n")
    assert butler.save(table(1), "debug_stars").run == "u/me/debug_stars/m1"
    assert butler.save(table(1), "stars").run == "u/me/stars/v1"
    # Who says where has the last word.
    assert butler.save(table(1), "debug_stars", to="personal").run == "u/me/debug_stars/v1"
    rules.write_text("destinations:\n- {dataset_type: '*', to: [memory, personal]}\n")
    ref = butler.save(table(2), "stars")
    assert ref.run == "u/me/stars/m1"
    assert [v.version for v in butler.versions("stars")] == ["m1", 2, 1]


def test_rules_that_cannot_be_understood_are_an_error_and_nothing_is_written(
    butler: SatelliteButler, rules: Path
) -> None:
    rules.write_text("destinations: [{dataset_type: x")
    with pytest.raises(InvalidRequestError, match=r"rules in .*rules\.yaml cannot be understood: line 1"):
        butler.save(table(1), "stars")
    assert butler.save(table(1), "stars", to="personal").run == "u/me/stars/v1"
