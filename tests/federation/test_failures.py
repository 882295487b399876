"""What a person is told when the server, the token or a file is not what it should be."""

from __future__ import annotations

import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from astropy.table import Table
from lsst.daf.butler import CollectionType, DatasetExistence, DatasetRef
from lsst.daf.butler.remote_butler._http_connection import ButlerServerError

import python_butler
from python_butler.demo.platform import Platform
from python_butler.errors import (
    BrokenOffError,
    ForbiddenError,
    GoneError,
    OfflineError,
    PythonButlerError,
    TokenError,
    UnknownRepositoryError,
)
from python_butler.federation import OfflineWarning, SatelliteButler
from python_butler.federation import open as open_butler
from python_butler.federation.safety import clean, safely
from python_butler.official import OfficialConnection

SIGNED = "http://127.0.0.1:1/dp2/x.parquet?X-Amz-Algorithm=A&X-Amz-Signature=5ecre7&X-Amz-Expires=1"


def table(seed: int) -> Table:
    return Table({"id": [seed, seed + 1, seed + 2], "flux": [1.5, 2.5, 3.5]})


def first_id(found: Table) -> int:
    return int(found["id"][0])


@contextmanager
def quickly(seconds: float = 20.0) -> Iterator[None]:
    """What is done inside waits for nobody; the seconds are those of a machine that has much else to do."""
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < seconds


def test_an_unknown_label_names_the_known_ones(kernel: Platform) -> None:
    with quickly(), pytest.raises(UnknownRepositoryError, match=r"'dp3'.*Known labels: dp2"):
        python_butler.open("dp3")


@pytest.mark.parametrize(
    ("token", "error", "message"),
    [
        ("gt-wrongwrongwrongwrong.wrongwrongwrongwrong", TokenError, "expired or is not valid"),
        (None, TokenError, "no token"),
        ("without group", ForbiddenError, "may not read dp2"),
    ],
)
def test_a_token_that_does_not_open_is_explained(
    kernel: Platform,
    monkeypatch: pytest.MonkeyPatch,
    token: str | None,
    error: type[PythonButlerError],
    message: str,
) -> None:
    if token is None:
        monkeypatch.delenv("BUTLER_RUBIN_ACCESS_TOKEN")
    else:
        token = kernel.token_without_group if token == "without group" else token
        monkeypatch.setenv("BUTLER_RUBIN_ACCESS_TOKEN", token)
    with quickly(), pytest.raises(error, match=message) as caught:
        python_butler.open("dp2", collections="dp2")
    assert caught.value.next_step
    # Code that expects upstream's exception goes on working.
    assert isinstance(caught.value, ButlerServerError)
    if token:
        assert token not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("token", ["gt-secretsecret…", "gt-secretsecret\nagain", "gt-secretsecret\x7f"])
def test_a_broken_token_is_told_and_not_shown(
    kernel: Platform, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("BUTLER_RUBIN_ACCESS_TOKEN", token)
    with pytest.raises(TokenError, match="characters") as caught:
        python_butler.open("dp2", collections="dp2")
    shown = "".join(traceback.format_exception(caught.value))
    assert "secretsecret" not in shown + repr(caught.value.args)
    assert caught.value.__context__ is None


def test_opening_that_fails_leaves_no_connection_open(
    kernel: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[OfficialConnection] = []
    close = OfficialConnection.close

    def note(connection: OfficialConnection) -> None:
        closed.append(connection)
        close(connection)

    monkeypatch.setattr(OfficialConnection, "close", note)
    monkeypatch.setenv("BUTLER_RUBIN_ACCESS_TOKEN", "gt-wrongwrongwrongwrong.wrongwrongwrongwrong")
    with pytest.raises(TokenError):
        python_butler.open("dp2", collections="dp2")
    assert len(closed) == 1


def test_a_renewed_token_is_used_at_once(own_small_platform: Platform) -> None:
    with open_butler("dp2", collections="dp2") as butler:
        own_small_platform.refuse_token()
        with pytest.raises(TokenError):
            butler.get("source", visit=102)
        own_small_platform.accept_token()
        assert first_id(butler.get("source", visit=102)) == 102


def test_without_a_server_and_a_satellite_opening_fails_quickly(own_small_platform: Platform) -> None:
    own_small_platform.stop_server()
    with quickly(), pytest.raises(OfflineError, match="cannot be reached"):
        python_butler.open("dp2", collections="dp2")
    own_small_platform.start_server()
    with python_butler.open("dp2", collections="dp2") as butler:
        assert first_id(butler.get("source", visit=102)) == 102


def test_a_server_that_stops_does_not_stop_personal_work(own_small_platform: Platform) -> None:
    with open_butler("dp2", collections="dp2", run="u/me/mine") as butler:
        butler.put(table(1), "source", visit=101)
        own_small_platform.stop_server()
        butler.registry._sides.shared.collections["official"].forget()
        with quickly(), pytest.warns(OfflineWarning, match="only your satellite"):
            assert first_id(butler.get("source", visit=101, collections="u/me/mine")) == 1
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert len(butler.query_datasets("source", "u/me/mine")) == 1
            with quickly(), pytest.raises(OfflineError, match="'dp2' is not in your satellite"):
                butler.get("source", visit=102)
        own_small_platform.start_server()
        butler.registry.refresh()
        assert first_id(butler.get("source", visit=102)) == 102


def test_a_query_goes_on_in_the_satellite_when_the_server_turns_out_to_be_lost(
    own_small_platform: Platform,
) -> None:
    with open_butler("dp2", collections="dp2", run="u/me/mine") as butler:
        mine = butler.put(table(1), "source", visit=101)
        butler.collections.register("u/me/all", CollectionType.CHAINED)
        butler.collections.redefine_chain("u/me/all", ["u/me/mine", "dp2"])
        assert len(butler.query_datasets("source", "u/me/all")) == 3
        own_small_platform.stop_server()
        # What the server said of its collections is still remembered.
        with quickly(), pytest.warns(OfflineWarning, match="only your satellite"):
            assert butler.query_datasets("source", "u/me/all") == [mine]
        with butler.query() as query:
            assert query.datasets("source", "u/me/all").count() == 1
            assert query.datasets("source", "u/me/all").any()
        with pytest.raises(OfflineError, match="'bias' is not in your satellite"):
            butler.query_datasets("bias", "Cam/calib")


def test_a_server_that_breaks_off_a_query_is_not_taken_for_lost(own_small_platform: Platform) -> None:
    with open_butler("dp2", collections=["u/me/mine", "dp2"], run="u/me/mine") as butler:
        mine = butler.put(table(1), "source", visit=101)
        own_small_platform.trouble("server", path="query/(execute|count)", cut_after=1)
        # A part of the truth would be taken for all of it.
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(BrokenOffError, match=r"dp2 server .* broke off .* ask for less") as caught:
                butler.query_datasets("detected")
            with pytest.raises(BrokenOffError), butler.query() as query:
                query.datasets("detected", "dp2").count()
            assert isinstance(caught.value, ButlerServerError)
            assert first_id(butler.get("source", visit=102)) == 102, "all else is answered"
            assert butler.query_datasets("source", "u/me/mine") == [mine]
        own_small_platform.calm()
        assert len(butler.query_datasets("detected")) == 3


def test_a_satellite_opens_without_the_server(own_small_platform: Platform) -> None:
    with open_butler("dp2", run="u/me/mine", collections="dp2", instrument="Cam") as butler:
        ref = butler.put(table(1), "source", visit=101)
    own_small_platform.stop_server()
    with quickly(), pytest.warns(OfflineWarning):
        butler = open_butler("dp2", collections="u/me/mine", run="u/me/mine", instrument="Cam")
    with butler:
        assert first_id(butler.get("source", visit=101)) == 1
        assert butler.query_datasets("source", where="visit.exposure_time > 1") == [ref]
        with quickly(), pytest.raises(OfflineError):
            butler.put(table(3), "source", visit=102)
        own_small_platform.start_server()
        butler.registry.refresh()
        assert first_id(butler.get("source", visit=102, collections="dp2")) == 102


def readings(butler: SatelliteButler, ref: DatasetRef) -> list[Callable[[], object]]:
    return [
        lambda: butler.get(ref),
        lambda: butler.get(ref.datasetType, ref.dataId, collections=ref.run),
        lambda: butler.getDeferred(ref).get(),
    ]


def test_a_missing_file_is_told_without_its_address(butler: SatelliteButler, kernel: Platform) -> None:
    (ref,) = butler.query_datasets("object", "u/other/lost")
    assert butler.exists(ref) == DatasetExistence.RECORDED | DatasetExistence.DATASTORE
    assert butler.stored_many([ref]) == {ref: False}
    for read in readings(butler, ref):
        with quickly(40), pytest.raises(FileNotFoundError) as caught:
            read()
        assert isinstance(caught.value, GoneError)
        assert_no_secret(caught.value, kernel)


def test_storage_that_fails_is_not_taken_for_missing_data(
    own_small_platform: Platform, small_repository: Path
) -> None:
    with open_butler("dp2", collections="dp2") as butler:
        ref = butler.find_dataset("source", visit=103)
        assert ref is not None
        (path,) = (small_repository / "bucket").rglob("source_*103*stage1*")
        hidden = path.rename(path.with_suffix(".hidden"))
        # A file that is there but cannot be read is a failure of the object store's own.
        path.mkdir()
        try:
            with pytest.raises(OfflineError) as caught:
                butler.get(ref)
            assert not isinstance(caught.value, FileNotFoundError)
            assert_no_secret(caught.value, own_small_platform)
        finally:
            path.rmdir()
            hidden.rename(path)
        assert first_id(butler.get(ref)) == 103


def assert_no_secret(error: BaseException, platform: Platform) -> None:
    text = "".join(traceback.format_exception(error))
    assert "Signature" not in text
    assert platform.token not in text


def test_errors_of_any_kind_are_cleaned_of_addresses() -> None:
    def fail() -> None:
        try:
            raise OSError(f"cannot read {SIGNED}")
        except OSError as error:
            raise ValueError(f"Failure from formatter for {SIGNED}") from error

    with pytest.raises(OfflineError) as caught:
        safely(fail)()
    text = "".join(traceback.format_exception(caught.value))
    assert "5ecre7" not in text
    assert "/dp2/x.parquet" in text
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_harmless_errors_stay_as_they_are() -> None:
    error = KeyError("visit")
    assert clean(error) is error


def test_the_kind_of_an_error_survives_its_cleaning() -> None:
    assert type(clean(RuntimeError(SIGNED))) is RuntimeError
    assert isinstance(clean(FileNotFoundError(SIGNED)), FileNotFoundError)
    noted = KeyError("visit")
    noted.add_note(SIGNED)
    assert type(clean(noted)) is KeyError
    assert not hasattr(clean(noted), "__notes__")


def test_nothing_on_disk_holds_a_token_or_signed_address(
    own_run: SatelliteButler, kernel: Platform, tmp_path: Path
) -> None:
    own_run.get("source", visit=102)
    own_run.put(table(1), "source", visit=101)
    own_run.put(table(1), "detected", visit=101, detector=2)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    for path in files:
        content = path.read_bytes()
        assert kernel.token.encode() not in content
        assert b"X-Amz-Signature" not in content
