"""Satellites whose database or files are not in their directory do what others do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from lsst.daf.butler import Butler, DatasetType, DimensionUniverse
from lsst.resources import ResourcePath

from python_butler.cli import main
from python_butler.errors import SatelliteError
from python_butler.satellite import Satellite
from python_butler.satellite.storage import storage_of

UNIVERSE = DimensionUniverse()
PLACES = ("postgres and s3", "postgres", "s3", "scratch")


@pytest.fixture(params=PLACES)
def chosen(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Where to create a satellite."""
    monkeypatch.setenv("JUPYTERHUB_USER", "me")
    chosen = {}
    if "postgres" in request.param:
        chosen["registry"] = request.getfixturevalue("postgres")
    if "s3" in request.param:
        chosen["storage"] = request.getfixturevalue("object_storage")
    if "scratch" in request.param:
        chosen["storage"] = str(tmp_path / "scratch" / "dp2")
    return chosen


@pytest.fixture
def satellite(chosen: dict[str, str], tmp_path: Path) -> Satellite:
    return Satellite.create("dp2", tmp_path / "dp2", universe=UNIVERSE, **chosen)  # type: ignore[arg-type]


def put_number(satellite: Satellite, number: int, run: str = "u/me/run") -> None:
    with satellite.writer() as writer:
        writer.registry.registerDatasetType(
            DatasetType("number", (), "StructuredDataDict", universe=writer.dimensions)
        )
        writer.collections.register(run)
        writer.put({"number": number}, "number", run=run)


def test_any_butler_reads_and_writes_it(satellite: Satellite, chosen: dict[str, str]) -> None:
    put_number(satellite, 7)
    with Butler.from_config(str(satellite.root), writeable=True, run="u/me/other") as butler:
        assert butler.get("number", collections="u/me/run") == {"number": 7}
        butler.put({"number": 8}, "number")
    with satellite.reader() as reader:
        assert reader.get("number", collections="u/me/other") == {"number": 8}
        uri = str(reader.getURI("number", collections="u/me/other"))
    if "storage" in chosen:
        assert uri.startswith(str(storage_of(satellite).files))
        assert not (satellite.root / "files").exists()
    with Butler.from_config(str(satellite.root / "personal.yaml"), collections="u/me/run") as plain:
        assert plain.get("number") == {"number": 7}


def test_what_there_is_to_say_about_it(satellite: Satellite, chosen: dict[str, str]) -> None:
    put_number(satellite, 7)
    info = satellite.info()
    assert (info.own_datasets, info.runs) == (1, 1)
    assert info.file_bytes > 0
    assert info.database_bytes is not None
    assert info.database_bytes > 100_000
    assert info.registry.startswith(chosen.get("registry", str(satellite.root)))
    assert info.storage.startswith(chosen.get("storage", str(satellite.root)).rstrip("/"))
    readme = (satellite.root / "README.md").read_text()
    assert "Only a part of the repository is in this directory" in readme
    assert ("gen3.sqlite3" in readme) == ("registry" not in chosen)


def test_its_version_changes_with_the_content_and_not_otherwise(satellite: Satellite) -> None:
    before = satellite.version()
    with satellite.reader() as reader:
        reader.collections.query("*")
    assert satellite.version() == before
    put_number(satellite, 1)
    after = satellite.version()
    assert after != before
    assert after.partition("-")[0] == before.partition("-")[0]


def test_two_processes_write_it_at_once(satellite: Satellite) -> None:
    put_number(satellite, 0)
    code = (
        "import sys; from lsst.daf.butler import Butler\n"
        f"butler = Butler.from_config({str(satellite.root)!r}, writeable=True, run='u/me/' + sys.argv[1])\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "for i in range(10):\n"
        "    run = f'u/me/{sys.argv[1]}/{i}'; butler.collections.register(run)\n"
        "    butler.put({'number': i}, 'number', run=run)\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in "ab"
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        assert [process.wait(120) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    with satellite.reader() as reader:
        for name in "ab":
            for i in range(10):
                assert reader.get("number", collections=f"u/me/{name}/{i}") == {"number": i}


def test_what_is_exported_is_imported_elsewhere(satellite: Satellite, tmp_path: Path) -> None:
    put_number(satellite, 7)
    (tmp_path / "export").mkdir()
    with (
        satellite.reader() as reader,
        reader.export(directory=tmp_path / "export", format="yaml", transfer="copy") as export,
    ):
        export.saveDatasets(reader.query_datasets("number", "u/me/run"))
    other = Satellite.create("dp2", tmp_path / "other", universe=UNIVERSE)
    with other.writer() as writer:
        writer.import_(
            directory=tmp_path / "export", filename=tmp_path / "export/export.yaml", transfer="copy"
        )
    with other.reader() as reader:
        assert reader.get("number", collections="u/me/run") == {"number": 7}


def test_what_is_removed_is_gone_from_the_files(satellite: Satellite) -> None:
    put_number(satellite, 7)
    with satellite.writer() as writer:
        uri = writer.getURI("number", collections="u/me/run")
        assert uri.exists()
        writer.removeRuns(["u/me/run"], unlink_from_chains=True)
    assert not uri.exists()


def test_creating_twice_keeps_what_is_there(satellite: Satellite, chosen: dict[str, str]) -> None:
    put_number(satellite, 7)
    for again in ({}, chosen):
        Satellite.create("dp2", satellite.root, universe=UNIVERSE, **again)  # type: ignore[arg-type]
    with satellite.reader() as reader:
        assert reader.get("number", collections="u/me/run") == {"number": 7}


def test_one_that_is_elsewhere_than_asked_for_is_not_moved(satellite: Satellite, tmp_path: Path) -> None:
    with pytest.raises(SatelliteError, match=r"has its files in .* satellite migrate"):
        Satellite.create("dp2", satellite.root, universe=UNIVERSE, storage=tmp_path / "third")
    with pytest.raises(SatelliteError, match=r"has its registry in .* satellite migrate"):
        Satellite.create("dp2", satellite.root, universe=UNIVERSE, registry="postgresql://other/database")
    assert not (tmp_path / "third").exists()


def test_no_second_satellite_takes_its_places(
    satellite: Satellite, chosen: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(SatelliteError, match=f"satellite of dp2 in {satellite.root}"):
        Satellite.create("dp2", tmp_path / "other", universe=UNIVERSE, **chosen)  # type: ignore[arg-type]
    assert not (tmp_path / "other").exists()
    put_number(satellite, 7)


def test_several_satellites_share_a_database_and_a_bucket(
    satellite: Satellite, chosen: dict[str, str], tmp_path: Path
) -> None:
    beside = dict(chosen)
    if "storage" in chosen:
        beside["storage"] = chosen["storage"].rstrip("/") + "-beside"
    # The label is a part of the default schema's name.
    other = Satellite.create("dp1", tmp_path / "dp1", universe=UNIVERSE, **beside)  # type: ignore[arg-type]
    put_number(satellite, 1)
    put_number(other, 2)
    for each, number in ((satellite, 1), (other, 2)):
        with each.reader() as reader:
            assert reader.get("number", collections="u/me/run") == {"number": number}


def test_files_of_somebody_else_are_left_alone(object_storage: str, tmp_path: Path) -> None:
    ResourcePath(object_storage).join("precious.txt").write(b"mine")
    with pytest.raises(SatelliteError, match=r"not empty: it holds precious\.txt"):
        Satellite.create("dp2", tmp_path / "dp2", universe=UNIVERSE, storage=object_storage)
    assert ResourcePath(object_storage).join("precious.txt").read() == b"mine"
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_refuses_is_told_without_its_keys(
    object_storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lsst.resources.s3utils import _get_s3_client

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
    _get_s3_client.cache_clear()
    try:
        with pytest.raises(SatelliteError, match="AWS_ACCESS_KEY_ID") as caught:
            Satellite.create("dp2", tmp_path / "dp2", universe=UNIVERSE, storage=object_storage)
    finally:
        _get_s3_client.cache_clear()
    assert "another-secret" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def on_the_command_line(environment: dict[str, str], postgres: str, object_storage: str) -> list[str]:
    return ["create", "dp2", "--no-records", "--registry", postgres, "--storage", object_storage, "--json"]


def test_it_is_created_on_the_command_line(on_the_command_line: list[str]) -> None:
    done = CliRunner().invoke(main, on_the_command_line)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["registry"].startswith("postgresql://")
    assert told["storage"].startswith("s3://")
    again = CliRunner().invoke(main, [*on_the_command_line[:3], "--registry", "postgresql://me:hush@x/y"])
    assert again.exit_code != 0
    assert "hush" not in again.output
