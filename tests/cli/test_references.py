"""The subcommands about references, as a person and a program meet them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from python_butler.cli import main
from python_butler.cli.choosing import choose
from python_butler.satellite import Satellite

pytestmark = pytest.mark.usefixtures("environment")


def run(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def answer(*words: str) -> Any:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_first_reference_creates_the_satellite_and_a_table_tells_what_came() -> None:
    result = run("reference", "sou*", "object", "--limit", "5")
    assert result.exit_code == 0, result.output
    assert "object" in result.output
    assert "5 referenced" in result.output
    with Satellite.open("dp2").reader() as reader:
        assert len(reader.query_datasets("object", "dp2")) == 1


def test_choosing_pinning_and_forgetting_go_by_the_same_words() -> None:
    chosen = ("visit_image", "instrument=LSSTCam", "--where", "detector = :d", "--bind", "d=94")
    Satellite.create("dp2")
    dry = answer("reference", *chosen, "--dry-run")
    assert dry["dry_run"]
    done = answer("reference", *chosen)
    assert done["counts"] == dry["counts"]
    (count,) = done["counts"]["visit_image"].values()
    assert answer("pin", "visit_image", "--limit", "2")["pinned"] == 2
    assert answer("unpin", "visit_image")["unpinned"] == 2
    assert answer("pin", *chosen, "--limit", "1")["pinned"] == 1
    fetched = answer("prefetch", "visit_image", "--limit", "3")
    assert fetched["referenced"] + fetched["already"] == 3
    assert not fetched["cancelled"]
    kept = run("forget", "visit_image", "--json")
    assert kept.exit_code == 3
    forgotten = json.loads(kept.stdout)
    assert forgotten["forgotten"] == count - 1
    assert len(forgotten["problems"]) == 1


def test_what_cannot_be_understood_is_a_usage_error() -> None:
    assert run("reference", "visit=1").exit_code == 2
    assert run("reference", "source", "--bind", "x").exit_code == 2
    unknown = run("reference", "nope")
    assert unknown.exit_code == 1
    assert "'nope' does not exist. Check how it is spelt" in unknown.output
    assert "Traceback" not in unknown.output
    collection = run("reference", "source", "--collections", "nope")
    assert "Check how it is spelt" in collection.output
    unbound = run("reference", "source", "--where", "visit = :number")
    assert unbound.exit_code == 1
    assert "--bind NAME=VALUE" in unbound.output


def test_nothing_found_is_said() -> None:
    assert "No datasets were found." in run("reference", "object", "tract=1", "skymap=lsst_cells_v2").output


def test_a_dry_run_needs_no_satellite_and_makes_none() -> None:
    assert answer("reference", "source", "--dry-run")["dry_run"]
    assert not Satellite.exists("dp2")


def test_a_misspelt_dimension_is_told() -> None:
    Satellite.create("dp2")
    for command in ("reference", "pin"):
        result = run(command, "visit_image", "detektor=3")
        assert result.exit_code == 1
        assert "detektor" in result.output
        assert "Traceback" not in result.output


def test_what_was_never_referenced_is_told_with_the_way_to_it() -> None:
    Satellite.create("dp2")
    result = run("pin", "visit_image", "visit=2025120200439")
    assert result.exit_code == 1
    assert "satellite reference visit_image" in " ".join(result.output.split())
    assert "Traceback" not in result.output


def test_a_text_that_looks_like_a_number_is_put_in_quotes() -> None:
    chosen = choose(["x", "visit=42", "skymap='007'"], "", ['name="1e5"', "other=1e5"], (), None)
    assert chosen.data_id == {"visit": 42, "skymap": "007"}
    assert chosen.bind == {"name": "1e5", "other": 1e5}
