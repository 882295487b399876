"""The platform behaves like the real one: towards users, intruders, outages and its own death."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from lsst.daf.butler import Butler

from python_butler.demo.platform import Platform
from python_butler.demo.service import PlatformError
from python_butler.official import connect
from tests.processes import running

BEARER = "Bearer"


@pytest.fixture(scope="module")
def http() -> Iterator[httpx2.Client]:
    with httpx2.Client(trust_env=False) as client:
        yield client


def ask(http: httpx2.Client, platform: Platform, token: str | None, **headers: str) -> httpx2.Response:
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return http.get(f"{platform.url}/v1/universe", headers=headers)


def test_a_remote_butler_finds_and_reads_official_data(environment: dict[str, str]) -> None:
    with Butler.from_config("dp2", collections="dp2") as butler:
        (ref,) = butler.query_datasets("visit_table")
        table = butler.get(ref)
    assert len(table) > 0


def test_whoever_has_the_token_may_read(http: httpx2.Client, platform: Platform) -> None:
    assert ask(http, platform, platform.token).status_code == 200


@pytest.mark.parametrize("token", [None, "gt-somebody.else"])
def test_without_a_known_token_it_answers_401(
    http: httpx2.Client, platform: Platform, token: str | None
) -> None:
    response = ask(http, platform, token)
    assert response.status_code == 401
    assert BEARER in response.headers["www-authenticate"]


def test_a_user_in_no_group_is_answered_403(http: httpx2.Client, platform: Platform) -> None:
    response = ask(http, platform, platform.token_without_group)
    assert response.status_code == 403
    assert "guest does not have permission" in response.text


def test_identity_headers_of_the_client_count_for_nothing(http: httpx2.Client, platform: Platform) -> None:
    forged = {"X-Auth-Request-User": "demo", "X-Auth-Request-Token": platform.token}
    assert ask(http, platform, None, **forged).status_code == 401
    assert ask(http, platform, platform.token_without_group, **forged).status_code == 403


def test_the_client_configuration_is_public(http: httpx2.Client, platform: Platform) -> None:
    response = http.get(f"{platform.url}/butler.yaml")
    assert response.json()["cls"] == "lsst.daf.butler.remote_butler.RemoteButler"


def test_a_label_that_is_not_served_is_answered_404(http: httpx2.Client, platform: Platform) -> None:
    url = platform.url.replace("/dp2", "/dp9") + "/v1/universe"
    assert http.get(url, headers={"Authorization": f"Bearer {platform.token}"}).status_code == 404


def test_an_outage_refuses_connections_and_ends_at_the_same_address(
    http: httpx2.Client, own_platform: Platform
) -> None:
    url = own_platform.url
    own_platform.stop_server()
    with pytest.raises(httpx2.ConnectError):
        ask(http, own_platform, own_platform.token)
    own_platform.start_server()
    assert own_platform.url == url
    assert ask(http, own_platform, own_platform.token).status_code == 200


def test_a_refused_token_stays_refused_over_a_restart_until_it_is_accepted(
    http: httpx2.Client, own_platform: Platform
) -> None:
    own_platform.refuse_token()
    assert ask(http, own_platform, own_platform.token).status_code == 401
    own_platform.stop_server()
    own_platform.start_server()
    assert ask(http, own_platform, own_platform.token).status_code == 401
    own_platform.accept_token()
    assert ask(http, own_platform, own_platform.token).status_code == 200


def test_two_platforms_do_not_share_a_directory(repository: Path, platform: Platform) -> None:
    with (
        pytest.raises(PlatformError, match="already runs"),
        Platform(platform.directory, repository=repository),
    ):
        pass


def test_a_service_that_does_not_start_is_reported_with_its_last_words(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    with pytest.raises(PlatformError, match=r"(?s)Butler server did not start but ended.*nothing"):
        Platform(tmp_path / "work", repository=nothing).__enter__()


def test_secrets_are_in_no_file_and_no_process_listing(
    environment: dict[str, str], platform: Platform
) -> None:
    with connect("dp2") as butler:
        (ref,) = butler.query_datasets("visit_table", collections="dp2")
        butler.get(ref)
    secrets = [platform.token, platform.token_without_group, platform._secret_key]
    written = [path.read_text(errors="replace") for path in platform.directory.rglob("*") if path.is_file()]
    started = [
        Path(f"/proc/{pid}/{name}").read_text() for pid in platform.pids for name in ("cmdline", "environ")
    ]
    for text in (*written, *started):
        assert not any(secret in text for secret in secrets)
        assert "Signature=" not in text


def test_the_repository_is_served_without_being_touched(
    environment: dict[str, str], platform: Platform, repository: Path
) -> None:
    before = {path: path.stat().st_mtime_ns for path in (repository / "repo").rglob("*")}
    with Butler.from_config("dp2", collections="dp2") as butler:
        butler.query_datasets("visit_image", limit=None, order_by="visit")
    assert {path: path.stat().st_mtime_ns for path in (repository / "repo").rglob("*")} == before


def test_no_process_survives_the_death_of_the_parent(repository: Path, tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from python_butler.demo.platform import Platform\n"
        "with Platform(Path(sys.argv[1]), repository=Path(sys.argv[2])) as platform:\n"
        "    print(*platform.pids, flush=True)\n"
        "    time.sleep(600)\n"
    )
    with running([sys.executable, "-c", script, tmp_path, repository], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        services = [os.pidfd_open(int(pid)) for pid in parent.stdout.readline().split()]
        try:
            parent.kill()
            assert len(services) == 2
            for service in services:
                assert select.select([service], [], [], 10)[0], "a service outlived its parent"
        finally:
            for service in services:
                os.close(service)
