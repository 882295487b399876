"""Versions of what was saved: listed, compared, retired; and where datasets come from."""

from __future__ import annotations

import os
import sys
import types
from pathlib import Path

import pytest
from lsst.daf.butler import Butler, CollectionType, DatasetNotFoundError

from python_butler.demo.platform import Platform
from python_butler.errors import InvalidRequestError, UnknownVersionError
from python_butler.federation import SatelliteButler
from python_butler.federation import open as open_butler
from python_butler.satellite import Satellite
from python_butler.satellite.provenance import notes_of

from .conftest import table


def test_versions_are_listed_newest_first(butler: SatelliteButler) -> None:
    for number in (1, 2, 3):
        butler.save(table(number), "bright", skymap="sky", tract=1)
    butler.save(table(4), "bright", skymap="sky", tract=2)
    versions = butler.versions("bright")
    assert [(v.version, v.datasets, v.state) for v in versions] == [
        (3, 2, "current"),
        (2, 1, "older"),
        (1, 1, "older"),
    ]
    assert [v.run for v in versions] == [f"u/me/bright/v{n}" for n in (3, 2, 1)]
    assert versions[0].when is not None
    assert versions[0].when >= versions[2].when
    assert "u/me/bright/v3" in str(versions)
    assert "<td>current</td>" in versions._repr_html_()
    assert len(butler.versions("never")) == 0


def test_a_retired_version_is_out_of_the_way_and_can_be_read_by_number(butler: SatelliteButler) -> None:
    for number in (1, 2):
        butler.save(table(number), "bright", skymap="sky", tract=1)
    butler.retire("bright", 2)
    assert butler.load("bright", skymap="sky", tract=1)["id"][0] == 1
    assert butler.load("bright", skymap="sky", tract=1, version=2)["id"][0] == 2
    assert [(v.version, v.state) for v in butler.versions("bright")] == [(2, "retired"), (1, "current")]
    # Its number is not given again.
    assert butler.save(table(3), "bright", skymap="sky", tract=1).run == "u/me/bright/v3"


def test_purging_deletes_a_version_for_good(butler: SatelliteButler) -> None:
    refs = [butler.save(table(number), "bright", skymap="sky", tract=1) for number in (1, 2)]
    butler.retire("bright", 1, purge=True)
    assert [v.version for v in butler.versions("bright")] == [2]
    with pytest.raises(DatasetNotFoundError):
        butler.get(refs[0])
    with pytest.raises(UnknownVersionError, match=r"no version 1\. Versions that there are: 2"):
        butler.load("bright", skymap="sky", tract=1, version=1)
    assert butler.load("bright", skymap="sky", tract=1)["id"][0] == 2
    assert butler.provenance(refs[0]) == {}


def test_a_version_that_is_used_elsewhere_is_not_deleted(butler: SatelliteButler) -> None:
    butler.save(table(1), "bright", skymap="sky", tract=1)
    butler.save(table(2), "bright", skymap="sky", tract=1)
    butler.collections.register("u/me/paper", CollectionType.CHAINED)
    butler.collections.redefine_chain("u/me/paper", ["u/me/bright/v1"])
    with pytest.raises(InvalidRequestError, match="in the collection 'u/me/paper' too"):
        butler.retire("bright", 1, purge=True)
    assert butler.load("bright", skymap="sky", tract=1, version=1)["id"][0] == 1


def test_comparing_tells_what_changed(butler: SatelliteButler) -> None:
    source = butler.query_datasets("object")[0]
    butler.save(table(1), "bright", skymap="sky", tract=1, inputs=[source], doc="first try")
    second = table(2)
    second["colour"] = [0.1, 0.2, 0.3]
    butler.save(second, "bright", skymap="sky", tract=1, inputs=[], doc="with colours")
    butler.save(second, "bright", skymap="sky", tract=2, inputs=[], doc="with colours")
    difference = butler.compare_versions("bright", 1, 2)
    assert difference
    assert difference.changed["doc"] == ("first try", "with colours")
    assert difference.changed["columns"] == ("id, flux", "id, flux, colour")
    assert difference.added["data ID"] == ['skymap="sky", tract=2']
    assert difference.removed["input"][0].startswith("object ")
    assert str(source.id) in difference.removed["input"][0]
    assert "user" not in difference.changed
    assert "colour" in str(difference)
    assert "with colours" in difference._repr_html_()
    assert not butler.compare_versions("bright", 2, 2)
    with pytest.raises(UnknownVersionError):
        butler.compare_versions("bright", 1, 9)


# Where it comes from


def test_inputs_are_what_was_read_since_the_name_was_saved_last(butler: SatelliteButler) -> None:
    for tract in (1, 2):
        butler.get("object", skymap="sky", tract=tract)
        butler.save(table(tract), "bright", skymap="sky", tract=tract)
        # Another product of the same table has the same input.
        butler.save(table(tract), "faint", skymap="sky", tract=tract)
    for name in ("bright", "faint"):
        for tract in (1, 2):
            ref = butler.find_dataset(name, skymap="sky", tract=tract, collections=f"u/me/{name}")
            assert ref is not None
            notes = butler.provenance(ref)
            assert notes["inputs_are"] == "read before"
            assert [each["data_id"]["tract"] for each in notes["inputs"]] == [tract]


def test_inputs_are_found_however_they_were_read(butler: SatelliteButler) -> None:
    official = butler.query_datasets("object", where="tract = 1 AND skymap = 'sky'")[0]
    butler.get(official)
    butler.getDeferred("source", instrument="Cam", visit=102)
    butler.get("detected.columns", instrument="Cam", visit=103, detector=1)
    first = butler.save(table(1), "mine")
    assert {each["dataset_type"] for each in butler.provenance(first)["inputs"]} == {
        "object",
        "source",
        "detected",
    }
    butler.load("mine")
    second = butler.save(table(2), "derived")
    assert first.id in {type(first.id)(each["id"]) for each in butler.provenance(second)["inputs"]}


def test_given_inputs_count_alone(butler: SatelliteButler) -> None:
    ref = butler.query_datasets("object", where="tract = 1 AND skymap = 'sky'")[0]
    butler.get("source", instrument="Cam", visit=102)
    saved = butler.save(table(1), "mine", inputs=[ref])
    notes = butler.provenance(saved)
    assert notes["inputs_are"] == "given"
    assert [each["id"] for each in notes["inputs"]] == [str(ref.id)]
    assert notes["inputs"][0]["run"] == ref.run
    # Formatters that can keep inputs in the file are told as well.
    meta = butler.load("mine", parameters={"strip_astropy_meta_yaml": False}).meta
    assert meta["LSST.BUTLER.INPUT.0.ID"] == str(ref.id)


def test_the_notes_say_who_when_where_and_with_what(butler: SatelliteButler) -> None:
    ref = butler.save(table(1), "mine", doc="for the paper")
    notes = butler.provenance(ref)
    assert notes["user"] == "me"
    assert notes["doc"] == "for the paper"
    assert notes["process"] == os.getpid()
    assert {"numpy", "astropy", "python-butler", "lsst-daf-butler"} <= notes["software"].keys()
    assert butler.provenance(butler.query_datasets("object")[0]) == {}


def test_the_cell_of_a_notebook_is_noted_without_secrets(
    butler: SatelliteButler, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A shell in this process would change how the tests' output is shown: this is all that is asked of it.
    history = types.SimpleNamespace(
        input_hist_raw=["", 'key = "gt-abcdefghijklmnop.qrstuvwxyz"\nbutler.save(x)']
    )
    shell = types.SimpleNamespace(history_manager=history, execution_count=7)
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    ref = butler.save(table(1), "mine")
    code = butler.provenance(ref)["code"]
    assert code["cell"] == 'key = "<token>"\nbutler.save(x)'
    assert code["execution"] == 7


def test_notes_are_there_for_every_way_to_open_the_satellite(butler: SatelliteButler) -> None:
    refs = [butler.save(table(n), "mine", instrument="Cam", visit=101, detector=n) for n in (1, 2, 3, 4)]
    butler.versions("mine")
    with Satellite.open("dp2").reader() as reader:
        assert notes_of(reader, [ref.id for ref in refs]).keys() == {ref.id for ref in refs}
    root = Path(os.environ["PYTHON_BUTLER_ROOT"]) / "dp2"
    with Butler.from_config(str(root), writeable=True) as plain:
        plain.removeRuns(["u/me/mine/v1"], unlink_from_chains=True)
        assert notes_of(plain, [ref.id for ref in refs]) == {}


def test_a_satellite_without_notes_is_read_as_before(kernel: Platform) -> None:
    with open_butler("dp2", collections="dp2") as butler:
        ref = butler.put(
            table(1), butler.get_dataset_type("object"), skymap="sky", tract=1, run=_own_run(butler)
        )
        assert butler.provenance(ref) == {}
        assert butler.provenance(ref.id) == {}


def _own_run(butler: SatelliteButler) -> str:
    butler.collections.register("u/me/plain")
    return "u/me/plain"
