"""The story that a newcomer is told runs, and says where it fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsst.daf.butler import Butler

from python_butler.demo.check import CheckFailedError, run_check
from python_butler.demo.platform import Platform


def test_the_whole_story_runs_and_is_told(environment: dict[str, str]) -> None:
    told: list[str] = []
    run_check(told.append)
    assert [line.partition(" ")[0].rstrip(":") for line in told] == [
        "Opened",
        "Query",
        "Get",
        "Put",
        "Read",
        "Read",
    ]


def test_the_story_can_be_told_twice_in_one_satellite(environment: dict[str, str]) -> None:
    run_check(lambda line: None)
    run_check(lambda line: None)
    with Butler.from_config(str(Path(environment["PYTHON_BUTLER_ROOT"]) / "dp2")) as satellite:
        runs = satellite.collections.query("u/*/check/*")
        assert len(satellite.query_datasets("check_statistics", collections=runs, find_first=False)) == 2


def test_a_step_that_fails_is_named(
    environment: dict[str, str], own_platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DAF_BUTLER_REPOSITORY_INDEX", "BUTLER_RUBIN_ACCESS_TOKEN"):
        monkeypatch.setenv(name, own_platform.environment[name])
    own_platform.stop_server()
    with pytest.raises(CheckFailedError, match=r"^Open failed: .*cannot be reached"):
        run_check(lambda line: None)
