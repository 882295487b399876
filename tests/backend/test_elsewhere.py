"""The backend sees changes of a satellite whose database is no file, or is locked in another way."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsst.daf.butler import DimensionUniverse

from python_butler.backend.models import RepositoryState
from python_butler.backend.personal import PersonalRepository
from python_butler.satellite import Satellite


@pytest.fixture(params=["postgres", "turns by files"])
def satellite(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Satellite:
    monkeypatch.setenv("PYTHON_BUTLER_ROOT", str(tmp_path / "butler"))
    universe = DimensionUniverse()
    if request.param == "postgres":
        return Satellite.create("dp2", universe=universe, registry=request.getfixturevalue("postgres"))
    return Satellite.create("dp2", universe=universe, locks="files")


def test_what_others_write_changes_the_version_and_shows(satellite: Satellite) -> None:
    repository = PersonalRepository("dp2")
    assert repository.describe().state is RepositoryState.CONNECTED
    before = repository.version()
    assert list(repository.butler().collections.query("*")) == []
    assert repository.version() == before
    with satellite.writer() as writer:
        writer.collections.register("u/me/run")
    assert repository.version() != before
    assert repository.version().partition(".")[0] == before.partition(".")[0]
    assert list(repository.butler().collections.query("*")) == ["u/me/run"]


def test_one_that_a_newer_version_made_says_so(satellite: Satellite) -> None:
    marker = satellite.root / "satellite.json"
    marker.write_text(marker.read_text().replace('"format": 3', '"format": 99'))
    error = PersonalRepository("dp2").describe().error
    assert error is not None
    assert "newer version" in error.message
    assert "Upgrade" in error.next_step
