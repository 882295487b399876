"""Removing old datasets: what goes, what is kept and why, and being stopped anywhere."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from lsst.daf.butler import CollectionType, DataCoordinate, DatasetRef, DatasetType, Timespan

from python_butler.errors import InvalidRequestError
from python_butler.satellite import Satellite
from python_butler.satellite.progress import Progress
from python_butler.satellite.spool import Spool
from python_butler.satellite.usage.prune import PruneReport

from .scene import Mine

OLD = 40.0


def _chain(mine: Mine, name: str) -> tuple[str, ...]:
    with mine.satellite.reader() as reader:
        return tuple(reader.collections.get_info(name).children)


def _runs(mine: Mine) -> set[str]:
    with mine.satellite.reader() as reader:
        return set(reader.collections.query("u/*", collection_types=CollectionType.RUN))


# What goes


def test_the_newest_versions_are_kept_and_emptied_runs_leave_their_chain(mine: Mine) -> None:
    for number in range(1, 6):
        mine.put(f"u/me/cat/v{number}", 1, 2)
    files = len(mine.files())
    report = mine.satellite.prune(keep_versions=3)
    assert report.removed == 4
    assert report.runs == ["u/me/cat/v1", "u/me/cat/v2"]
    assert report.removed_bytes > 0
    assert mine.there() == {(f"u/me/cat/v{n}", "stars", t) for n in (3, 4, 5) for t in (1, 2)}
    assert _chain(mine, "u/me/cat") == ("u/me/cat/v5", "u/me/cat/v4", "u/me/cat/v3")
    assert len(mine.files()) == files - 4
    assert mine.trash() == 0


def test_the_newest_of_each_data_id_is_kept_wherever_it_is(mine: Mine) -> None:
    mine.put("u/me/cat/v1", 1, 2, 3)
    mine.put("u/me/cat/v2", 1, 2)
    mine.put("u/me/cat/v3", 1)
    mine.put("u/me/cat/v10", 9)
    report = mine.satellite.prune(keep_versions=1)
    assert report.removed == 3
    assert mine.there() == {
        ("u/me/cat/v1", "stars", 3),
        ("u/me/cat/v2", "stars", 2),
        ("u/me/cat/v3", "stars", 1),
        ("u/me/cat/v10", "stars", 9),
    }
    assert report.runs == []


def test_versions_are_in_the_order_of_their_numbers(mine: Mine) -> None:
    for number in (2, 10, 9):
        mine.put(f"u/me/cat/v{number}", 1)
    mine.satellite.prune(keep_versions=1)
    assert mine.there() == {("u/me/cat/v10", "stars", 1)}


def test_other_names_and_other_types_are_no_newer_versions(mine: Mine) -> None:
    mine.put("u/me/cat/v1", 1)
    mine.put("u/me/cat/v2", 1, dataset_type="galaxies")
    mine.put("u/me/dog/v3", 1)
    assert mine.satellite.prune(keep_versions=1).removed == 0


def test_only_what_is_old_enough_goes(mine: Mine) -> None:
    old = mine.put("u/me/cat/v1", 1, 2)
    mine.age(old, OLD)
    mine.put("u/me/cat/v2", 1, 2)
    mine.put("u/me/cat/v3", 1, 2)
    report = mine.satellite.prune(older_than="30d")
    assert report.removed == 2
    assert mine.there() == {(f"u/me/cat/v{n}", "stars", t) for n in (2, 3) for t in (1, 2)}
    assert mine.satellite.prune(older_than=timedelta(days=30)).removed == 0


def test_patterns_choose_types_runs_and_names(mine: Mine) -> None:
    for number in (1, 2):
        for name in ("cat", "dog"):
            mine.put(f"u/me/{name}/v{number}", 1)
            mine.put(f"u/me/{name}/v{number}", 1, dataset_type="galaxies")
    assert mine.satellite.prune(keep_versions=1, collections="u/me/d*", dataset_types="gal*").removed == 1
    assert mine.satellite.prune(keep_versions=1, collections=["u/me/cat"]).removed == 2
    assert mine.satellite.prune(keep_versions=1, collections="u/me/dog/v2").removed == 0
    assert mine.satellite.prune(keep_versions=1, collections="u/me/dog/v1").removed == 1


def test_a_run_that_is_no_version_goes_only_if_the_newest_may(mine: Mine) -> None:
    mine.age(mine.put("u/me/plain", 1, 2), OLD)
    report = mine.satellite.prune(older_than="30d")
    assert report.removed == 0
    assert report.kept == {"among the newest versions": 2}
    report = mine.satellite.prune(older_than="30d", even_newest=True)
    assert report.removed == 2
    assert _runs(mine) == {"u/me/plain"}, "nobody knows whether it is wanted"


def test_the_run_of_the_newest_version_stays_so_that_its_number_is_not_used_again(mine: Mine) -> None:
    mine.put("u/me/cat/v1", 1)
    mine.put("u/me/cat/v2", 1)
    report = mine.satellite.prune(keep_versions=0, even_newest=True)
    assert report.removed == 2
    assert _chain(mine, "u/me/cat") == ("u/me/cat/v2",)


def test_runs_outside_of_the_users_and_groups_are_named_or_left_alone(mine: Mine) -> None:
    with mine.satellite.writer() as writer:
        writer.collections.register("LSSTCam/copied")
        writer.put({"a": 1}, "stars", skymap="sky", tract=1, run="LSSTCam/copied")
    assert mine.satellite.prune(older_than="0s", even_newest=True).removed == 0
    named = mine.satellite.prune(older_than="0s", even_newest=True, collections="LSSTCam/*")
    assert named.removed == 1


# What is kept


def test_what_is_tagged_or_certified_is_kept_unless_told(mine: Mine) -> None:
    one, *_ = mine.put("u/me/cat/v1", 1, 2, 3)
    mine.put("u/me/cat/v2", 1, 2, 3)
    with mine.satellite.writer() as writer:
        writer.collections.register("u/me/tag", CollectionType.TAGGED)
        writer.registry.associate("u/me/tag", [one])
    report = mine.satellite.prune(keep_versions=1)
    assert report.removed == 2
    assert report.kept == {"tagged, certified or in another chain": 1}
    assert ("u/me/cat/v1", "stars", 1) in mine.there()
    assert _chain(mine, "u/me/cat") == ("u/me/cat/v2", "u/me/cat/v1")
    assert mine.satellite.prune(keep_versions=1, even_tagged=True).removed == 1
    assert _chain(mine, "u/me/cat") == ("u/me/cat/v2",)
    with mine.satellite.reader() as reader:
        assert reader.query_datasets("stars", "u/me/tag", explain=False) == []


def test_a_certified_calibration_is_kept(mine: Mine) -> None:
    with mine.satellite.writer() as writer:
        dimensions = writer.dimensions.conform(["skymap", "tract"])
        writer.registry.registerDatasetType(
            DatasetType("bias", dimensions, "StructuredDataDict", isCalibration=True)
        )
    (bias,) = mine.put("u/me/cal/v1", 1, dataset_type="bias")
    mine.put("u/me/cal/v2", 1, dataset_type="bias")
    with mine.satellite.writer() as writer:
        writer.collections.register("u/me/calib", CollectionType.CALIBRATION)
        writer.registry.certify("u/me/calib", [bias], Timespan(None, None))
    assert mine.satellite.prune(keep_versions=1).removed == 0
    assert mine.satellite.prune(keep_versions=1, even_tagged=True).removed == 1


def test_a_version_that_another_chain_names_is_kept(mine: Mine) -> None:
    mine.put("u/me/cat/v1", 1)
    mine.put("u/me/cat/v2", 1)
    with mine.satellite.writer() as writer:
        writer.collections.register("u/me/paper", CollectionType.CHAINED)
        writer.collections.redefine_chain("u/me/paper", ["u/me/cat/v1"])
        writer.collections.register("u/me/all", CollectionType.CHAINED)
        writer.collections.redefine_chain("u/me/all", ["u/me/cat"])
    report = mine.satellite.prune(keep_versions=1)
    assert report.removed == 0
    assert report.kept == {"tagged, certified or in another chain": 1}


def test_what_is_tagged_while_a_person_thinks_it_over_is_kept(mine: Mine) -> None:
    (old,) = mine.put("u/me/cat/v1", 1)
    mine.put("u/me/cat/v2", 1)

    def confirm(report: PruneReport) -> bool:
        assert report.datasets == 1
        with mine.satellite.writer() as writer:
            writer.collections.register("u/me/tag", CollectionType.TAGGED)
            writer.registry.associate("u/me/tag", [old])
        return True

    report = mine.satellite.prune(keep_versions=1, confirm=confirm)
    assert report.removed == 0
    assert report.kept == {"tagged, certified or in another chain": 1}


@pytest.mark.usefixtures("environment")
def test_references_are_never_removed_and_copies_only_if_told() -> None:
    satellite = Satellite.create("dp2")
    satellite.reference("visit_image", detector=94, instrument="LSSTCam")
    with satellite.reader() as reader:
        refs = reader.query_all_datasets("*", find_first=False)
    pinned = refs[:2]
    satellite.pin(pinned)
    everything = {"older_than": "0s", "even_newest": True, "even_tagged": True, "collections": "*"}
    report = satellite.prune(**everything)  # type: ignore[arg-type]  # one for each keyword
    assert (report.removed, report.unpinned) == (0, 0)
    assert report.kept == {"a pinned copy of an official dataset": 2}
    young = satellite.prune(older_than="1d", collections="*", pinned=True)
    assert young.datasets == 0, "the copies were made a moment ago"
    report = satellite.prune(**everything, pinned=True)  # type: ignore[arg-type]
    assert (report.removed, report.unpinned) == (0, 2)
    assert report.removed_bytes > 0
    info = satellite.info()
    assert (info.references, info.pinned) == (len(refs), 0)


# Clocks


def test_a_clock_that_jumped_back_makes_nothing_old(mine: Mine) -> None:
    mine.put("u/me/cat/v1", 1)
    # Written by a clock that was years behind, after one that was right.
    wrong = mine.put("u/me/cat/v2", 1)
    mine.put("u/me/cat/v3", 1)
    mine.age(wrong, 3000)
    assert mine.satellite.prune(older_than="30d").removed == 0
    assert len(mine.there()) == 3


def test_what_was_really_written_long_ago_is_old_after_a_jump_too(mine: Mine) -> None:
    mine.age(mine.put("u/me/cat/v1", 1), 100)
    mine.age(mine.put("u/me/cat/v2", 1), 3000)
    mine.put("u/me/cat/v3", 1)
    assert mine.satellite.prune(older_than="90d").removed == 2


def test_a_version_is_not_older_than_the_one_before_it(mine: Mine) -> None:
    # As in a copy of a repository, where the rows are in another order.
    newer = mine.put("u/me/cat/v2", 1)
    older = mine.put("u/me/cat/v1", 1)
    mine.put("u/me/cat/v3", 1)
    mine.age(newer, 3000)
    mine.age(older, 10)
    assert mine.satellite.prune(older_than="30d").removed == 0


def test_what_is_dated_in_the_future_is_kept_and_makes_nothing_else_young(mine: Mine) -> None:
    mine.age(mine.put("u/me/cat/v1", 1), -1000)
    mine.age(mine.put("u/me/cat/v2", 1), OLD)
    mine.put("u/me/cat/v3", 1)
    report = mine.satellite.prune(older_than="30d")
    assert report.removed == 1
    assert report.kept == {"dated in the future": 1}


# Asking and stopping


def test_a_dry_run_tells_and_changes_nothing(mine: Mine) -> None:
    mine.put("u/me/cat/v1", 1, size=5000)
    mine.put("u/me/cat/v2", 1)
    before = mine.satellite.version()
    report = mine.satellite.prune(keep_versions=1, dry_run=True)
    (group,) = report.own
    assert (group.run, group.dataset_type, group.datasets) == ("u/me/cat/v1", "stars", 1)
    assert group.bytes == report.bytes == mine.files()[0].stat().st_size
    assert group.oldest == group.newest
    assert (report.removed, report.dry_run) == (0, True)
    assert mine.satellite.version() == before


def test_nothing_is_removed_if_a_person_does_not_agree(mine: Mine) -> None:
    mine.put("u/me/cat/v1", 1)
    mine.put("u/me/cat/v2", 1)
    report = mine.satellite.prune(keep_versions=1, confirm=lambda report: False)
    assert report.cancelled
    assert len(mine.there()) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"dataset_types": "*"},
        {"older_than": "soon"},
        {"older_than": timedelta(days=-1)},
        {"keep_versions": 0},
        {"keep_versions": -1, "even_newest": True},
    ],
)
def test_what_nobody_can_mean_is_refused(mine: Mine, wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidRequestError):
        mine.satellite.prune(**wrong)  # type: ignore[arg-type]


def test_it_can_be_stopped_and_goes_on_later(mine: Mine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("python_butler.satellite.usage.prune._BATCH", 2)
    mine.put("u/me/cat/v1", *range(8))
    mine.put("u/me/cat/v2", *range(8))
    cancel = threading.Event()
    told: list[Progress] = []

    def progress(how_far: Progress) -> None:
        told.append(how_far)
        cancel.set()

    report = mine.satellite.prune(keep_versions=1, progress=progress, cancel=cancel)
    assert report.cancelled
    assert report.removed == 2
    assert [(each.done, each.total) for each in told] == [(2, 8)]
    assert len(mine.there()) == 14
    assert mine.trash() == 0
    report = mine.satellite.prune(keep_versions=1)
    assert (report.removed, report.cancelled) == (6, False)
    assert report.runs == ["u/me/cat/v1"]


KILLED = """
import os, signal, sys
from pathlib import Path
from lsst.daf.butler.datastores.fileDatastore import FileDatastore
from lsst.resources import ResourcePath
from python_butler.satellite import Satellite
from python_butler.satellite.usage import prune
prune._BATCH = 3
where, root = sys.argv[1:]
def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
if where == "rows":
    FileDatastore.emptyTrash = die
elif where == "files":
    remove = ResourcePath.mremove
    def half(uris, **options):
        remove(list(uris)[:1], **options)
        die()
    ResourcePath.mremove = half
elif where == "run":
    prune._Work._remove_empty_runs = die
Satellite.open("dp2", root).prune(keep_versions=1)
"""


@pytest.mark.parametrize(("where", "trash", "removed"), [("rows", 3, 3), ("files", 3, 3), ("run", 0, 0)])
def test_what_a_killed_process_has_begun_is_ended_by_the_next(
    mine: Mine, where: str, trash: int, removed: int
) -> None:
    mine.put("u/me/cat/v1", *range(6))
    mine.put("u/me/cat/v2", *range(6))
    done = subprocess.run(
        [sys.executable, "-c", KILLED, where, str(mine.satellite.root)], capture_output=True, text=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert mine.trash() == trash
    assert len(mine.there()) == 6 + removed, "each that is there can be read"
    report = mine.satellite.prune(keep_versions=1)
    assert (report.trash, report.removed) == (trash, removed)
    assert report.runs == ["u/me/cat/v1"]
    assert mine.there() == {("u/me/cat/v2", "stars", tract) for tract in range(6)}
    assert len(mine.files()) == 6
    assert mine.trash() == 0


def test_files_that_cannot_be_removed_stay_in_the_trash_and_are_told(
    mine: Mine, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine.put("u/me/cat/v1", 1)
    mine.put("u/me/cat/v2", 1)
    usual = os.remove

    # The superuser, who may run this, is refused nothing.
    def refuse(path: str, **options: int) -> None:
        if str(path).startswith(str(mine.satellite.root / "files")):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        usual(path, **options)

    monkeypatch.setattr("os.remove", refuse)
    report = mine.satellite.prune(keep_versions=1)
    assert report.removed == 1
    assert report.removed_bytes == 0
    (problem,) = report.problems
    assert "stay in the trash" in problem
    assert mine.trash() == 1
    monkeypatch.setattr("os.remove", usual)
    assert mine.satellite.prune(keep_versions=1).trash == 1
    assert mine.trash() == 0
    assert len(mine.files()) == 1


# Beside others


def _spooled(mine: Mine, run: str, tract: int) -> None:
    with mine.satellite.writer() as writer:
        data_id = DataCoordinate.standardize(skymap="sky", tract=tract, universe=writer.dimensions)
        dataset_type = writer.get_dataset_type("stars")
        ref = DatasetRef(dataset_type, writer.registry.expandDataId(data_id), run=run)
        Spool(mine.satellite).store(writer, {"a": 1}, ref)


def test_what_waits_in_the_spool_is_registered_before(mine: Mine) -> None:
    mine.put("u/me/cat/v1", 1)
    mine.put("u/me/cat/v2")
    _spooled(mine, "u/me/cat/v2", 1)
    report = mine.satellite.prune(keep_versions=1)
    assert report.removed == 1
    assert mine.there() == {("u/me/cat/v2", "stars", 1)}


def test_no_run_is_removed_while_a_batch_is_open(mine: Mine) -> None:
    mine.put("u/me/cat/v1", 1)
    mine.put("u/me/cat/v2", 1)
    batch = Spool(mine.satellite).begin()
    assert mine.satellite.prune(keep_versions=1).runs == []
    batch.discard()
    assert mine.satellite.prune(keep_versions=1).runs == ["u/me/cat/v1"]


def test_two_at_once_remove_everything_once(mine: Mine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("python_butler.satellite.usage.prune._BATCH", 2)
    mine.put("u/me/cat/v1", *range(10))
    mine.put("u/me/cat/v2", *range(10))
    reports: list[PruneReport] = []
    meet = threading.Barrier(2)

    def agree(report: PruneReport) -> bool:
        meet.wait(60)
        return True

    def work() -> None:
        reports.append(Satellite.open("dp2", mine.satellite.root).prune(keep_versions=1, confirm=agree))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sum(report.removed for report in reports) == 10
    assert [report.problems for report in reports] == [[], []]
    assert sorted(run for report in reports for run in report.runs) == ["u/me/cat/v1"]
    assert len(mine.files()) == 10


def test_nothing_is_written_outside_of_the_datastore(mine: Mine, tmp_path: Path) -> None:
    mine.put("u/me/cat/v1", 1)
    mine.put("u/me/cat/v2", 1)
    before = {path.name for path in mine.satellite.root.iterdir()}
    mine.satellite.prune(keep_versions=1)
    assert {path.name for path in mine.satellite.root.iterdir()} - before <= {"spool"}
