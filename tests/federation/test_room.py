"""A put that finds no room says so in one clear error, and nothing of it is there."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from lsst.daf.butler import DatasetRef, DatasetType, FileDataset

from python_butler.demo.platform import Platform
from python_butler.errors import LittleRoomWarning, NoSpaceError
from python_butler.federation import SatelliteButler
from python_butler.federation import open as open_butler


@pytest.fixture
def full_soon(kernel: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SatelliteButler]:
    """A Butler whose satellite is on a disk of eight megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if (
        shutil.which("mount") is None
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=8000000", "tmpfs", str(disk)], capture_output=True
        ).returncode
    ):
        pytest.skip("no file system may be mounted here")
    try:
        monkeypatch.setenv("PYTHON_BUTLER_ROOT", str(disk))
        with open_butler("dp2", run="u/me/mine") as butler:
            for name in ("array", "other"):
                butler.registry.registerDatasetType(
                    DatasetType(name, ("skymap", "tract"), "NumpyArray", universe=butler.dimensions)
                )
            yield butler
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _files(root: Path) -> list[Path]:
    return [path for path in (root / "dp2" / "files").rglob("*") if path.is_file()]


def test_a_put_that_does_not_fit_warns_and_leaves_nothing(full_soon: SatelliteButler, tmp_path: Path) -> None:
    with (
        pytest.warns(LittleRoomWarning, match=r"about 24\.0 MB") as warned,
        pytest.raises(NoSpaceError, match="satellite prune dp2"),
    ):
        full_soon.put(np.zeros(3_000_000), "array", skymap="sky", tract=1)
    assert [Path(warning.filename).name for warning in warned] == [Path(__file__).name]
    assert not _files(tmp_path / "disk")
    assert not full_soon.exists("array", skymap="sky", tract=1)
    ref = full_soon.put(np.arange(3), "array", skymap="sky", tract=1)
    assert list(full_soon.get(ref)) == [0, 1, 2]


@pytest.mark.filterwarnings("ignore::python_butler.errors.LittleRoomWarning")
def test_a_transaction_that_does_not_fit_leaves_nothing_of_it(
    full_soon: SatelliteButler, tmp_path: Path
) -> None:
    def write() -> None:
        with full_soon.transaction():
            full_soon.put(np.arange(3), "other", skymap="sky", tract=1)
            assert len(_files(tmp_path / "disk")) == 1
            full_soon.put(np.zeros(3_000_000), "array", skymap="sky", tract=1)

    with pytest.raises(NoSpaceError):
        write()
    assert not _files(tmp_path / "disk")
    assert not full_soon.exists("other", skymap="sky", tract=1)


@pytest.mark.parametrize("transfer", ["copy", "move"])
def test_files_that_do_not_fit_are_not_begun_to_be_ingested(
    full_soon: SatelliteButler, tmp_path: Path, transfer: str
) -> None:
    files = []
    for tract in (1, 2):
        ref = DatasetRef(
            full_soon.get_dataset_type("array"),
            full_soon.registry.expandDataId(skymap="sky", tract=tract),
            "u/me/mine",
        )
        path = tmp_path / f"{tract}.pickle"
        path.write_bytes(bytes(3_200_000))
        files.append(FileDataset(str(path), ref))
    with pytest.raises(NoSpaceError, match=r"6\.40 MB"):
        full_soon.ingest(*files, transfer=transfer)
    assert not _files(tmp_path / "disk")
    assert len(list(tmp_path.glob("*.pickle"))) == 2


@pytest.mark.filterwarnings("error::python_butler.errors.LittleRoomWarning")
def test_files_that_stay_where_they_are_need_no_room(full_soon: SatelliteButler, tmp_path: Path) -> None:
    ref = DatasetRef(
        full_soon.get_dataset_type("array"),
        full_soon.registry.expandDataId(skymap="sky", tract=1),
        "u/me/mine",
    )
    path = tmp_path / "large.pickle"
    path.write_bytes(bytes(16_000_000))
    full_soon.ingest(FileDataset(str(path), ref), transfer="direct")
    assert full_soon.getURI(ref).ospath == str(path)


def test_what_is_gathered_and_may_not_fit_is_warned_of(full_soon: SatelliteButler) -> None:
    with full_soon.deferred() as batch:
        with (
            pytest.warns(LittleRoomWarning, match=r"about 24\.0 MB"),
            pytest.raises(NoSpaceError, match="not in the batch"),
        ):
            batch.put(np.zeros(3_000_000), "array", skymap="sky", tract=1)
        batch.put(np.arange(3), "array", skymap="sky", tract=1)
    assert list(full_soon.get("array", skymap="sky", tract=1)) == [0, 1, 2]
