"""How much room there is, and who says so."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from python_butler.satellite.usage.quota import free_bytes, volume_of

# What the quota tools print with --verbose --no-wrap --raw-grace. No file system with quotas can be had
# here, so a stand-in for the command prints it.
LIMITED = """\
Disk quotas for user me (uid 1000):
     Filesystem  blocks   quota   limit   grace   files   quota   limit   grace
nfs.example.org:/home/me 20000000* 19000000 39062500  1700000000   1234       0       0       0
"""
UNLIMITED = """\
Disk quotas for user me (uid 1000):
     Filesystem  blocks   quota   limit   grace   files   quota   limit   grace
      /dev/vda     1234       0       0       0      12       0       0       0
"""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], None]:
    """Put a command of the name ``quota`` on the path."""

    def make(says: str, code: int) -> None:
        directory = tmp_path / "bin"
        directory.mkdir()
        (directory / "says").write_text(says)
        (directory / "quota").write_text(f"#!/bin/sh\ncat '{directory}/says'\nexit {code}\n")
        (directory / "quota").chmod(0o755)
        monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")

    return make


@pytest.fixture(autouse=True)
def _no_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHON_BUTLER_QUOTA", raising=False)


def test_the_file_system_tells_its_size(small_disk: Callable[[int], Path]) -> None:
    disk = small_disk(10_002_432)
    volume = volume_of(disk)
    assert volume is not None
    assert volume.size == 10_002_432
    assert volume.mounted_at == disk
    (disk / "a").write_bytes(bytes(4_000_000))
    free = free_bytes(disk)
    assert free is not None
    assert 5_900_000 < free < 6_010_000


def test_what_is_not_there_has_no_volume(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "no") is None
    assert volume_of(tmp_path / "no") is None


def test_a_site_says_its_quota_and_nobody_knows_what_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_BUTLER_QUOTA", "40 GB")
    volume = volume_of(tmp_path)
    assert volume is not None
    quota = volume.quotas[0]
    assert (quota.bytes, quota.used, quota.free) == (40_000_000_000, None, None)
    assert quota.source == "PYTHON_BUTLER_QUOTA"
    assert volume.room <= volume.free


def test_a_quota_that_is_no_size_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_BUTLER_QUOTA", "much")
    volume = volume_of(tmp_path)
    assert volume is not None
    assert [each for each in volume.quotas if each.source == "PYTHON_BUTLER_QUOTA"] == []


def test_the_systems_quota_is_asked_even_if_it_is_exceeded(
    tmp_path: Path, command: Callable[[str, int], None]
) -> None:
    command(LIMITED, 1)
    volume = volume_of(tmp_path)
    assert volume is not None
    (quota,) = volume.quotas
    assert (quota.bytes, quota.used) == (40_000_000_000, 20_480_000_000)
    assert quota.free == 19_520_000_000
    assert volume.room <= 19_520_000_000


def test_no_limit_is_no_quota(tmp_path: Path, command: Callable[[str, int], None]) -> None:
    command(UNLIMITED, 0)
    volume = volume_of(tmp_path)
    assert volume is not None
    assert volume.quotas == []


def test_a_command_that_hangs_is_not_waited_for(
    tmp_path: Path, command: Callable[[str, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    command("", 0)
    (tmp_path / "bin" / "quota").write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr("python_butler.satellite.usage.quota._PATIENCE", 0.2)
    volume = volume_of(tmp_path)
    assert volume is not None
    assert volume.quotas == []
