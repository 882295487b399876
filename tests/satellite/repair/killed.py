"""A process that has everything imported, and forks one for each line of input, which kills itself.

Each of `ACTIONS` is killed at the moment that its name tells. It is run by its path.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lsst.daf.butler import DatasetRef
from lsst.daf.butler.datastores.fileDatastore import FileDatastore
from lsst.daf.butler.direct_butler import DirectButler
from lsst.resources.file import FileResourcePath

from python_butler.satellite import Satellite, configuration, create, downloads, pins
from python_butler.satellite.spool import Spool, batch, desk

RUN = "u/me/run"


def die(*_: Any, **__: Any) -> Any:
    """End at once, as if the machine did."""
    os.kill(os.getpid(), signal.SIGKILL)


def new_ref(writer: DirectButler, name: str, run: str = RUN) -> DatasetRef:
    """Name a new dataset of a type without dimensions."""
    from lsst.daf.butler import DataCoordinate

    universe = writer.dimensions
    return DatasetRef(writer.get_dataset_type(name), DataCoordinate.make_empty(universe), run)


def put_before_its_file_has_its_name(satellite: Satellite) -> None:
    FileResourcePath.transfer_from = die
    with satellite.writer() as writer:
        writer.put({"a": 1}, "lost", run=RUN)


def put_before_its_rows(satellite: Satellite) -> None:
    FileDatastore._register_datasets = die
    with satellite.writer() as writer:
        writer.put({"a": 1}, "lost", run=RUN)


def ingest_while_copying(satellite: Satellite) -> None:
    from lsst.daf.butler import FileDataset

    file = satellite.root.parent / "ingested.yaml"
    file.write_text("a: 1\n")
    copy = shutil.copy
    shutil.copy = lambda *paths: die(copy(*paths))
    with satellite.writer() as writer:
        writer.ingest(FileDataset(str(file), new_ref(writer, "lost")), transfer="copy")


def remove_run_before_its_files(satellite: Satellite) -> None:
    FileDatastore.emptyTrash = die
    with satellite.writer() as writer:
        writer.removeRuns([RUN], unlink_from_chains=True)


def transaction_in_the_middle(satellite: Satellite) -> None:
    """What is changed no longer fits into the cache, so that SQLite writes into the file."""
    import sqlite3

    database = sqlite3.connect(satellite.root / "gen3.sqlite3", isolation_level=None)
    database.execute("PRAGMA cache_size = 1")
    database.execute("BEGIN IMMEDIATE")
    for number in range(2_000):
        database.execute("INSERT INTO butler_attributes VALUES (?, ?)", (f"k{number}", "x" * 2_000))
    die()


def turn_in_the_middle(satellite: Satellite) -> None:
    """The same where users of the database take turns by files."""
    import sqlite3

    from python_butler.satellite.storage.turns import Turns, raw_connection

    database = satellite.root / "gen3.sqlite3"
    turns = Turns(database)
    turns.be_alone(turns.write())
    connection: sqlite3.Connection = raw_connection(database, writeable=True)
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("BEGIN IMMEDIATE")
    for number in range(2_000):
        connection.execute("INSERT INTO butler_attributes VALUES (?, ?)", (f"k{number}", "x" * 2_000))
    die()


def store_before_it_is_acknowledged(satellite: Satellite) -> None:
    desk.Desk.publish = die
    with satellite.writer() as writer:
        Spool(satellite).store(writer, {"a": 1}, new_ref(writer, "lost"))


def store_while_its_slip_is_written(satellite: Satellite) -> None:
    os.link = die
    with satellite.writer() as writer:
        Spool(satellite).store(writer, {"a": 1}, new_ref(writer, "lost"))


def store_and_wait(satellite: Satellite) -> None:
    with satellite.writer() as writer:
        Spool(satellite).store(writer, {"a": 1}, new_ref(writer, "lost"))
    die()


def commit_before_its_slips_are_removed(satellite: Satellite) -> None:
    from python_butler.satellite.spool import committing

    with satellite.writer() as writer:
        Spool(satellite).store(writer, {"a": 1}, new_ref(writer, "lost"))
    committing.remove = die
    Spool(satellite).commit()


def gather_a_batch(satellite: Satellite) -> None:
    gathered = Spool(satellite).begin("gathered")
    with satellite.writer() as writer:
        gathered.put(writer, {"a": 1}, new_ref(writer, "lost"))
    die()


def commit_a_batch_before_it_is_closed(satellite: Satellite) -> None:
    gathered = Spool(satellite).begin("gathered")
    with satellite.writer() as writer:
        gathered.put(writer, {"a": 1}, new_ref(writer, "lost"))
    batch.Batch._end = die
    gathered.commit()


def save_straight_before_its_rows(satellite: Satellite) -> None:
    from python_butler.saving.claim import held

    with satellite.writer() as writer, held(satellite.root, [new_ref(writer, "lost")]):
        die()


def create_another(satellite: Satellite) -> None:
    create.finish = die
    with satellite.writer() as writer:
        universe = writer.dimensions
    Satellite.create("other", satellite.root.parent / "other", universe=universe)


def write_configuration(satellite: Satellite) -> None:
    Path.replace = die
    configuration._replace(satellite.root / "satellite.json", "{}")


def pin_while_downloading(satellite: Satellite) -> None:
    downloads._download = die
    with satellite.reader() as reader:
        refs = list(reader.query_all_datasets("*", find_first=False))
    satellite.pin(refs)


def pin_before_its_rows(satellite: Satellite) -> None:
    FileDatastore._register_datasets = die
    with satellite.reader() as reader:
        refs = list(reader.query_all_datasets("*", find_first=False))
    satellite.pin(refs)


def unpin_before_its_files(satellite: Satellite) -> None:
    pins._remove = die
    with satellite.reader() as reader:
        refs = list(reader.query_all_datasets("*", find_first=False))
    satellite.unpin(refs)


def migrate_while_copying(satellite: Satellite) -> None:
    from python_butler.satellite.moving import migrate

    migrate._copy_files = die
    satellite.migrate(storage=satellite.root.parent / "elsewhere")


def repair_while_moving_away(satellite: Satellite) -> None:
    from python_butler.satellite.repair import stored

    stored.shutil.move = die
    satellite.repair(min_age=0, quarantine=True)


ACTIONS: dict[str, Callable[[Satellite], None]] = {
    name: action
    for name, action in list(globals().items())
    if callable(action) and getattr(action, "__module__", "") == __name__ and name not in ("die", "new_ref")
}


def main() -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        name, root = line.rstrip("\n").split(" ", 1)
        child = os.fork()
        if not child:
            try:
                ACTIONS[name](Satellite("dp2", Path(root)))
            except BaseException:
                traceback.print_exc()
            # It should have been killed by now.
            os._exit(1)
        print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    # So that the module of each action is this one.
    main()
