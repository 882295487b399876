"""SQLite on file systems without locks: taking turns by files, alive or dead."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from lsst.daf.butler import Butler, DatasetType, DimensionUniverse
from sqlalchemy.exc import OperationalError

from python_butler.errors import InvalidRequestError, SatelliteError
from python_butler.satellite import Satellite
from python_butler.satellite.moving import locks as locks_module
from python_butler.satellite.storage import direct, probing, storage_of
from python_butler.satellite.storage.patience import patient_for
from python_butler.satellite.storage.probing import Locks
from python_butler.satellite.storage.turns import Turns, raw_connection

UNIVERSE = DimensionUniverse()


@pytest.fixture
def satellite(tmp_path: Path) -> Satellite:
    satellite = Satellite.create("dp2", tmp_path / "dp2", universe=UNIVERSE, locks="files")
    with satellite.writer() as writer:
        writer.registry.registerDatasetType(
            DatasetType("number", (), "StructuredDataDict", universe=writer.dimensions)
        )
    return satellite


def turns_of(satellite: Satellite) -> Turns:
    database = storage_of(satellite).database_path
    assert database is not None
    return Turns(database)


def put(satellite: Satellite, run: str) -> None:
    with satellite.writer() as writer:
        writer.collections.register(run)
        writer.put({"run": run}, "number", run=run)


def runs(satellite: Satellite) -> set[str]:
    with satellite.reader() as reader:
        return set(reader.collections.query("*"))


# Choosing


def test_file_systems_that_refuse_locks_get_turns_by_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    # No such file system can be mounted here.
    monkeypatch.setattr(fcntl, "lockf", refuse)
    satellite = Satellite.create("dp2", tmp_path / "dp2", universe=UNIVERSE)
    assert storage_of(satellite).locks == "files"
    assert "LockFileDatabase" not in (satellite.root / "personal.yaml").read_text()


@pytest.mark.parametrize(
    ("options", "locks"),
    [("rw,vers=4.2", "posix"), ("rw,vers=3,nolock", "files"), ("rw,local_lock=posix", "files")],
)
def test_locks_that_other_machines_do_not_see_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: str, locks: str
) -> None:
    device = tmp_path.stat().st_dev
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "21 1 0:5 / /proc rw - proc proc rw\n"
        f"36 21 {os.major(device)}:{os.minor(device)} / /home rw shared:1 - nfs4 server:/home {options}\n"
    )
    monkeypatch.setattr(probing, "_MOUNTS", mounts)
    assert probing.locks_for(tmp_path) == locks


def test_here_posix_locks_are_good(tmp_path: Path) -> None:
    assert probing.locks_for(tmp_path) == "posix"
    assert list(tmp_path.iterdir()) == []


# Working


def test_any_butler_takes_turns(satellite: Satellite) -> None:
    with Butler.from_config(str(satellite.root), writeable=True, run="u/me/plain") as butler:
        butler.put({"a": 1}, "number")
        assert butler.get("number") == {"a": 1}
    put(satellite, "u/me/ours")
    assert {"u/me/plain", "u/me/ours"} <= runs(satellite)
    assert turns_of(satellite).leftovers() == []
    assert list(turns_of(satellite).directory.iterdir()) == []


def test_a_failed_transaction_changes_nothing_and_leaves_the_turn_to_others(satellite: Satellite) -> None:
    def fail() -> None:
        with satellite.writer() as writer, writer.transaction():
            writer.collections.register("u/me/undone")
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    put(satellite, "u/me/run")
    assert runs(satellite) == {"u/me/run"}


def test_others_read_while_somebody_writes_and_see_it_when_it_is_committed(satellite: Satellite) -> None:
    with satellite.writer() as writer, writer.transaction():
        writer.collections.register("u/me/run")
        assert runs(satellite) == set()
    assert runs(satellite) == {"u/me/run"}


def test_a_commit_waits_for_those_who_read(satellite: Satellite) -> None:
    database = storage_of(satellite).database_path
    assert database is not None
    done = threading.Event()

    def write() -> None:
        put(satellite, "u/me/run")
        done.set()

    writing = threading.Thread(target=write)
    with direct.reading(database) as reading:
        writing.start()
        while not (turns_of(satellite).directory / "commit").exists():
            assert not done.wait(0.01)
        assert reading.execute("SELECT count(*) FROM collection").fetchone() == (0,)
        assert not done.is_set()
    writing.join(60)
    assert done.is_set()
    assert runs(satellite) == {"u/me/run"}


def test_two_of_one_process_that_write_wait_for_each_other(satellite: Satellite) -> None:
    with satellite.writer() as first, first.transaction():
        first.collections.register("u/me/first")
        with patient_for(0.2), pytest.raises(SatelliteError, match="database is locked"):
            put(satellite, "u/me/second")
    assert runs(satellite) == {"u/me/first"}


def test_processes_that_write_and_read_at_once_lose_nothing(satellite: Satellite) -> None:
    code = (
        "import sys; from lsst.daf.butler import Butler\n"
        f"root, who = {str(satellite.root)!r}, sys.argv[1]\n"
        "with Butler.from_config(root, writeable=True) as butler:\n"
        "    print('ready', flush=True); sys.stdin.readline()\n"
        "    for i in range(8):\n"
        "        run = f'u/me/{who}/{i}'\n"
        "        butler.collections.register(run); butler.put({'i': i}, 'number', run=run)\n"
        "        with Butler.from_config(root) as reader:\n"
        "            assert reader.get('number', collections=run) == {'i': i}\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in "abc"
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        assert [process.wait(200) for process in processes] == [0, 0, 0]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert runs(satellite) == {f"u/me/{name}/{i}" for name in "abc" for i in range(8)}


# The dead

DIE = """
import os, sys
from lsst.daf.butler import Butler
from python_butler.satellite.storage.lockfiles import _Writing
commit = _Writing.commit

def die(self):
    if sys.argv[2] == "before":
        os._exit(9)
    self.turns.be_alone(self.turn)
    # As if half of it had been written: what does not fit into memory goes to the file at once.
    self.execute("PRAGMA cache_spill = ON"); self.execute("PRAGMA cache_size = 1")
    self.execute("UPDATE collection SET name = name || '/changed'")
    self.execute("CREATE TABLE unfinished (text TEXT)")
    self.executemany("INSERT INTO unfinished VALUES (?)", [("x" * 1000,)] * 500)
    os._exit(9)

butler = Butler.from_config(sys.argv[1], writeable=True)
_Writing.commit = die
butler.collections.register("u/me/unfinished")
"""


def die(satellite: Satellite, when: str) -> None:
    done = subprocess.run([sys.executable, "-c", DIE, satellite.root, when], check=False, timeout=120)
    assert done.returncode == 9


@pytest.mark.parametrize("when", ["before", "while"])
@pytest.mark.parametrize("next_one", ["reads", "writes", "mends"])
def test_what_a_dead_process_left_half_written_is_undone_by_whoever_comes_next(
    satellite: Satellite, when: str, next_one: str
) -> None:
    put(satellite, "u/me/run")
    die(satellite, when)
    left = {path.name for path in turns_of(satellite).leftovers()}
    assert left == ({"writer", "commit"} if when == "while" else {"writer"})
    expected = {"u/me/run"}
    if next_one == "writes":
        put(satellite, "u/me/next")
        expected.add("u/me/next")
    elif next_one == "mends":
        assert turns_of(satellite).mend()
        assert turns_of(satellite).leftovers() == []
    assert runs(satellite) == expected
    database = storage_of(satellite).database_path
    assert database is not None
    with direct.reading(database) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'unfinished'").fetchone() is None


def test_a_reader_that_died_keeps_nobody_from_writing(satellite: Satellite) -> None:
    code = (
        "import os, sys; from pathlib import Path\n"
        "from python_butler.satellite.storage.turns import Turns\n"
        "assert Turns(Path(sys.argv[1])).read(); os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", code, storage_of(satellite).database_path], check=False, timeout=60)
    (left,) = turns_of(satellite).leftovers()
    assert left.name.startswith("reader-")
    put(satellite, "u/me/run")
    assert runs(satellite) == {"u/me/run"}
    assert turns_of(satellite).leftovers() == []


def test_a_turn_of_another_machine_is_no_leftover_and_is_waited_for(satellite: Satellite) -> None:
    lock = turns_of(satellite).write()
    path = turns_of(satellite).directory / "writer"
    # Its process cannot be looked up here, so that only its silence would tell.
    path.write_text(json.dumps(json.loads(path.read_text()) | {"host": "elsewhere", "pid": 1}))
    assert turns_of(satellite).leftovers() == []
    with patient_for(0.2), pytest.raises(SatelliteError, match="database is locked"):
        put(satellite, "u/me/run")
    path.unlink()
    lock.release()
    put(satellite, "u/me/run")


def test_who_lost_the_turn_does_not_commit(satellite: Satellite) -> None:
    def be_late() -> None:
        with satellite.writer() as writer, writer.transaction():
            writer.collections.register("u/me/late")
            # As when nothing was heard of this process for so long that it was taken for dead.
            (turns_of(satellite).directory / "writer").unlink()

    with pytest.raises(OperationalError, match="database is locked"):
        be_late()
    put(satellite, "u/me/other")
    assert runs(satellite) == {"u/me/other"}


def test_sqlites_own_dot_files_would_serve_what_is_half_written(tmp_path: Path) -> None:
    database = tmp_path / "plain.sqlite3"
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE value (text TEXT)")
    connection.executemany("INSERT INTO value VALUES (?)", [("a" * 500,)] * 2000)
    connection.commit()
    connection.close()
    code = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(f'file:{sys.argv[1]}?vfs=unix-dotfile', uri=True, isolation_level=None)\n"
        "c.execute('PRAGMA cache_size = 1'); c.execute('BEGIN IMMEDIATE')\n"
        "c.execute('UPDATE value SET text = lower(text) || 1'); os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", code, database], check=True)
    count = "SELECT count(*) FROM value WHERE text LIKE '%1'"
    (tmp_path / "plain.sqlite3.lock").rmdir()
    dotted = sqlite3.connect(f"file:{database}?vfs=unix-dotfile", uri=True)
    half = dotted.execute(count).fetchone()[0]
    dotted.close()
    if half == 0:
        pytest.skip("this version of SQLite undoes it: its dot-files could be thought about again")
    # Without locks SQLite undoes it, which is what turns by files are made of.
    mended = raw_connection(database, writeable=True)
    assert mended.execute(count).fetchone() == (0,)
    mended.close()


def test_where_nothing_can_be_written_it_is_read_without_a_turn(
    satellite: Satellite, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(satellite, "u/me/run")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    # No file system can be mounted here, and root may write to any directory.
    monkeypatch.setattr("python_butler.satellite.spool.lock._write", refuse)
    assert runs(satellite) == {"u/me/run"}
    with pytest.raises(SatelliteError, match="readonly database"):
        put(satellite, "u/me/other")


# Changing it later


@pytest.mark.parametrize("first", ["files", "posix"])
def test_how_to_lock_is_changed_and_changed_back(tmp_path: Path, first: Locks) -> None:
    satellite = Satellite.create("dp2", tmp_path / "dp2", universe=UNIVERSE, locks=first)
    second: Locks = "posix" if first == "files" else "files"
    _fill(satellite)
    for turn, locks in enumerate((second, first)):
        assert satellite.change_locks(locks) == locks
        assert storage_of(satellite).locks == locks
        assert turns_of(satellite).directory.exists() == (locks == "files")
        put(satellite, f"u/me/{turn}")
        assert satellite.check(min_age=0).clean
        assert satellite.change_locks(locks) == locks
    assert runs(satellite) == {"u/me/before", "u/me/0", "u/me/1"}
    # Here SQLite's own are good.
    assert satellite.change_locks() == "posix"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dp2"]


@pytest.mark.parametrize("first", ["files", "posix"])
def test_how_to_lock_is_not_changed_while_somebody_uses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: Locks
) -> None:
    satellite = Satellite.create("dp2", tmp_path / "dp2", universe=UNIVERSE, locks=first)
    _fill(satellite)
    second: Locks = "posix" if first == "files" else "files"
    monkeypatch.setattr(locks_module, "_PATIENCE", 0.1)
    before = (satellite.root / "butler.yaml").read_bytes()
    with satellite.writer() as writer, writer.transaction():
        writer.collections.register("u/me/run")
        with pytest.raises(SatelliteError, match="while it is in use"):
            satellite.change_locks(second)
    with satellite.reader() as reader, reader.query() as query:
        assert list(query.dimension_records("instrument")) == []
        if first == "posix":
            with pytest.raises(SatelliteError, match=f"process {os.getpid()} has it open"):
                satellite.change_locks(second)
    assert (satellite.root / "butler.yaml").read_bytes() == before


@pytest.mark.parametrize("first", ["files", "posix"])
def test_who_had_it_open_unseen_cannot_write_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: Locks
) -> None:
    satellite = Satellite.create("dp2", tmp_path / "dp2", universe=UNIVERSE, locks=first)
    _fill(satellite)
    with Butler.from_config(str(satellite.root), writeable=True) as unseen:
        unseen.put({"run": "seen"}, "number", run="u/me/before")
        # As on another machine.
        monkeypatch.setattr(locks_module, "users_of", lambda path: [])
        satellite.change_locks("posix" if first == "files" else "files")
        with pytest.raises(Exception, match=r"readonly|open it anew"):
            unseen.collections.register("u/me/lost")
    put(satellite, "u/me/after")
    assert runs(satellite) == {"u/me/before", "u/me/after"}


def test_there_is_nothing_to_lock_in_a_database_server(tmp_path: Path, postgres: str) -> None:
    satellite = Satellite.create("dp2", tmp_path / "dp2", universe=UNIVERSE, registry=postgres)
    with pytest.raises(InvalidRequestError, match="PostgreSQL does it itself"):
        satellite.change_locks("files")


def _fill(satellite: Satellite) -> None:
    with satellite.writer() as writer:
        writer.registry.registerDatasetType(
            DatasetType("number", (), "StructuredDataDict", universe=writer.dimensions)
        )
        writer.collections.register("u/me/before")
