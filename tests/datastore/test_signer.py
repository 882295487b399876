"""Signed addresses are used as long as they are good, and tokens go nowhere else."""

from __future__ import annotations

import pickle
import threading
import time
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from lsst.daf.butler import DatasetNotFoundError
from lsst.daf.butler.direct_butler import DirectButler

from python_butler.datastore import Signer, signer, signer_for
from python_butler.demo.platform import Platform
from python_butler.errors import GoneError, OfficialServerError, TokenError
from tests.processes import PATIENCE, Forked

from .scene import RUN


@pytest.fixture
def dataset(reader: DirectButler) -> UUID:
    return reader.query_datasets("source", collections=RUN, limit=1)[0].id


def asked(platform: Platform) -> int:
    return len(platform.requests("server", forget=True))


def test_one_address_serves_until_shortly_before_it_expires(
    kernel: Platform, dataset: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign = signer_for("dp2").sign
    first = sign(dataset)
    asked(kernel)
    assert sign(dataset) is first
    assert asked(kernel) == 0
    now = time.monotonic
    monkeypatch.setattr(signer.time, "monotonic", lambda: now() + 3500)
    assert sign(dataset).url == first.url
    assert asked(kernel) == 0
    monkeypatch.setattr(signer.time, "monotonic", lambda: now() + 3545)
    assert sign(dataset) is not first
    assert asked(kernel) == 1


@pytest.mark.parametrize(
    ("query", "lifetime"),
    [
        ("X-Amz-Date=20260101T000000Z&X-Amz-Expires=3600&X-Amz-Signature=x", 3600),
        ("X-Goog-Date=20260101T000000Z&X-Goog-Expires=600&X-Goog-Signature=x", 600),
        ("AWSAccessKeyId=A&Signature=x&Expires={in_an_hour}", 3600),
        ("sig=x", signer._UNKNOWN_LIFETIME),
    ],
    ids=["aws", "google", "old-aws", "unknown"],
)
def test_every_form_of_signature_tells_when_it_expires(query: str, lifetime: float) -> None:
    url = "https://store.example/bucket/key?" + query.format(in_an_hour=int(time.time()) + 3600)
    until = signer._good_until(url, 1000.0)
    assert 1000 + 0.9 * lifetime - 2 <= until <= 1000 + lifetime


def test_addresses_that_were_not_used_for_long_are_dropped(
    kernel: Platform, reader: DirectButler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signer, "REMEMBERED", 2)
    ids = [ref.id for ref in reader.query_datasets("source", collections=RUN, limit=3)]
    sign = signer_for("dp2").sign
    for each in ids:
        sign(each)
    asked(kernel)
    sign(ids[2])
    assert asked(kernel) == 0
    sign(ids[0])
    assert asked(kernel) == 1


def test_the_token_is_read_at_each_request(
    kernel: Platform, dataset: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign = signer_for("dp2").sign
    monkeypatch.setenv("BUTLER_RUBIN_ACCESS_TOKEN", "gt-expired.expired")
    with pytest.raises(TokenError):
        sign(dataset, renew=True)
    monkeypatch.setenv("BUTLER_RUBIN_ACCESS_TOKEN", kernel.token)
    assert sign(dataset, renew=True).good


def test_the_token_goes_to_the_server_and_not_to_the_object_store(
    kernel: Platform, reader: DirectButler
) -> None:
    kernel.requests(forget=True)
    reader.get(reader.query_datasets("large", collections=RUN)[0])
    assert all(seen.authorization for seen in kernel.requests("server"))
    assert kernel.requests("store")
    assert not any(seen.authorization for seen in kernel.requests("store"))


def test_a_label_that_is_served_elsewhere_is_asked_there(
    kernel: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = signer_for("dp2")
    index = tmp_path / "index.yaml"
    index.write_text("dp2: http://127.0.0.1:9/api/butler/repo/dp2\n")
    monkeypatch.setenv("DAF_BUTLER_REPOSITORY_INDEX", str(index))
    assert signer_for("dp2") is not first
    assert signer_for("dp2").server_url == "http://127.0.0.1:9/api/butler/repo/dp2"
    with pytest.raises(OfficialServerError, match="dp3") as caught:
        signer_for("dp3")
    assert not isinstance(caught.value, LookupError)


def test_a_dataset_that_is_not_there_is_a_lookup_error(kernel: Platform) -> None:
    with pytest.raises(GoneError) as caught:
        signer_for("dp2").sign(uuid4())
    assert isinstance(caught.value, DatasetNotFoundError)
    assert isinstance(caught.value, LookupError)
    assert not isinstance(caught.value, OSError)


def test_files_of_many_datasets_are_one_request(kernel: Platform, reader: DirectButler) -> None:
    refs = reader.query_datasets("metric", collections=RUN)
    asked(kernel)
    found = signer_for("dp2").files([*(ref.id for ref in refs), uuid4()])
    assert asked(kernel) == 1
    assert set(found) == {ref.id for ref in refs}
    assert {info.component for info in found[refs[0].id]} == {"summary", "output", "data"}


def test_a_signer_is_pickled_as_its_label(kernel: Platform, dataset: UUID) -> None:
    here = signer_for("dp2")
    here.sign(dataset)
    pickled = pickle.dumps(here)
    assert len(pickled) < 100
    assert pickle.loads(pickled) is here


def test_nothing_shows_a_signed_address(kernel: Platform, dataset: UUID) -> None:
    signed = signer_for("dp2").sign(dataset)
    assert "Signature=" in signed.url
    assert "Signature" not in repr(signed)
    assert "Signature" not in repr(vars(signer_for("dp2")))


def test_permanent_addresses_are_recognised(kernel: Platform) -> None:
    here = signer_for("dp2")
    dataset = uuid4()
    assert here.recognise(here.address(dataset)) == (dataset, None)
    assert here.recognise(here.address(dataset, "summary")) == (dataset, "summary")
    assert here.recognise(f"{here.server_url}/v1/dataset/nonsense/download") is None
    assert here.recognise(f"https://elsewhere.example/v1/dataset/{dataset}/download") is None


# The warning is about forking with threads in general; this is what is tried here.
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_process_has_connections_of_its_own(kernel: Platform, dataset: UUID) -> None:
    mine = signer_for("dp2")
    mine.sign(dataset)

    def sign() -> None:
        theirs = signer_for("dp2")
        assert theirs is not mine
        assert theirs.sign(dataset).good

    with Forked(sign) as child:
        assert child.wait() == 0
    assert mine.sign(dataset, renew=True).good


def test_threads_share_one_signer(kernel: Platform, dataset: UUID) -> None:
    found: list[Signer] = []
    threads = [
        threading.Thread(target=lambda: found.append(signer_for("dp2")), daemon=True) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(found) == 8
    assert len(set(map(id, found))) == 1
