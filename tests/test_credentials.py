"""Which server may see which token, and what is taken out of texts."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from python_butler.credentials import keep_out_of_logs, scrub, token_files, token_for

LOOPBACK = "http://127.0.0.1:8000/api/butler/repo/dp2"
PLATFORM = "https://data.lsst.cloud/api/butler/repo/dp2"
TOKEN = "gt-AAAAAAAAAAAAAAAAAAAAAA.BBBBBBBBBBBBBBBBBBBBBB"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("ACCESS_TOKEN", "BUTLER_RUBIN_ACCESS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NUBLADO_RUNTIME_MOUNTS_DIR", str(tmp_path))


def write_token(tmp_path: Path, text: str) -> None:
    (tmp_path / "secrets").mkdir(exist_ok=True)
    (tmp_path / "secrets" / "token").write_text(text)


def test_without_any_token_there_is_none() -> None:
    assert token_for(LOOPBACK) is None
    assert token_for(PLATFORM) is None


def test_the_explicit_token_goes_to_any_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUTLER_RUBIN_ACCESS_TOKEN", f" {TOKEN}\n")
    assert token_for(LOOPBACK) == token_for(PLATFORM) == TOKEN


@pytest.mark.parametrize(
    "url",
    [
        LOOPBACK,
        "https://example.org/api/butler/repo/dp2",
        "https://data.lsst.cloud.example.org/api",
        "https://lsst.cloud/api",
        "https://evil.org/?host=data.lsst.cloud",
        "https://data.lsst.cloud@evil.org/api",
        "not an address",
    ],
)
def test_the_platforms_token_goes_to_its_hosts_only(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ACCESS_TOKEN", TOKEN)
    write_token(tmp_path, TOKEN)
    assert token_for(url) is None


@pytest.mark.parametrize("url", [PLATFORM, "https://DATA.LSST.CLOUD/x", "https://usdf.slac.stanford.edu/x"])
def test_the_platforms_hosts_get_the_platforms_token(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCESS_TOKEN", TOKEN)
    assert token_for(url) == TOKEN


def test_a_renewed_token_file_is_used_at_once_and_before_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ACCESS_TOKEN", "gt-old")
    write_token(tmp_path, "gt-first\n")
    assert token_files()[0] == tmp_path / "secrets" / "token"
    assert token_for(PLATFORM) == "gt-first"
    write_token(tmp_path, "gt-second\n")
    assert token_for(PLATFORM) == "gt-second"
    write_token(tmp_path, "")
    assert token_for(PLATFORM) == "gt-old"


@pytest.mark.parametrize(
    ("text", "secret", "kept"),
    [
        (f"refused {TOKEN}.", TOKEN, "refused"),
        ("Authorization: Bearer abc.def-123", "abc.def-123", "Authorization: Bearer"),
        ("GET https://s3/b/x.fits?X-Amz-Signature=5ec&X-Amz-Date=1 failed", "5ec", "https://s3/b/x.fits"),
        ("url: /b/x.fits?AWSAccessKeyId=ak&Signature=5ec%3D&Expires=1 (Caused by)", "5ec", "(Caused by)"),
        ("https://storage/x?X-Goog-Algorithm=1&X-Goog-Signature=5ec", "5ec", "https://storage/x"),
    ],
)
def test_secrets_are_taken_out_of_texts(text: str, secret: str, kept: str) -> None:
    clean = scrub(text)
    assert secret not in clean
    assert kept in clean


def test_a_token_of_any_form_is_taken_out_if_it_is_in_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BUTLER_RUBIN_ACCESS_TOKEN", "no-usual-form")
    assert scrub("sent no-usual-form away") == "sent <token> away"


@pytest.mark.parametrize("text", ["", "visit = 101?", "https://host/api?repo=dp2&id=3", "a tokenizer"])
def test_harmless_texts_are_left_alone(text: str) -> None:
    assert scrub(text) == text


def test_other_libraries_log_no_secrets(caplog: pytest.LogCaptureFixture) -> None:
    keep_out_of_logs("somebody.else")
    logger = logging.getLogger("somebody.else")
    logger.setLevel(logging.DEBUG)
    logger.debug("GET %s?%s HTTP/%d", "/b/x.fits", "Signature=5ec", 1)
    logger.debug("%d requests for %s", 3, "/b/x.fits")
    try:
        raise OSError(f"{TOKEN} was refused")
    except OSError:
        logger.exception("It failed")
    assert "5ec" not in caplog.text
    assert "GET /b/x.fits?<signature removed> HTTP/1" in caplog.text
    assert "3 requests for /b/x.fits" in caplog.text
    assert TOKEN not in caplog.text
    assert "OSError: <token> was refused" in caplog.text
