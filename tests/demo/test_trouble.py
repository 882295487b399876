"""The platform makes the trouble that a test asks for, and tells what it was asked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import httpx2
import pytest
from botocore.config import Config

from python_butler.demo.platform import Platform
from python_butler.demo.s3 import BUCKET

KEY = "dp2/some/file.fits"
CONTENT = bytes(range(256)) * 400


@pytest.fixture(scope="module")
def troubled(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Platform, httpx2.Client]]:
    with (
        Platform(tmp_path_factory.mktemp("platform"), repository=repository) as platform,
        httpx2.Client(trust_env=False, timeout=10) as http,
    ):
        _s3(platform, "s3v4").put_object(Bucket=BUCKET, Key=KEY, Body=CONTENT)
        yield platform, http


@pytest.fixture
def platform(troubled: tuple[Platform, httpx2.Client]) -> Iterator[Platform]:
    platform, _ = troubled
    platform.requests(forget=True)
    yield platform
    platform.calm()


@pytest.fixture
def http(troubled: tuple[Platform, httpx2.Client]) -> httpx2.Client:
    return troubled[1]


def _s3(platform: Platform, version: str) -> boto3.client:
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{platform._s3_port}",
        region_name="us-east-1",
        aws_access_key_id=platform._access_key,
        aws_secret_access_key=platform._secret_key,
        config=Config(signature_version=version),
    )


def sign(platform: Platform, seconds: int = 3600) -> str:
    url = _s3(platform, "s3").generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": KEY}, seconds)
    assert isinstance(url, str)
    return url


def ask(http: httpx2.Client, platform: Platform) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {platform.token}"}
    return http.get(f"{platform.url}/v1/universe", headers=headers)


def test_a_status_is_answered_as_often_as_asked_for(http: httpx2.Client, platform: Platform) -> None:
    platform.trouble(path="/v1/universe", status=429, headers={"Retry-After": "3"}, after=1, times=2)
    answers = [ask(http, platform) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 429, 429, 200]
    assert answers[1].headers["retry-after"] == "3"


def test_trouble_strikes_only_what_it_is_meant_for_and_until_calm(
    http: httpx2.Client, platform: Platform
) -> None:
    platform.trouble(path="/v1/get_file", status=503)
    platform.trouble(path="/v1/universe", method="POST", status=503)
    assert ask(http, platform).status_code == 200
    platform.trouble(path="/v1/universe", status=503)
    assert ask(http, platform).status_code == 503
    platform.calm()
    assert ask(http, platform).status_code == 200


def test_the_store_tells_of_errors_as_a_store_does(http: httpx2.Client, platform: Platform) -> None:
    platform.trouble("store", path=KEY, status=404)
    answer = http.get(sign(platform))
    assert (answer.status_code, "<Code>NoSuchKey</Code>" in answer.text) == (404, True)


def test_an_answer_may_come_late(http: httpx2.Client, platform: Platform) -> None:
    platform.trouble("store", path=KEY, delay=0.3, times=1)
    begin = time.monotonic()
    assert http.get(sign(platform)).content == CONTENT
    assert time.monotonic() - begin >= 0.3


@pytest.mark.parametrize("arguments", [{}, {"cut_after": 1000}], ids=["before", "amid"])
def test_an_answer_may_never_come(http: httpx2.Client, platform: Platform, arguments: dict[str, int]) -> None:
    platform.trouble("store", path=KEY, hang=True, times=1, **arguments)
    with pytest.raises(httpx2.ReadTimeout):
        http.get(sign(platform), timeout=0.3)


def test_an_answer_may_end_early_although_its_headers_promise_more(
    http: httpx2.Client, platform: Platform
) -> None:
    platform.trouble("store", path=KEY, cut_after=1000, times=1)
    received: list[bytes] = []
    with http.stream("GET", sign(platform)) as answer:
        assert answer.headers["content-length"] == str(len(CONTENT))
        with pytest.raises(httpx2.RemoteProtocolError):
            received.extend(answer.iter_raw())
    assert b"".join(received) == CONTENT[:1000]


def test_a_body_may_be_wrong(http: httpx2.Client, platform: Platform) -> None:
    platform.trouble("store", path=KEY, spoil=True, times=1)
    spoiled = http.get(sign(platform)).content
    assert (len(spoiled), spoiled == CONTENT) == (len(CONTENT), False)


def test_a_signature_may_count_as_expired(http: httpx2.Client, platform: Platform) -> None:
    platform.trouble("store", clock_offset=7200, times=1)
    answer = http.get(sign(platform))
    assert (answer.status_code, "expired" in answer.text) == (403, True)
    assert http.get(sign(platform)).status_code == 200


def test_requests_are_recorded_without_secrets(http: httpx2.Client, platform: Platform) -> None:
    ask(http, platform)
    http.get(sign(platform), headers={"Range": "bytes=0-9"})
    (asked,), (fetched,) = platform.requests("server"), platform.requests("store")
    assert (asked.method, asked.status, asked.authorization, asked.token) == ("GET", 200, "Bearer", True)
    assert asked.path.endswith("/v1/universe")
    assert (fetched.path, fetched.status, fetched.range, fetched.sent) == (
        f"/{BUCKET}/{KEY}",
        206,
        "bytes=0-9",
        10,
    )
    assert (fetched.authorization, fetched.token) == (None, False)
    assert platform.requests(forget=True) == [asked, fetched]
    assert platform.requests() == []


def test_a_token_on_its_way_to_the_store_is_noticed(http: httpx2.Client, platform: Platform) -> None:
    http.get(sign(platform), headers={"X-Strange": platform.token})
    assert [seen.token for seen in platform.requests("store")] == [True]
