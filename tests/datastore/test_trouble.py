"""Every trouble there is, on everything that needs an official server: what works on, and what is told.

Trouble with the server, the token or the network is an `OSError` and no `FileNotFoundError`; only a
dataset that is gone is a lookup error. Nobody waits long, and no message holds a secret.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from lsst.daf.butler import Butler, DatasetExistence, DatasetNotFoundError, DatasetRef

from python_butler.datastore import references_of, signer, transport
from python_butler.datastore.failures import NotConfigured
from python_butler.demo.platform import Platform
from python_butler.demo.service import LOOPBACK, reserve_port
from python_butler.demo.trouble import ServiceName
from python_butler.errors import (
    ForbiddenError,
    GoneError,
    OfficialServerError,
    OfflineError,
    PythonButlerError,
    ServerBusyError,
    TokenError,
    UnknownRepositoryError,
)
from python_butler.official import connect
from python_butler.satellite import Satellite

from . import scene

SECONDS = 25.0
"""Longer than this nobody waits for bad news."""

LIMIT = 2.0
"""Seconds without a byte after which a server counts as offline, in these tests."""


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An official repository from which datasets may be deleted."""
    return scene.build(tmp_path_factory.mktemp("official"))


@pytest.fixture(scope="module")
def platform(official: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform that serves it."""
    with Platform(tmp_path_factory.mktemp("platform"), repository=official) as platform:
        yield platform


@pytest.fixture(scope="module")
def referencing(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a satellite with references, to be copied."""
    root = tmp_path_factory.mktemp("butler")
    with pytest.MonkeyPatch.context() as patch:
        scene.enter(platform, patch, root)
        return scene.satellite_with("source", "large", "note").root


@pytest.fixture
def satellite(
    platform: Platform, referencing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Satellite]:
    """A satellite of this test alone, in a kernel that has read nothing yet and is impatient."""
    scene.enter(platform, monkeypatch, tmp_path / "butler")
    monkeypatch.setenv("DAF_BUTLER_CACHE_DIRECTORY", str(tmp_path / "cache"))
    monkeypatch.setattr(signer, "READ_TIMEOUT", LIMIT)
    monkeypatch.setattr(transport, "READ_TIMEOUT", LIMIT)
    monkeypatch.setitem(connect.__kwdefaults__, "read_timeout", LIMIT)
    monkeypatch.setattr(signer, "_signers", {})
    shutil.copytree(referencing, tmp_path / "butler" / "dp2")
    platform.requests(forget=True)
    yield Satellite.open("dp2")
    platform.calm()
    for used in signer._signers.values():
        used.close()
        for pool in used._transport._pools.values():
            pool.clear()


@contextmanager
def reading(satellite: Satellite) -> Iterator[Butler]:
    butler = satellite.reader()
    try:
        yield butler
    finally:
        butler.close()


def ref_of(butler: Butler, name: str, visit: int) -> DatasetRef:
    ref = butler.find_dataset(name, instrument="Cam", visit=visit, collections=scene.RUN)
    assert ref is not None
    return ref


def get(satellite: Satellite) -> None:
    with reading(satellite) as butler:
        found = butler.get(ref_of(butler, "large", 1))
    assert (found["flux"] == scene.table(1, scene.ROWS)["flux"]).all()


def get_part(satellite: Satellite) -> None:
    with reading(satellite) as butler:
        found = butler.get(ref_of(butler, "large", 1), parameters={"columns": ["flux"]})
    assert (found["flux"] == scene.table(1, scene.ROWS)["flux"]).all()


def prefetch(satellite: Satellite) -> None:
    with reading(satellite) as butler:
        references_of(butler).prefetch([ref_of(butler, "source", visit) for visit in scene.VISITS[:6]])


def exists(satellite: Satellite) -> None:
    with reading(satellite) as butler:
        assert butler.exists(ref_of(butler, "source", 3)) is DatasetExistence.VERIFIED


def stored(satellite: Satellite) -> None:
    with reading(satellite) as butler:
        refs = [ref_of(butler, "source", visit) for visit in scene.VISITS]
        assert all(butler.stored_many(refs).values())


def reference(satellite: Satellite) -> None:
    satellite.reference("note", collections=[scene.ZIPPED])
    with reading(satellite) as butler:
        assert references_of(butler).known(butler.query_datasets("note", scene.ZIPPED))


ASKS = {"get": get, "exists": exists, "reference": reference}
"""What needs the server."""

READS = {"get": get, "part": get_part, "prefetch": prefetch}
"""What needs the object store."""

NEEDS_NO_STORE = {"exists": exists, "stored": stored, "reference": reference}


@dataclass(frozen=True)
class Trouble:
    """One trouble, and what it comes to."""

    name: str
    make: Callable[[Platform, pytest.MonkeyPatch], object]
    error: type[PythonButlerError] | None
    says: str = ""
    strikes: dict[str, Callable[[Satellite], None]] = field(default_factory=lambda: ASKS)

    def __str__(self) -> str:
        return self.name


def server(**trouble: object) -> Callable[[Platform, pytest.MonkeyPatch], object]:
    return lambda platform, patch: platform.trouble("server", path="/v1/", **trouble)


def store(**trouble: object) -> Callable[[Platform, pytest.MonkeyPatch], object]:
    return lambda platform, patch: platform.trouble("store", **trouble)


def token(value: Callable[[Platform], str] | None) -> Callable[[Platform, pytest.MonkeyPatch], object]:
    def change(platform: Platform, patch: pytest.MonkeyPatch) -> None:
        if value is None:
            patch.delenv("BUTLER_RUBIN_ACCESS_TOKEN")
        else:
            patch.setenv("BUTLER_RUBIN_ACCESS_TOKEN", value(platform))

    return change


def served_at(label: str, port: int | None) -> Callable[[Platform, pytest.MonkeyPatch], object]:
    """Say in the repository index that another label is served, or the same one at another port."""

    def change(platform: Platform, patch: pytest.MonkeyPatch) -> None:
        url = platform.url if port is None else f"http://{LOOPBACK}:{port}/api/butler/repo/dp2"
        index = Path(platform.environment["PYTHON_BUTLER_ROOT"]).parent / "index.yaml"
        index.write_text(f"{label}: {url}/butler.yaml\n")
        patch.setenv("DAF_BUTLER_REPOSITORY_INDEX", str(index))

    return change


_CLOSED = reserve_port()
"""Port that nobody else is given and where nobody listens, as that of a server that is stopped."""

SOON, LATE = {"Retry-After": "1"}, {"Retry-After": "3600"}

TROUBLES = [
    Trouble(
        "stopped",
        served_at("dp2", _CLOSED.getsockname()[1]),
        OfflineError,
        "cannot be reached",
        ASKS | {"stored": stored, "prefetch": prefetch},
    ),
    Trouble("no token", token(None), TokenError, "There is no token"),
    Trouble("wrong token", token(lambda _: "gt-wrongwrongwrong.wrongwrongwrong"), TokenError, "expired or"),
    Trouble("no permission", token(lambda platform: platform.token_without_group), ForbiddenError, "may not"),
    Trouble("server 401", server(status=401), TokenError, "The token was refused"),
    Trouble("server 403", server(status=403), ForbiddenError, "You may not read dp2"),
    Trouble("server busy for a moment", server(status=429, headers=SOON, times=1), None),
    Trouble(
        "server busy for long",
        server(status=429, headers=LATE),
        ServerBusyError,
        "requests of yours.*in 3600 s",
    ),
    Trouble("server full for a moment", server(status=503, headers=SOON, times=1), None),
    Trouble("server full", server(status=503, headers=LATE), ServerBusyError, "is overloaded"),
    Trouble("server not available", server(status=503), OfflineError, "is not available now"),
    Trouble("server fails", server(status=500), OfflineError, "failed with status 500"),
    Trouble("server slow", server(delay=0.3), None),
    Trouble("server hangs", server(hang=True), OfflineError, "did not answer in time"),
    Trouble("server cut off", server(cut_after=100), OfflineError, "dp2 server"),
    Trouble("a login page", server(status=200, body="<html>Log in</html>"), OfflineError, "no Butler server"),
    Trouble(
        "another label",
        served_at("dp1", None),
        NotConfigured,
        "'dp2'.*Known labels: dp1",
        {name: act for name, act in ASKS.items() if name != "reference"},
    ),
    Trouble(
        "no such label",
        served_at("dp1", None),
        UnknownRepositoryError,
        "'dp2'.*Known labels: dp1",
        {"reference": ASKS["reference"]},
    ),
    Trouble("address expired", store(clock_offset=7200, times=1), None, strikes=READS),
    Trouble("address refused", store(status=403), ForbiddenError, "object store of dp2 refuses", READS),
    Trouble("store 401 once", store(status=401, times=1), None, strikes=READS),
    Trouble("store busy for a moment", store(status=429, headers=SOON, times=1), None, strikes=READS),
    Trouble("store busy for long", store(status=429, headers=LATE), ServerBusyError, "in 3600 s", READS),
    Trouble("store overloaded for a moment", store(status=503, times=1), None, strikes=READS),
    Trouble("store fails once", store(status=500, times=1), None, strikes=READS),
    Trouble("store fails", store(status=500), OfflineError, "failed with status 500", READS),
    Trouble("store slow", store(delay=0.3), None, strikes=READS),
    Trouble("store hangs", store(hang=True), OfflineError, "did not answer in time", READS),
    Trouble("cut off", store(cut_after=100, times=3), None, strikes=READS),
    Trouble("cut off at once", store(cut_after=0), OfflineError, "broke off", READS),
    Trouble("stuck amid", store(cut_after=100, hang=True, times=1), None, strikes=READS),
    Trouble("always stuck", store(cut_after=0, hang=True), OfflineError, "did not answer", READS),
    Trouble("file gone", store(status=404), GoneError, "no longer in dp2", READS),
    Trouble("any store trouble", store(status=500), None, strikes=NEEDS_NO_STORE),
]

TABLE = [
    pytest.param(trouble, strike, id=f"{trouble}-{name}")
    for trouble in TROUBLES
    for name, strike in trouble.strikes.items()
]


@pytest.mark.parametrize(("trouble", "strike"), TABLE)
def test_trouble_is_overcome_or_told(
    satellite: Satellite,
    platform: Platform,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Trouble,
    strike: Callable[[Satellite], None],
) -> None:
    trouble.make(platform, monkeypatch)
    begin = time.monotonic()
    if trouble.error is None:
        strike(satellite)
    else:
        with pytest.raises(trouble.error, match=trouble.says) as caught:
            strike(satellite)
        check(caught.value, trouble.error, platform)
    assert time.monotonic() - begin < SECONDS
    assert not any(seen.token for seen in platform.requests("store"))


def check(error: PythonButlerError, expected: type[PythonButlerError], platform: Platform) -> None:
    """It is of one kind for our code and for upstream's, says what to do, and tells no secret."""
    assert error.kind is expected.kind
    assert error.next_step
    if issubclass(expected, OfficialServerError):
        assert not isinstance(error, LookupError | FileNotFoundError)
    if issubclass(expected, GoneError):
        assert isinstance(error, DatasetNotFoundError)
        assert not isinstance(error, OSError)
    assert not scene.secrets_in(error, platform.token, platform.token_without_group)


def test_an_address_that_expired_is_signed_anew_once(satellite: Satellite, platform: Platform) -> None:
    platform.trouble("store", clock_offset=7200, times=1)
    get(satellite)
    assert [seen.status for seen in platform.requests("store")] == [403, 200]
    assert len(platform.requests("server")) == 2


def test_a_download_that_breaks_is_taken_up_where_it_broke(satellite: Satellite, platform: Platform) -> None:
    platform.trouble("store", cut_after=700_000, times=2)
    get(satellite)
    asked = platform.requests("store")
    assert [seen.range for seen in asked] == [None, "bytes=700000-", "bytes=1400000-"]
    assert [seen.status for seen in asked] == [200, 206, 206]


def test_a_file_that_changed_amid_a_download_is_read_from_its_start(
    satellite: Satellite, platform: Platform
) -> None:
    platform.trouble("store", cut_after=700_000, times=1)
    platform.trouble("store", status=412, times=1)
    get(satellite)
    assert [seen.range for seen in platform.requests("store")] == [None, "bytes=700000-", None]


@pytest.mark.parametrize("service", ["server", "store"])
def test_who_is_busy_is_asked_again_when_it_says(
    satellite: Satellite, platform: Platform, service: ServiceName
) -> None:
    platform.trouble(service, status=429, headers={"Retry-After": "2"}, times=1)
    begin = time.monotonic()
    get(satellite)
    assert 2 <= time.monotonic() - begin < SECONDS
    assert [seen.status for seen in platform.requests(service)] == [429, 200]


def test_how_long_a_busy_server_wants_to_be_left_alone_is_told(
    satellite: Satellite, platform: Platform
) -> None:
    platform.trouble(status=429, headers=LATE)
    with pytest.raises(ServerBusyError) as caught:
        get(satellite)
    assert caught.value.retry_in == 3600


def test_of_a_dataset_that_was_deleted_upstream_everybody_hears(
    satellite: Satellite, platform: Platform, official: Path
) -> None:
    with reading(satellite) as butler:
        gone, *others = [ref_of(butler, "note", visit) for visit in (7, 8, 9)]
        scene.delete_upstream(official, [gone])
        with pytest.raises(DatasetNotFoundError, match="no longer in dp2") as caught:
            butler.get(gone)
        check(caught.value, GoneError, platform)
        assert not butler.exists(gone) & DatasetExistence._ARTIFACT
        assert [butler.stored(ref) for ref in (gone, *others)] == [False, True, True]
        with pytest.raises(DatasetNotFoundError, match=str(gone.id)):
            references_of(butler).prefetch([gone, *others])
        # What is still there was fetched all the same.
        platform.trouble("store", status=500)
        assert [butler.get(ref)["visit"] for ref in others] == [8, 9]


def test_of_a_file_that_was_deleted_upstream_whoever_reads_it_hears(
    satellite: Satellite, platform: Platform, official: Path
) -> None:
    with reading(satellite) as butler:
        gone = ref_of(butler, "note", 5)
        (file,) = (official / "bucket").rglob("note_Cam_r_r_1_5_*")
        file.unlink()
        with pytest.raises(DatasetNotFoundError, match="no longer in dp2") as caught:
            butler.get(gone)
        check(caught.value, GoneError, platform)
