"""Nothing is found in a satellite that is in good order, whatever was done with it, also meanwhile."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest
from lsst.daf.butler import CollectionType, FileDataset

from python_butler.satellite import Satellite
from python_butler.satellite.provenance import note
from python_butler.satellite.spool import Spool
from tests.processes import running

from .conftest import NAMES, RUN, tree
from .killed import new_ref

ACTIONS = ("put", "spool", "commit", "batch", "remove", "retire", "tag", "ingest", "note")


def act(satellite: Satellite, action: str, name: str, number: int, tmp_path: Path) -> None:
    """Do something that is allowed; what is there already is left."""
    run = f"u/me/name/v{number}"
    if action == "commit":
        Spool(satellite).commit()
        return
    with satellite.writer() as writer:
        writer.collections.register(run)
        there = writer.find_dataset(name, collections=run)
        ref = new_ref(writer, name, run)
        waits = Spool(satellite).find(ref.datasetType, ref.dataId, [run]) is not None
        match action:
            case "put" if not there and not waits:
                writer.put({"name": name}, ref)
            case "spool" if not there and not waits:
                Spool(satellite).store(writer, {"name": name}, ref, notes={"made": "here"})
            case "batch" if not there and not waits:
                batch = Spool(satellite).begin("some")
                batch.put(writer, {"name": name}, ref)
                batch.commit(writer=writer)
            case "remove" if there is not None:
                writer.pruneDatasets([there], disassociate=True, unstore=True, purge=True)
            case "retire" if not Spool(satellite).waiting():
                writer.removeRuns([run], unlink_from_chains=True)
            case "tag" if there is not None:
                writer.collections.register(f"u/me/tagged{number}", CollectionType.TAGGED)
                writer.registry.associate(f"u/me/tagged{number}", [there])
            case "ingest" if not there and not waits:
                file = tmp_path / "given.yaml"
                file.write_text("name: given\n")
                writer.ingest(FileDataset(str(file), ref), transfer="copy")
            case "note" if there is not None:
                note(writer, {there.id: {"note": number}})


@pytest.mark.parametrize("seed", range(2))
def test_nothing_is_found_after_anything_that_is_allowed(
    satellite: Satellite, tmp_path: Path, seed: int
) -> None:
    random = Random(seed)
    for number in range(24):
        act(satellite, random.choice(ACTIONS), random.choice(NAMES), random.randint(1, 3), tmp_path)
        if number % 8 == 7:
            before = tree(satellite.root)
            report = satellite.check(min_age=0)
            assert report.clean, report.document()
            assert tree(satellite.root) == before


def test_nothing_is_found_and_nothing_lost_while_others_write(satellite: Satellite) -> None:
    code = f"""
from pathlib import Path
from python_butler.satellite import Satellite
from python_butler.satellite.spool import Spool
satellite = Satellite("dp2", Path({str(satellite.root)!r}))
spool = Spool(satellite)
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from killed import new_ref
for number in range(6):
    with satellite.writer() as writer:
        writer.collections.register(f"u/me/put{{number}}")
        writer.put({{"n": number}}, "first", run=f"u/me/put{{number}}")
        spool.store(writer, {{"n": number}}, new_ref(writer, "second", f"u/me/put{{number}}"))
    if number % 2:
        spool.commit(wait=60)
    if number == 4:
        with satellite.writer() as writer:
            writer.removeRuns([f"u/me/put{{number - 1}}"]) if not spool.waiting() else None
spool.commit(wait=60)
"""
    looked = 0
    with running([sys.executable, "-c", code]) as process:
        while process.poll() is None:
            report = satellite.repair(forget_lost=True)
            # It may have committed, or registered, what the other had not yet.
            allowed = {"waiting", "trash", "incomplete_run"}
            assert {each.finding.kind.value for each in report.results} <= allowed
            looked += 1
    assert process.returncode == 0
    assert looked
    assert satellite.check(min_age=0).clean
    with satellite.reader() as reader:
        for number in range(6):
            run = f"u/me/put{number}"
            if run in reader.collections.query("*") and reader.query_all_datasets(run):
                assert reader.get("first", collections=run) == {"n": number}
                assert reader.get("second", collections=run) == {"n": number}
        assert reader.exists("first", collections=RUN)
