"""Satellites that older versions made, and ones opened without this package."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pydantic
import pytest
from lsst.daf.butler import Butler, Config, DatasetType, DimensionUniverse
from matplotlib.figure import Figure

from python_butler.datastore import personal_of, references_of
from python_butler.errors import SatelliteError
from python_butler.satellite import Satellite


class Point(pydantic.BaseModel):
    """A model that somebody saves."""

    x: int


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A satellite of the first format, with one dataset."""
    root = tmp_path / "dp2"
    datastore = {
        "cls": "lsst.daf.butler.datastores.fileDatastore.FileDatastore",
        "name": "personal",
        "root": "<butlerRoot>/files",
        "records": {"table": "file_datastore_records"},
    }
    Butler.makeRepo(str(root), config=Config({"datastore": datastore}), forceConfigRoot=False)
    (root / "files").mkdir(exist_ok=True)
    (root / "satellite.json").write_text('{"format": 1, "label": "dp2"}')
    with Butler.from_config(str(root), writeable=True, run="u/me/run") as butler:
        butler.registry.registerDatasetType(
            DatasetType("number", (), "StructuredDataDict", universe=butler.dimensions)
        )
        butler.put({"number": 7}, "number")
    return root


def number(root: Path | str) -> object:
    with Butler.from_config(str(root), collections="u/me/run") as butler:
        return butler.get("number")


def test_an_old_satellite_gets_the_datastore_of_references(old: Path) -> None:
    satellite = Satellite.open("dp2", old)
    assert satellite.info().format == 3
    with satellite.reader() as reader:
        assert references_of(reader).name == "references"
        assert personal_of(reader).name == "personal"
        assert reader.get("number", collections="u/me/run") == {"number": 7}
    assert number(old) == {"number": 7}
    assert number(old / "personal.yaml") == {"number": 7}
    with satellite.writer() as writer:
        writer.collections.register("u/me/other")
        writer.put({"number": 8}, "number", run="u/me/other")
    assert sorted(path.name for path in old.iterdir()) == [
        "README.md",
        "butler.yaml",
        "files",
        "gen3.sqlite3",
        "personal.yaml",
        "satellite.json",
    ]


def test_one_of_the_second_format_gets_what_came_later(old: Path) -> None:
    Satellite.open("dp2", old)
    marker, config = json.loads((old / "satellite.json").read_text()), Config(str(old / "butler.yaml"))
    (old / "satellite.json").write_text(json.dumps({"format": 2, "label": "dp2"}))
    del config["datastore", "format"]
    config.dumpToUri(str(old / "butler.yaml"))
    with sqlite3.connect(old / "gen3.sqlite3") as connection:
        connection.execute("DROP TABLE provenance_records")
    connection.close()
    # Whoever only reads does without.
    assert number(old) == {"number": 7}
    satellite = Satellite.open("dp2", old)
    assert satellite.info().format == marker["format"]
    assert Config(str(old / "butler.yaml"))["datastore", "format"] == marker["format"]
    with sqlite3.connect(old / "gen3.sqlite3") as connection:
        assert connection.execute("SELECT count(*) FROM provenance_records").fetchone() == (0,)
    connection.close()
    assert number(old) == {"number": 7}


def _everything(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "use",
    [
        lambda root: Satellite.open("dp2", root),
        lambda root: Satellite.create("dp2", root, universe=DimensionUniverse()),
        lambda root: Satellite("dp2", root).reader(),
        lambda root: Satellite("dp2", root).writer().__enter__(),
        lambda root: Satellite("dp2", root).info(),
        lambda root: Butler.from_config(str(root)),
        lambda root: Butler.from_config(str(root), writeable=True),
        lambda root: Butler.from_config(str(root / "butler.yaml")),
    ],
    ids=["open", "create", "reader", "writer", "info", "butler", "writeable butler", "configuration"],
)
def test_one_that_a_newer_version_made_is_left_alone(old: Path, use: Callable[[Path], object]) -> None:
    Satellite.open("dp2", old)
    _make_newer(old)
    before = _everything(old)
    with pytest.raises(SatelliteError, match=r"newer version of python-butler\. Upgrade"):
        use(old)
    assert _everything(old) == before


def _make_newer(root: Path) -> None:
    marker = json.loads((root / "satellite.json").read_text())
    (root / "satellite.json").write_text(json.dumps(marker | {"format": 99, "also": "unheard of"}))
    config = Config(str(root / "butler.yaml"))
    config["datastore", "format"] = 99
    config["datastore", "also"] = "unheard of"
    config.dumpToUri(str(root / "butler.yaml"))


def test_what_it_was_configured_with_is_kept(old: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (old / "files").rename(elsewhere)
    config = Config(str(old / "butler.yaml"))
    config["datastore", "root"] = str(elsewhere)
    config.dumpToUri(str(old / "butler.yaml"))
    (old / "README.md").write_text("my notes")
    satellite = Satellite.open("dp2", old)
    with satellite.reader() as reader:
        assert personal_of(reader).root.ospath.rstrip("/") == str(elsewhere)
        assert reader.get("number", collections="u/me/run") == {"number": 7}
    assert (old / "README.md").read_text() == "my notes"


@pytest.mark.parametrize("file", ["personal.yaml", "butler.yaml", "README.md", "satellite.json"])
def test_it_stays_whole_when_bringing_it_up_to_date_is_interrupted(
    old: Path, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def interrupted(self: Path, target: Path) -> Path:
        if target.name == file:
            raise KeyboardInterrupt
        return replace(self, target)

    with monkeypatch.context() as patch:
        # A process that ends at exactly this moment cannot be had otherwise.
        patch.setattr(Path, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            Satellite.open("dp2", old)
    assert number(old) == {"number": 7}
    assert Satellite.open("dp2", old).info().format == 3
    assert number(old) == {"number": 7}
    assert not list(old.glob("building-*"))


def test_several_processes_may_bring_it_up_to_date_at_once(old: Path) -> None:
    code = (
        "import sys; from python_butler.satellite import Satellite; print('ready', flush=True);"
        f"sys.stdin.readline(); print(Satellite.open('dp2', {str(old)!r}).info().format)"
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
        assert [process.communicate(timeout=120)[0].strip() for process in processes] == ["3", "3"]
    finally:
        for process in processes:
            process.kill()
    assert number(old) == {"number": 7}


def _unprivileged(code: str) -> subprocess.CompletedProcess[str]:
    """Run Python as somebody whom permissions of files bind."""
    command = [sys.executable, "-c", code]
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root may write everywhere, and cannot lay that down here")
        lack = "-dac_override"
        command = ["setpriv", f"--bounding-set={lack}", f"--inh-caps={lack}", *command]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def _read_only(root: Path) -> None:
    for path in (*root.rglob("*"), root):
        path.chmod(0o500 if path.is_dir() else 0o400)


@pytest.mark.parametrize("version", [1, 3])
def test_on_a_disk_that_cannot_be_written_it_can_be_read(old: Path, version: int) -> None:
    if version == 3:
        Satellite.open("dp2", old)
    _read_only(old)
    done = _unprivileged(
        "from python_butler.satellite import Satellite\n"
        f"satellite = Satellite.open('dp2', {str(old)!r})\n"
        "with satellite.reader() as reader: print(reader.get('number', collections='u/me/run'))\n"
        "info = satellite.info(); print(info.format, info.own_datasets, info.references)\n"
        "from python_butler.errors import SatelliteError\n"
        "try:\n"
        "    with satellite.writer() as writer: writer.collections.register('u/me/x')\n"
        "except SatelliteError as error: print(error)\n"
    )
    lines = done.stdout.splitlines()
    assert lines[:2] == ["{'number': 7}", f"{version} 1 0"], done.stderr
    assert "yours to write" in lines[2]


def test_a_damaged_old_satellite_is_reported(old: Path) -> None:
    (old / "gen3.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.raises(SatelliteError, match="cannot be brought up to date"):
        Satellite.open("dp2", old)
    assert '"format": 1' in (old / "satellite.json").read_text()


def test_a_reader_never_needs_the_tables_to_be_made(tmp_path: Path) -> None:
    satellite = Satellite.create("dp2", tmp_path / "dp2", universe=DimensionUniverse())
    with satellite.reader() as reader:
        assert references_of(reader).known([]) == set()
        assert references_of(reader)._table is not None
        assert personal_of(reader)._table is not None


# Without this package

_WITHOUT = """
import sys
class Missing:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] == "python_butler":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing)
from lsst.daf.butler import Butler
"""


def _without_package(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _WITHOUT + code], capture_output=True, text=True, timeout=120
    )


def test_without_the_package_the_readme_leads_to_the_personal_part(old: Path) -> None:
    Satellite.open("dp2", old)
    failed = _without_package(f"Butler.from_config({str(old)!r})")
    assert failed.returncode != 0
    assert "No module named 'python_butler'" in failed.stderr
    readme = (old / "README.md").read_text()
    assert "No module named 'python_butler'" in readme
    assert "python_butler.datastore.SatelliteDatastore" in failed.stderr.splitlines()[-1]
    assert "python_butler.datastore.SatelliteDatastore" in readme
    assert "personal.yaml" in readme
    assert "README.md" in (old / "butler.yaml").read_text()
    done = _without_package(
        f"print(Butler.from_config({str(old / 'personal.yaml')!r}, collections='u/me/run').get('number'))"
    )
    assert done.stdout.strip() == "{'number': 7}", done.stderr


def test_without_the_package_no_storage_class_is_in_the_way(old: Path) -> None:
    satellite = Satellite.open("dp2", old)
    values = {
        "words": ("str", "some words"),
        "ratio": ("float", 0.5),
        "flag": ("bool", True),
        "picture": ("Plot", Figure(figsize=(1, 1))),
        "model": ("PydanticModel", Point(x=1)),
    }
    with satellite.writer() as writer:
        for name, (storage_class, value) in values.items():
            writer.registry.registerDatasetType(
                DatasetType(name, (), storage_class, universe=writer.dimensions)
            )
            writer.put(value, name, run="u/me/run")
    done = _without_package(
        f"butler = Butler.from_config({str(old / 'personal.yaml')!r}, collections='u/me/run')\n"
        "print(sorted(each.name for each in butler.registry.queryDatasetTypes()))\n"
        "print([butler.get(name) for name in ('words', 'ratio', 'flag', 'number')])\n"
        "print(butler.getURI('picture').read()[:4], butler.getURI('model').read())\n"
    )
    assert done.stdout.splitlines() == [
        "['flag', 'model', 'number', 'picture', 'ratio', 'words']",
        "['some words', 0.5, True, {'number': 7}]",
        """b'\\x89PNG' b'{"model": "tests.satellite.test_formats:Point", "data": {"x": 1}}'""",
    ], done.stderr
    # Both in one process, whichever comes first.
    with Butler.from_config(str(old / "personal.yaml"), collections="u/me/run") as plain:
        assert plain.get("words") == "some words"
        assert plain.get("model") == Point(x=1)


def test_the_readme_names_the_official_repository_and_no_place(old: Path) -> None:
    Satellite.open("dp2", old)
    readme = (old / "README.md").read_text()
    assert 'python_butler.open("dp2"' in readme
    assert "satellite info dp2" in readme
    assert str(old) not in readme
