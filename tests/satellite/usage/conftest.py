"""Disks that are really full, and satellites on them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lsst.daf.butler import DatasetType, DimensionUniverse

from python_butler.satellite import Satellite

from .scene import Mine


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mount a file system of so many bytes; skipped where this may not be done."""
    mounted: list[Path] = []

    def mount(count: int) -> Path:
        directory = tmp_path / f"disk{len(mounted)}"
        directory.mkdir()
        if shutil.which("mount") is None:
            pytest.skip("there is no command to mount a file system")
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={count}", "tmpfs", str(directory)],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            pytest.skip(f"no file system may be mounted here: {done.stderr.strip()}")
        mounted.append(directory)
        return directory

    try:
        yield mount
    finally:
        for directory in mounted:
            subprocess.run(["umount", "--lazy", str(directory)], check=True)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made") / "dp2"
    with Satellite.create("dp2", root, universe=DimensionUniverse()).writer() as writer:
        writer.registry.insertDimensionData(
            "skymap", {"name": "sky", "hash": b"x", "tract_max": 9, "patch_nx_max": 1, "patch_ny_max": 1}
        )
        writer.registry.insertDimensionData("tract", *[{"skymap": "sky", "id": i} for i in range(10)])
        for name in ("stars", "galaxies"):
            writer.registry.registerDatasetType(
                DatasetType(name, ("skymap", "tract"), "StructuredDataDict", universe=writer.dimensions)
            )
    return root


@pytest.fixture
def mine(made: Path, tmp_path: Path) -> Mine:
    shutil.copytree(made, tmp_path / "butler" / "dp2")
    return Mine(Satellite.open("dp2", tmp_path / "butler" / "dp2"))
