"""What is particular to a registry on a database server."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from lsst.daf.butler import Butler, DimensionUniverse

from python_butler.demo.postgres import PostgresServer
from python_butler.errors import SatelliteError
from python_butler.satellite import Satellite
from python_butler.satellite.storage import storage_of
from python_butler.satellite.storage.patience import patient_for
from python_butler.saving.patience import is_busy

UNIVERSE = DimensionUniverse()


@pytest.fixture(autouse=True)
def _user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_USER", "Some.One")


def create(root: Path, url: str, **chosen: str) -> Satellite:
    return Satellite.create("dp2", root, universe=UNIVERSE, registry=url, **chosen)  # type: ignore[arg-type]


def schemas(url: str) -> set[str]:
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute("SELECT nspname FROM pg_namespace").fetchall()
    return {name for (name,) in rows if not name.startswith(("pg_", "information_"))}


def test_the_schema_is_called_after_the_user_and_the_release(postgres: str, tmp_path: Path) -> None:
    satellite = create(tmp_path / "dp2", postgres)
    assert storage_of(satellite).namespace == "u_some_one_dp2"
    assert schemas(postgres) == {"public", "u_some_one_dp2"}


def test_the_password_is_in_no_file(postgres: str, postgres_server: PostgresServer, tmp_path: Path) -> None:
    satellite = create(tmp_path / "dp2", postgres)
    for path in satellite.root.rglob("*"):
        assert path.is_dir() or postgres_server.password not in path.read_text(errors="replace"), path
    assert postgres_server.password not in repr(storage_of(satellite))


def test_it_can_come_from_the_usual_file(
    postgres: str, postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGPASSWORD")
    monkeypatch.delenv("PGUSER")
    auth = tmp_path / "db-auth.yaml"
    auth.write_text(
        f"- url: {postgres}\n  username: {postgres_server.user}\n  password: {postgres_server.password}\n"
    )
    auth.chmod(0o600)
    monkeypatch.setenv("LSST_DB_AUTH", str(auth))
    satellite = create(tmp_path / "dp2", postgres)
    assert satellite.version().startswith("pg")
    auth.chmod(0o644)
    with pytest.raises(SatelliteError, match="cannot be used"):
        satellite.reader()


def test_a_wrong_password_is_told_without_it(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "hush-hush")
    with pytest.raises(SatelliteError, match=r"password authentication failed.*PGPASSWORD") as caught:
        create(tmp_path / "dp2", postgres)
    assert "hush" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_the_extension_gets_it(
    postgres: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    bare = postgres_server.create_database("bare", extension=False)
    create(tmp_path / "dp2", bare)
    assert postgres_server.execute("bare", "SELECT 1 FROM pg_extension WHERE extname = 'btree_gist'")


def test_who_may_not_install_it_is_told_whom_to_ask(
    postgres: str, postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres_server.create_database("guests", extension=False)
    postgres_server.execute("guests", "CREATE ROLE guest LOGIN PASSWORD 'guest-guest'")
    monkeypatch.setenv("PGUSER", "guest")
    monkeypatch.setenv("PGPASSWORD", "guest-guest")
    with pytest.raises(SatelliteError, match="CREATE EXTENSION btree_gist"):
        create(tmp_path / "dp2", url)
    assert list(tmp_path.iterdir()) == []


def test_a_schema_with_other_tables_is_left_alone(
    postgres: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA mine")
        connection.execute("CREATE TABLE mine.precious AS SELECT 7 AS number")
        with pytest.raises(SatelliteError, match="not of a satellite"):
            create(tmp_path / "dp2", postgres, namespace="mine")
        assert connection.execute("SELECT number FROM mine.precious").fetchall() == [(7,)]


def test_an_empty_schema_that_somebody_prepared_is_used(postgres: str, tmp_path: Path) -> None:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA prepared")
    create(tmp_path / "dp2", postgres, namespace="prepared")
    assert schemas(postgres) == {"public", "prepared"}


def test_a_failure_on_the_way_leaves_nothing(
    postgres: str, object_storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lsst.resources import ResourcePath

    make = Butler.makeRepo

    def fail(*args: object, **kwargs: object) -> None:
        make(*args, **kwargs)  # type: ignore[arg-type]
        raise OSError(28, "No space left on device")

    # A full disk cannot be had here.
    monkeypatch.setattr(Butler, "makeRepo", fail)
    with pytest.raises(SatelliteError, match="No space left"):
        create(tmp_path / "dp2", postgres, storage=object_storage)
    assert list(tmp_path.iterdir()) == []
    assert schemas(postgres) == {"public"}
    assert list(ResourcePath.findFileResources([ResourcePath(object_storage)])) == []


KILLED = """
import os, sys
from pathlib import Path
from lsst.daf.butler import Butler, DimensionUniverse
from python_butler.satellite import Satellite
rename, make = Path.rename, Butler.makeRepo
if sys.argv[3] == "late":
    Path.rename = lambda *_: os._exit(9)
else:
    Butler.makeRepo = lambda *args, **kwargs: (make(*args, **kwargs), os._exit(9))
Satellite.create("dp2", sys.argv[1], universe=DimensionUniverse(), registry=sys.argv[2])
"""


@pytest.mark.parametrize("when", ["early", "late"])
def test_what_a_killed_process_half_created_is_cleared_away(postgres: str, tmp_path: Path, when: str) -> None:
    root = tmp_path / "dp2"
    done = subprocess.run([sys.executable, "-c", KILLED, root, postgres, when], check=False, timeout=120)
    assert done.returncode == 9
    assert "u_some_one_dp2" in schemas(postgres)
    satellite = create(root, postgres)
    with satellite.writer() as writer:
        writer.collections.register("u/me/run")
    with satellite.reader() as reader:
        assert reader.collections.query("*") == ["u/me/run"]


def test_datasets_whose_directory_was_lost_are_not_overwritten(postgres: str, tmp_path: Path) -> None:
    satellite = create(tmp_path / "dp2", postgres)
    with satellite.writer() as writer:
        writer.collections.register("u/me/run")
    satellite.root.rename(tmp_path / "aside")
    with pytest.raises(SatelliteError, match="still listed"):
        create(tmp_path / "dp2", postgres)
    (tmp_path / "aside").rename(satellite.root)
    with satellite.reader() as reader:
        assert reader.collections.query("*") == ["u/me/run"]


def test_two_processes_that_create_it_at_once_both_have_it(postgres: str, tmp_path: Path) -> None:
    root = tmp_path / "butler" / "dp2"
    code = (
        "import sys; from lsst.daf.butler import DimensionUniverse\n"
        "from python_butler.satellite import Satellite\n"
        "universe = DimensionUniverse(); print('ready', flush=True); sys.stdin.readline()\n"
        f"made = Satellite.create('dp2', {str(root)!r}, universe=universe, registry={postgres!r})\n"
        "print(made.root)\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        assert [process.communicate(timeout=120)[0].strip() for process in processes] == [str(root)] * 2
    finally:
        for process in processes:
            process.kill()
    assert schemas(postgres) == {"public", "u_some_one_dp2"}


# Transactions


def test_writers_come_one_after_the_other_and_say_so_to_who_does_not_wait(
    postgres: str, tmp_path: Path
) -> None:
    satellite = create(tmp_path / "dp2", postgres)

    def write(run: str) -> None:
        with satellite.writer() as writer:
            writer.collections.register(run)

    with satellite.writer() as first, first.transaction():
        first.collections.register("u/me/first")
        with patient_for(0.2), pytest.raises(Exception, match="lock timeout") as caught:
            write("u/me/second")
        assert is_busy(caught.value) or isinstance(caught.value, SatelliteError)
        with satellite.reader() as reader:
            assert reader.collections.query("*") == []
    write("u/me/second")
    with satellite.reader() as reader:
        assert set(reader.collections.query("*")) == {"u/me/first", "u/me/second"}


def test_who_reads_sees_one_state_in_a_transaction(postgres: str, tmp_path: Path) -> None:
    satellite = create(tmp_path / "dp2", postgres)
    with satellite.reader() as reader, reader.query() as query:
        assert list(query.dimension_records("skymap")) == []
        with satellite.writer() as writer:
            writer.registry.insertDimensionData(
                "skymap", {"name": "sky", "hash": b"x", "tract_max": 1, "patch_nx_max": 1, "patch_ny_max": 1}
            )
        assert list(query.dimension_records("skymap")) == []
    with satellite.reader() as reader:
        assert len(reader.query_dimension_records("skymap")) == 1


# The version


def test_what_others_commit_is_noticed_when_it_is_committed(postgres: str, tmp_path: Path) -> None:
    satellite = create(tmp_path / "dp2", postgres)
    with satellite.writer() as writer:
        before = satellite.version()
        with writer.transaction():
            writer.collections.register("u/me/run")
            satellite.version()
            during = satellite.version()
        after = satellite.version()
    assert len({before, during, after}) == 3 or before == during != after


def test_one_that_was_replaced_has_another_identity(postgres: str, tmp_path: Path) -> None:
    first = create(tmp_path / "dp2", postgres).version()
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP SCHEMA u_some_one_dp2 CASCADE")
    assert Satellite("dp2", tmp_path / "dp2").version() == "absent"
    (tmp_path / "dp2").rename(tmp_path / "aside")
    second = create(tmp_path / "dp2", postgres).version()
    assert first.partition("-")[0] != second.partition("-")[0]


def test_a_child_process_leaves_its_parents_connection_alone(postgres: str, tmp_path: Path) -> None:
    satellite = create(tmp_path / "dp2", postgres)
    # In a process of one thread, which may fork.
    code = f"""
        import os
        from pathlib import Path
        from python_butler.satellite.storage import storage_of
        from python_butler.satellite.storage.postgres import PostgresWatch
        storage = storage_of(Path({str(satellite.root)!r}))
        assert storage.version()
        (watch,) = PostgresWatch._all.values()
        backend = watch._connection.connection.driver_connection.info.backend_pid
        if os.fork() == 0:
            assert storage.version()
            raise SystemExit
        assert os.wait()[1] == 0
        assert storage.version()
        assert watch._connection.connection.driver_connection.info.backend_pid == backend
        print("fine")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == "fine\n", done.stderr


@pytest.fixture
def own_server(postgres: str) -> Iterator[PostgresServer]:
    """A server for one test, which may stop it; skipped where there is none."""
    with PostgresServer() as server:
        yield server


def test_a_server_that_stops_is_told_and_one_that_comes_back_is_used(
    own_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", own_server.password)
    satellite = create(tmp_path / "dp2", own_server.create_database("mine"))
    before = satellite.version()
    own_server.stop()
    for ask in (satellite.version, satellite.reader, satellite.info):
        with pytest.raises(SatelliteError, match="cannot be used"):
            ask()
    own_server.start()
    assert satellite.version().partition("-")[0] == before.partition("-")[0]
    with satellite.reader() as reader:
        assert reader.collections.query("*") == []
