"""Where satellites live."""

from __future__ import annotations

from pathlib import Path

import pytest

from python_butler.errors import InvalidRequestError
from python_butler.settings import cache_directory, satellite_directory, satellite_root, user_name


def test_satellites_live_in_the_home_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PYTHON_BUTLER_ROOT", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert satellite_root() == tmp_path / "butler"
    assert satellite_directory("dp2") == tmp_path / "butler" / "dp2"


def test_or_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYTHON_BUTLER_ROOT", "~/elsewhere")
    assert satellite_directory("dp0.2") == tmp_path / "elsewhere" / "dp0.2"


@pytest.mark.parametrize("label", ["", "..", "../dp2", "a/b", ".hidden", "/dp2", "dp 2", "dp2\n"])
def test_a_label_cannot_lead_out_of_that_directory(label: str) -> None:
    with pytest.raises(InvalidRequestError, match="cannot be the label"):
        satellite_directory(label)


def test_the_cache_is_where_the_desktop_convention_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_directory() == tmp_path / ".cache" / "python-butler"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "c"))
    assert cache_directory() == tmp_path / "c" / "python-butler"


def test_the_hub_knows_the_users_name_best(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JUPYTERHUB_USER", "hub")
    monkeypatch.setenv("USER", "unix")
    assert user_name() == "hub"
    monkeypatch.delenv("JUPYTERHUB_USER")
    assert user_name() == "unix"
    monkeypatch.delenv("USER")
    monkeypatch.setenv("HOME", str(tmp_path / "somebody"))
    assert user_name() == "somebody"
