"""What the user's own repository only references is shown as it is, with the server there or not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from python_butler.demo.platform import Platform
from python_butler.satellite import Satellite

from .conftest import Backend


def test_details_of_a_reference_name_the_official_file(
    own_official: Platform, start_backend: Callable[..., Backend], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = start_backend(own_official)
    for name, value in own_official.environment.items():
        monkeypatch.setenv(name, value)
    satellite = Satellite.create("dp2", backend.root / "dp2")
    satellite.reference("object", collections="dp2", skymap="lsst_cells_v2", tract=1)
    with satellite.reader() as butler:
        (ref,) = butler.query_datasets("object", collections="dp2")
    official = backend.get(f"/repositories/official/dp2/datasets/{ref.id}")
    personal = backend.get(f"/repositories/personal/dp2/datasets/{ref.id}")
    (here,), (there,) = personal["files"], official["files"]
    assert here["name"].endswith(f"/{there['name']}")
    assert "dp2" not in here["name"]
    assert here["size"] == there["size"]
    assert personal["stored"]
    own_official.stop_server()
    without_server = backend.get(f"/repositories/personal/dp2/datasets/{ref.id}")
    assert without_server["files"] == personal["files"]


def test_a_personal_repository_tells_how_much_room_it_takes(
    own_official: Platform, start_backend: Callable[..., Backend], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = start_backend(own_official, PYTHON_BUTLER_QUOTA="40GB")
    for name, value in own_official.environment.items():
        monkeypatch.setenv(name, value)
    satellite = Satellite.create("dp2", backend.root / "dp2")
    satellite.reference("object", collections="dp2", skymap="lsst_cells_v2", tract=1)
    usage = backend.get("/repositories/personal/dp2/usage")
    assert usage["quota"] == 40_000_000_000
    assert usage["bytes"] >= (backend.root / "dp2" / "gen3.sqlite3").stat().st_size
    assert (usage["own"], usage["referenced"], usage["pinned"]) == (0, 1, 0)
    assert usage["room"] > 0
