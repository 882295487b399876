"""Without its server, or with one that hangs: what is in the satellite goes on, the rest fails in seconds."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from lsst.daf.butler import CollectionType, DatasetRef

from python_butler.datastore import references_of, signer_for
from python_butler.demo.platform import Platform
from python_butler.errors import (
    ForbiddenError,
    OfflineError,
    PythonButlerError,
    QueryFailedError,
    ServerBusyError,
    TokenError,
    UnknownRepositoryError,
)
from python_butler.federation import OfflineWarning, SatelliteButler, reach
from python_butler.federation import open as open_butler
from python_butler.federation.shared import Shared
from tests.processes import PATIENCE

from .conftest import table

RUN = "Cam/runs/DRP/stage1"


@contextmanager
def quickly(seconds: float = 20.0) -> Iterator[None]:
    """What is done inside waits for nobody; the seconds are those of a machine that has much else to do."""
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < seconds


def first_id(found: Any) -> int:
    return int(found["id"][0])


def take(butler: SatelliteButler, refs: list[DatasetRef], *, copies: bool) -> None:
    """Reference datasets; with copies, so that no server is needed any more."""
    butler.transfer_from(butler._sides.official, refs, transfer="copy" if copies else "auto")
    assert references_of(butler._sides.writer).known(refs) == (set() if copies else {r.id for r in refs})


@pytest.fixture
def one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the server answered stays known: asking once a minute whether it still holds is no fault."""
    monkeypatch.setattr(Shared, "official_stamp", lambda self: 0)


@pytest.fixture
def pinned(own_small_platform: Platform) -> Iterator[SatelliteButler]:
    """A Butler whose satellite has an own dataset, and a copy of an official one."""
    with open_butler("dp2", collections=["u/me/mine", "dp2"], run="u/me/mine", instrument="Cam") as butler:
        butler.put(table(1), "source", visit=101)
        take(butler, butler.query_datasets("source", RUN, where="visit = 102"), copies=True)
        yield butler


def what_needs_no_server(butler: SatelliteButler) -> list[Callable[[], object]]:
    (copy,) = butler.query_datasets("source", RUN, where="visit = 102", explain=False)
    return [
        lambda: butler.get("source", visit=101),
        lambda: butler.get("source", visit=101, collections="u/me/mine"),
        lambda: butler.get("source", visit=102, collections=RUN),
        lambda: butler.get(copy),
        lambda: butler.getDeferred(copy).get(),
        lambda: butler.exists(copy),
        lambda: butler.stored_many([copy]),
        lambda: butler.getURI(copy),
        lambda: butler.find_dataset("source", visit=102, collections=RUN),
        lambda: butler.query_datasets("source", ["u/me/mine", RUN]),
        lambda: butler.collections.query("*"),
        lambda: butler.put(table(5), "source", visit=102),
        lambda: butler.get_dataset(copy.id),
    ]


@pytest.mark.filterwarnings("ignore::python_butler.federation.OfflineWarning")
def test_personal_and_pinned_datasets_need_no_server(
    pinned: SatelliteButler, own_small_platform: Platform
) -> None:
    asks = what_needs_no_server(pinned)
    own_small_platform.stop_server()
    pinned._sides.shared.forget_official()
    with quickly():
        for ask in asks:
            ask()


@pytest.mark.filterwarnings("ignore::python_butler.federation.OfflineWarning")
@pytest.mark.parametrize("seconds", [reach.RETRY_SECONDS, 0.0])
def test_nor_do_they_need_one_that_a_gateway_stands_in_for(
    pinned: SatelliteButler, own_small_platform: Platform, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr(reach, "RETRY_SECONDS", seconds)
    asks = what_needs_no_server(pinned)
    own_small_platform.trouble(status=503)
    pinned._sides.shared.forget_official()
    for ask in asks:
        ask()


@pytest.mark.filterwarnings("ignore::python_butler.federation.OfflineWarning")
@pytest.mark.parametrize(
    "ask",
    [
        lambda butler: butler.collections.query("u/*"),
        lambda butler: [i.name for i in butler.collections.query_info("u/me/*", include_parents=True)],
        lambda butler: [t.name for t in butler.registry.queryDatasetTypes("s*", missing=[])],
    ],
)
def test_a_listing_is_the_first_to_notice_that_the_server_is_away(
    pinned: SatelliteButler, own_small_platform: Platform, ask: Callable[[SatelliteButler], list[str]]
) -> None:
    own_small_platform.stop_server()
    assert set(ask(pinned)) & {"u/me/mine", "source"}


@pytest.mark.filterwarnings("error::python_butler.federation.OfflineWarning")
def test_a_listing_without_server_and_satellite_is_none(own_small_platform: Platform) -> None:
    with open_butler("dp2", collections="dp2") as butler:
        own_small_platform.stop_server()
        for _ in range(2):
            with pytest.raises(OfflineError, match="dp2 server"):
                butler.collections.query("*")
            with pytest.raises(OfflineError, match="dp2 server"):
                butler.registry.queryDatasetTypes("s*", missing=[])


@pytest.mark.filterwarnings("ignore::python_butler.federation.OfflineWarning")
def test_personal_work_goes_on_while_a_server_comes_back(
    pinned: SatelliteButler, own_small_platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_small_platform.stop_server()
    pinned._sides.shared.forget_official()
    assert first_id(pinned.get("source", visit=101)) == 1
    monkeypatch.setattr(reach, "RETRY_SECONDS", 0.0)
    own_small_platform.start_server()
    own_small_platform.trouble(status=503)
    assert pinned._sides.shared.reach.lost
    assert first_id(pinned.get("source", visit=101, collections="u/me/mine")) == 1
    # A refused token is not the server's absence.
    own_small_platform.calm()
    own_small_platform.trouble(status=401)
    assert not pinned._sides.shared.reach.lost


def test_a_query_that_the_server_fails_to_answer_does_not_make_it_a_lost_one(
    pinned: SatelliteButler, own_small_platform: Platform
) -> None:
    own_small_platform.trouble(path="/v1/query/", status=500)
    with warnings.catch_warnings():
        warnings.simplefilter("error", OfflineWarning)
        # The satellite's rows alone would look like all of them.
        with pytest.raises(QueryFailedError, match="failed with status 500"):
            pinned.query_datasets("source", ["u/me/mine", RUN])
        with pytest.raises(QueryFailedError, match="failed with status 500"):
            pinned.query_dimension_records("visit", instrument="Cam")
        own_small_platform.calm()
        assert first_id(pinned.get("source", visit=103)) == 103
        assert len(pinned.query_datasets("source", ["u/me/mine", RUN])) > 1


@pytest.mark.usefixtures("one_minute")
def test_a_pinned_dataset_asks_no_server(pinned: SatelliteButler, own_small_platform: Platform) -> None:
    (copy,) = pinned.query_datasets("source", RUN, where="visit = 102")
    own_small_platform.requests(forget=True)
    assert first_id(pinned.get(copy)) == 102
    assert first_id(pinned.get("source", visit=102, collections=RUN)) == 102
    assert own_small_platform.requests() == []


@pytest.mark.usefixtures("one_minute")
def test_a_referenced_dataset_is_read_through_the_satellite(own_small_platform: Platform) -> None:
    with open_butler("dp2", collections="dp2") as butler:
        (ref,) = butler.query_datasets("source", RUN, where="visit = 102", instrument="Cam")
        take(butler, [ref], copies=False)
        assert first_id(butler.get(ref)) == 102
        assert first_id(butler.get("source", visit=103)) == 103
        own_small_platform.requests(forget=True)
        # The file is in the cache, and the run is the first that is searched.
        assert first_id(butler.get("source", visit=102)) == 102
        assert own_small_platform.requests() == []
        assert butler.query_datasets("source", where="visit = 102", instrument="Cam") == [ref]


def test_names_that_are_not_official_are_not_asked_for_each_minute(
    own_small_platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    minutes = [0]
    monkeypatch.setattr(Shared, "official_stamp", lambda self: minutes[0])

    def asked_for() -> int:
        own_small_platform.requests(forget=True)
        assert butler.collections.get_info("u/me/chain", include_summary=True)
        return len(own_small_platform.requests())

    with open_butler("dp2", collections="dp2") as butler:
        runs = [f"u/me/chain/v{number}" for number in range(20)]
        for run in runs:
            butler.collections.register(run)
        butler.collections.register("u/me/chain", CollectionType.CHAINED)
        butler.collections.redefine_chain("u/me/chain", runs)
        minutes[0] += 1
        assert asked_for() == 0
        butler.registry.refresh()
        assert asked_for() > 20


@pytest.mark.usefixtures("one_minute")
def test_a_hundred_personal_datasets_are_found_without_a_server(own_small_platform: Platform) -> None:
    with open_butler("dp2", collections=["u/me/mine", "dp2"], run="u/me/mine", instrument="Cam") as butler:
        for visit in (101, 102, 103):
            butler.put(table(visit), "source", visit=visit)
        assert butler.find_dataset("source", visit=101) is not None
        own_small_platform.requests(forget=True)
        for number in range(100):
            ref = butler.find_dataset("source", visit=101 + number % 3)
            assert ref is not None
            assert ref.run == "u/me/mine"
        assert own_small_platform.requests() == []


@pytest.mark.usefixtures("one_minute")
def test_many_are_asked_for_at_once(own_small_platform: Platform) -> None:
    with open_butler("dp2", collections="dp2", instrument="Cam", skymap="sky") as butler:
        refs = butler.query_all_datasets("*", find_first=False)
        assert len(refs) > 10
        own_small_platform.requests(forget=True)
        assert all(butler._exists_many(refs, full_check=False).values())
        assert len(own_small_platform.requests()) == 1


def test_files_of_many_are_looked_for(own_small_platform: Platform) -> None:
    with open_butler("dp2", collections="dp2", instrument="Cam", skymap="sky") as butler:
        refs = butler.query_all_datasets("*", find_first=False)
        assert len(refs) > 10
        stored = butler.stored_many(refs)
        assert [ref.run for ref, there in stored.items() if not there] == ["u/other/lost"]
        assert butler._exists_many(refs) == {ref: butler.exists(ref) for ref in refs}
        own_small_platform.trouble("store", status=500)
        with quickly(), pytest.raises(OfflineError):
            butler.stored_many(refs)


@pytest.mark.filterwarnings("ignore::python_butler.federation.OfflineWarning")
def test_without_its_server_nothing_is_written_to_what_may_be_official(
    pinned: SatelliteButler, own_small_platform: Platform
) -> None:
    own_small_platform.stop_server()
    pinned._sides.shared.forget_official()
    # Of one of them the satellite has a part, of the other it knows nothing.
    for run in (RUN, "Cam/runs/DRP/stage2"):
        for write in (
            lambda run=run: pinned.put(table(5), "source", visit=101, run=run),
            lambda run=run: pinned.collections.register(run, CollectionType.TAGGED),
            lambda run=run: pinned.removeRuns([run]),
            lambda run=run: open_butler("dp2", run=run),
        ):
            with quickly(), pytest.raises(OfflineError, match="whether collection") as caught:
                write()
            assert repr(f"u/me/{run.rpartition('/')[2]}") in caught.value.next_step
    pinned.collections.register("u/me/stage2")
    pinned.put(table(5), "source", visit=101, run="u/me/stage2")
    own_small_platform.start_server()
    pinned.registry.refresh()
    assert pinned.collections.register("mine")


@pytest.mark.parametrize("how", ["stopped", "hanging"])
def test_what_needs_the_server_fails_in_seconds(
    pinned: SatelliteButler, own_small_platform: Platform, how: str
) -> None:
    (ref,) = pinned.query_datasets("source", RUN, where="visit = 103")
    if how == "stopped":
        own_small_platform.stop_server()
    else:
        own_small_platform.trouble(hang=True)
    asks: list[Callable[[], object]] = [
        lambda: pinned.get(ref),
        lambda: pinned.getDeferred(ref),
        lambda: pinned.getURI(ref),
        lambda: pinned.exists(ref),
        lambda: pinned.get_dataset(ref.id),
        lambda: pinned.get("source", visit=103, collections="dp2"),
        lambda: pinned.registry.expandDataId(visit=103),
    ]
    # The first call warns already if it asked again what had been known for a minute.
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        # One that hangs is given ten seconds.
        with quickly(30), pytest.raises(OfflineError, match="dp2 server"):
            pinned.get(ref)
        # It is known now.
        with quickly(8):
            for ask in asks:
                with pytest.raises(OfflineError, match=r"satellite\. The dp2 server .* (reached|in time)\."):
                    ask()
    assert [each.category for each in told if each.category is not ResourceWarning] == [OfflineWarning]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with quickly(8):
            assert first_id(pinned.get("source", visit=102, collections=RUN)) == 102
    own_small_platform.calm()
    own_small_platform.start_server()
    pinned.registry.refresh()
    assert first_id(pinned.get(ref)) == 103


def readings(butler: SatelliteButler, ref: DatasetRef) -> dict[str, Callable[[], object]]:
    def query() -> object:
        with butler.query() as query:
            return query.datasets("source").count()

    return {
        "get": lambda: butler.get(ref),
        "get by name": lambda: butler.get("source", visit=103),
        "getDeferred": lambda: butler.getDeferred(ref),
        "getURI": lambda: butler.getURI(ref),
        "exists": lambda: butler.exists(ref),
        "stored_many": lambda: butler.stored_many([ref] * 20),
        "exists by name": lambda: butler.exists("source", visit=103),
        "find_dataset": lambda: butler.find_dataset("source", visit=103),
        "get_dataset": lambda: butler.get_dataset(ref.id),
        "get_many_datasets": lambda: butler.get_many_datasets([ref.id]),
        "query_datasets": lambda: butler.query_datasets("source"),
        "query_all_datasets": lambda: butler.query_all_datasets(),
        "count": query,
        "collections": lambda: butler.collections.query("*"),
        "expandDataId": lambda: butler.registry.expandDataId(instrument="Cam", visit=103),
    }


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (401, TokenError, "refused"),
        (403, ForbiddenError, "may not read dp2"),
        (404, UnknownRepositoryError, "does not serve dp2"),
        (429, ServerBusyError, "no more requests of yours"),
        (503, OfflineError, "is not available now"),
        (500, OfflineError, "failed with status 500"),
    ],
)
def test_each_refusal_is_told_by_every_method(
    own_small_platform: Platform, status: int, error: type[PythonButlerError], message: str
) -> None:
    with open_butler("dp2", collections="dp2", instrument="Cam") as butler:
        ref = butler.find_dataset("source", visit=103)
        assert ref is not None
        own_small_platform.trouble(status=status)
        for name, ask in readings(butler, ref).items():
            with pytest.raises(error, match=message) as caught:
                ask()
            assert caught.value.next_step, name
        own_small_platform.calm()


def test_a_store_that_is_away_is_told(own_small_platform: Platform) -> None:
    with open_butler("dp2", collections="dp2", instrument="Cam") as butler:
        ref = butler.find_dataset("source", visit=103)
        assert ref is not None
        own_small_platform.trouble("store", status=500)
        with pytest.raises(OSError) as caught:  # noqa: PT011  any kind of trouble with reading
            butler.exists(ref)
        assert not isinstance(caught.value, FileNotFoundError)
        assert "Signature" not in repr(caught.value)


def test_one_signer_is_enough_for_threads(own_small_platform: Platform) -> None:
    with open_butler("dp2", collections="dp2", instrument="Cam") as butler:
        refs = butler.query_datasets("source")
        found: list[int] = []
        threads = [
            threading.Thread(
                target=lambda: found.extend(first_id(butler.clone().get(ref)) for ref in refs), daemon=True
            )
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert len(found) == 3 * len(refs)
        assert signer_for("dp2") is signer_for("dp2")
