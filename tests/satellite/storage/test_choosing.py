"""What is refused before anything is made, and what a configuration is understood to say."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from lsst.daf.butler import DimensionUniverse

from python_butler.errors import InvalidRequestError, SatelliteError
from python_butler.satellite import Satellite
from python_butler.satellite.storage import storage_of

UNIVERSE = DimensionUniverse()


@pytest.mark.parametrize(
    "chosen",
    [
        {"registry": "postgresql://me:hush-hush@server/database"},
        {"registry": "postgresql://server/database?password=hush-hush"},
        {"registry": "postgresql://me:hush-hush@server:port/database"},
        {"registry": "mysql://server/database"},
        {"registry": "sqlite:////elsewhere/gen3.sqlite3"},
        {"registry": "postgresql://server"},
        {"registry": "postgresql://server/database", "namespace": "Robert'); DROP TABLE"},
        {"registry": "postgresql://server/database", "locks": "files"},
        {"namespace": "mine"},
        {"storage": "s3://key:hush-hush@bucket/place"},
        {"storage": "s3://bucket/place?X-Amz-Signature=hush-hush"},
        {"storage": "s3:///place"},
        {"storage": "https://server/place"},
        {"storage": "/scratch/50%20percent"},
        {"locks": "dotfile"},
    ],
)
def test_what_cannot_be_used_is_refused_without_repeating_a_password(
    tmp_path: Path, chosen: dict[str, str]
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        Satellite.create("dp2", tmp_path / "dp2", universe=UNIVERSE, **chosen)  # type: ignore[arg-type]
    assert "hush" not in str(caught.value)
    assert caught.value.next_step
    assert list(tmp_path.iterdir()) == []


def test_in_the_directory_all_is_local(tmp_path: Path) -> None:
    satellite = Satellite.create("dp2", tmp_path / "a b#c", universe=UNIVERSE)
    storage = storage_of(satellite)
    assert storage.is_sqlite
    assert storage.locks == "posix"
    assert storage.database_path == satellite.root / "gen3.sqlite3"
    assert storage.local_files == satellite.root / "files"
    assert storage.files_inside
    assert pickle.loads(pickle.dumps(storage)) == storage
    satellite.root.rename(tmp_path / "moved")
    assert storage_of(tmp_path / "moved").database_path == tmp_path / "moved" / "gen3.sqlite3"


@pytest.mark.parametrize("content", [None, "", "registry: [", "registry:\n  db: sqlite://x\n"])
def test_a_configuration_that_cannot_be_understood_is_reported(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "butler.yaml").write_text(content)
    with pytest.raises(SatelliteError, match=r"butler\.yaml, cannot be read"):
        storage_of(tmp_path)


def test_a_password_that_somebody_wrote_into_the_configuration_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "butler.yaml").write_text(
        "datastore: {root: <butlerRoot>/files}\n"
        "registry: {db: 'postgresql://me:hush-hush@server/database', namespace: mine}\n"
    )
    storage = storage_of(tmp_path)
    assert storage.registry_url == "postgresql://me@server/database"
    assert "hush" not in repr(storage)
