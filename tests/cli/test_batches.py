"""``satellite batches``, for what a process left that was killed while it gathered."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from lsst.daf.butler import DatasetRef, DatasetType, DimensionUniverse

from python_butler.cli import main
from python_butler.satellite import Satellite
from python_butler.satellite.spool import Spool
from tests.processes import Forked

RUN = "u/me/stars/v1"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def _gather(satellite: Satellite) -> None:
    batch = Spool(satellite).begin("night")
    with satellite.writer() as writer:
        kind = DatasetType("stars", (), "StructuredDataDict", universe=writer.dimensions)
        writer.registry.registerDatasetType(kind)
        writer.collections.register(RUN)
        batch.put(writer, {"a": 1}, DatasetRef(kind, writer.registry.expandDataId(), run=RUN))


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Satellite, str]:
    """A satellite with a batch of one dataset, in a version that was begun for it, by a process that died."""
    monkeypatch.setenv("PYTHON_BUTLER_ROOT", str(tmp_path))
    satellite = Satellite.create("dp2", universe=DimensionUniverse())

    def gather_and_die() -> None:
        _gather(satellite)
        os.kill(os.getpid(), signal.SIGKILL)

    with Forked(gather_and_die) as child:
        assert child.wait() == -signal.SIGKILL
    (batch,) = Spool(satellite).batches()
    return satellite, batch.id


def test_batches_are_listed(left: tuple[Satellite, str]) -> None:
    _, batch = left
    shown = run("batches", "dp2")
    assert shown.exit_code == 0, shown.output
    assert batch in shown.stdout
    assert "night" in shown.stdout
    (told,) = json.loads(run("batches", "dp2", "--json").stdout)
    assert (told["id"], told["datasets"]) == (batch, 1)


@pytest.mark.parametrize("command", ["batches", "repair"])
def test_a_batch_that_is_committed_is_found_by_its_name(left: tuple[Satellite, str], command: str) -> None:
    satellite, batch = left
    options = ["--commit", batch] if command == "batches" else ["--batches", "commit", "--min-age", "0"]
    done = run(command, "dp2", *options, "--json")
    assert done.exit_code == 0, done.output
    with satellite.reader() as reader:
        assert reader.get("stars", collections="u/me/stars") == {"a": 1}
    assert json.loads(run("batches", "dp2", "--json").stdout) == []


def test_a_batch_that_is_discarded_leaves_nothing(left: tuple[Satellite, str]) -> None:
    satellite, batch = left
    done = run("batches", "dp2", "--discard", batch)
    assert done.exit_code == 0, done.output
    with satellite.reader() as reader:
        assert not reader.collections.query("*")
    assert not [path for path in (satellite.root / "files").rglob("*") if path.is_file()]
    assert run("batches", "dp2").stdout == "No batch is open.\n"
    assert run("batches", "dp2", "--discard", batch).exit_code == 1


def test_one_thing_at_a_time(left: tuple[Satellite, str]) -> None:
    _, batch = left
    assert run("batches", "dp2", "--commit", batch, "--discard", batch).exit_code == 2
