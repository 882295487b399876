"""The object store refuses what a real one refuses, and serves what a real one serves."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import boto3
import httpx2
import numpy as np
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from python_butler.demo.s3 import BUCKET
from python_butler.demo.service import Service, clean_environment, reserve_port

ACCESS_KEY, SECRET_KEY = "ABCDEFGHIJ", "not-so-secret"
SMALL = "dp2/some run/flux+error.txt"
LARGE = "dp2/image.fits"


@dataclass
class Store:
    url: str
    directory: Path
    service: Service

    def client(self, version: str, secret_key: str = SECRET_KEY) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=secret_key,
            config=Config(signature_version=version, retries={"max_attempts": 1}),
        )

    def sign(self, key: str, version: str = "s3", *, seconds: int = 60, secret_key: str = SECRET_KEY) -> str:
        client = self.client(version, secret_key)
        url = client.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": key}, seconds)
        assert isinstance(url, str)
        return url


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    directory = tmp_path_factory.mktemp("s3")
    for key, content in ((SMALL, b"0123456789"), (LARGE, np.random.default_rng(1).bytes(5_000_000))):
        path = directory / "bucket" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with reserve_port() as reservation:
        port = reservation.getsockname()[1]
        service = Service(
            "object store",
            "python_butler.demo.s3",
            {
                "port": port,
                "bucket": str(directory / "bucket"),
                "access_key": ACCESS_KEY,
                "secret_key": SECRET_KEY,
                "latency": 0.0,
            },
            log=directory / "log",
            directory=directory,
            environment=clean_environment(),
        )
        try:
            service.wait_until_ready()
            yield Store(f"http://127.0.0.1:{port}", directory / "bucket", service)
        finally:
            service.stop()


@pytest.fixture(scope="module")
def http() -> Iterator[httpx2.Client]:
    with httpx2.Client(trust_env=False) as client:
        yield client


def code_of(response: httpx2.Response) -> tuple[int, str | None]:
    return response.status_code, ElementTree.fromstring(response.content).findtext("Code")


@pytest.mark.parametrize("version", ["s3", "s3v4"])
@pytest.mark.parametrize("key", [SMALL, LARGE])
def test_a_signed_address_gives_the_whole_file(
    store: Store, http: httpx2.Client, key: str, version: str
) -> None:
    response = http.get(store.sign(key, version))
    assert response.status_code == 200
    assert response.content == (store.directory / key).read_bytes()


def test_a_range_gives_a_part_of_the_file(store: Store, http: httpx2.Client) -> None:
    response = http.get(store.sign(LARGE), headers={"Range": "bytes=1000000-1000999"})
    assert response.status_code == 206
    assert response.headers["content-range"] == "bytes 1000000-1000999/5000000"
    assert response.content == (store.directory / LARGE).read_bytes()[1_000_000:1_001_000]


def test_a_range_from_the_end_gives_the_last_bytes(store: Store, http: httpx2.Client) -> None:
    response = http.get(store.sign(SMALL), headers={"Range": "bytes=-3"})
    assert (response.status_code, response.content) == (206, b"789")


def test_an_address_without_signature_is_refused(store: Store, http: httpx2.Client) -> None:
    assert code_of(http.get(store.sign(SMALL).partition("?")[0])) == (403, "AccessDenied")


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_an_expired_address_is_refused_and_says_so(store: Store, http: httpx2.Client, version: str) -> None:
    response = http.get(store.sign(SMALL, version, seconds=-10))
    assert code_of(response) == (403, "AccessDenied")
    assert "expired" in response.text


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_head_is_refused_on_an_address_that_is_signed_for_get(
    store: Store, http: httpx2.Client, version: str
) -> None:
    response = http.head(store.sign(SMALL, version))
    assert (response.status_code, response.content) == (403, b"")


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_signature_is_good_for_its_own_file_only(store: Store, http: httpx2.Client, version: str) -> None:
    signed = urlsplit(store.sign(SMALL, version))
    other = urlsplit(store.sign(LARGE, version))
    assert code_of(http.get(other._replace(query=signed.query).geturl())) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_signature_by_another_secret_is_refused(store: Store, http: httpx2.Client, version: str) -> None:
    url = store.sign(SMALL, version, secret_key="guessed")
    assert code_of(http.get(url)) == (403, "SignatureDoesNotMatch")


def test_requests_of_a_client_with_another_secret_are_refused(store: Store) -> None:
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        store.client("s3v4", "guessed").list_objects_v2(Bucket=BUCKET)


def test_if_match_holds_for_the_file_as_it_is(store: Store, http: httpx2.Client) -> None:
    etag = http.get(store.sign(SMALL)).headers["etag"]
    same = http.get(store.sign(SMALL), headers={"If-Match": etag, "Range": "bytes=0-3"})
    assert (same.status_code, same.content) == (206, b"0123")
    assert http.get(store.sign(SMALL), headers={"If-Match": '"another"'}).status_code == 412


def test_connections_are_kept_alive(store: Store) -> None:
    address = urlsplit(store.url)
    connection = HTTPConnection(str(address.hostname), address.port)
    try:
        connection.connect()
        socket = connection.sock
        for _ in range(3):
            connection.request("GET", store.sign(SMALL).removeprefix(store.url))
            assert connection.getresponse().read() == b"0123456789"
            assert connection.sock is socket
    finally:
        connection.close()


def test_the_files_on_disk_are_listed_with_their_sizes(store: Store) -> None:
    listed = store.client("s3v4").list_objects_v2(Bucket=BUCKET, Prefix="dp2/")["Contents"]
    assert {entry["Key"]: entry["Size"] for entry in listed} == {SMALL: 10, LARGE: 5_000_000}


def test_what_is_put_is_served_and_leaves_the_disk_alone(store: Store, http: httpx2.Client) -> None:
    client = store.client("s3v4")
    client.put_object(Bucket=BUCKET, Key="personal/new.txt", Body=b"new")
    try:
        assert http.get(store.sign("personal/new.txt")).content == b"new"
        assert not (store.directory / "personal").exists()
    finally:
        client.delete_object(Bucket=BUCKET, Key="personal/new.txt")


def test_a_missing_file_is_not_found(store: Store, http: httpx2.Client) -> None:
    assert code_of(http.get(store.sign("dp2/nowhere"))) == (404, "NoSuchKey")


def test_a_file_that_is_removed_is_not_found_any_more(store: Store, http: httpx2.Client) -> None:
    path = store.directory / SMALL
    hidden = path.rename(path.with_suffix(".hidden"))
    try:
        assert code_of(http.get(store.sign(SMALL))) == (404, "NoSuchKey")
    finally:
        hidden.rename(path)
    assert http.get(store.sign(SMALL)).content == b"0123456789"


def test_latency_delays_every_request(store: Store, http: httpx2.Client) -> None:
    store.service.tell({"latency": 0.2})
    try:
        begin = time.monotonic()
        http.get(store.sign(SMALL))
        assert time.monotonic() - begin >= 0.2
    finally:
        store.service.tell({"latency": 0.0})
