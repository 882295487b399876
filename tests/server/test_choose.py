"""In which environment the backend runs, from real kernelspecs on disk."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager

from python_butler.errors import BackendUnavailableError
from python_butler.server import choose as room
from python_butler.server.choose import CommandChoice, KernelChoice, choose, has_butler

from .conftest import write_kernelspec


@pytest.fixture
def data(tmp_path: Path) -> Path:
    directory = tmp_path / "data"
    write_kernelspec(directory, "lsst", ["/stack/wrapper", "{connection_file}"])
    write_kernelspec(
        directory, "other", ["/other/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    )
    return directory


async def chosen(
    data: Path, command: Sequence[str] = (), kernel: str = "", default: str = "python3"
) -> CommandChoice | KernelChoice:
    specs = KernelSpecManager(kernel_dirs=[str(data / "kernels")])
    return await choose(command, kernel, specs, default)


@pytest.fixture
def without_butler(monkeypatch: pytest.MonkeyPatch) -> None:
    # The environment of the tests has the Butler; one that really has not is in test_environments.
    monkeypatch.setattr(room, "has_butler", lambda: False)


async def test_the_configured_command_wins(data: Path) -> None:
    choice = await chosen(data, command=["/opt/butler", "--fast"], kernel="lsst")
    assert isinstance(choice, CommandChoice)
    assert choice.command == ("/opt/butler", "--fast")


async def test_the_configured_kernel_wins_over_what_is_found(data: Path) -> None:
    choice = await chosen(data, kernel="other")
    assert isinstance(choice, KernelChoice)
    assert choice.name == "other"


async def test_an_environment_that_has_the_butler_is_used_itself(data: Path) -> None:
    choice = await chosen(data)
    assert isinstance(choice, CommandChoice)
    assert choice.command == (sys.executable, "-P", "-m", "python_butler.backend")


async def test_without_it_the_platforms_kernel_is_used(data: Path, without_butler: None) -> None:
    choice = await chosen(data, default="other")
    assert isinstance(choice, KernelChoice)
    assert choice.name == "lsst"


async def test_without_that_the_default_kernel_is_used(tmp_path: Path, without_butler: None) -> None:
    write_kernelspec(tmp_path, "other", ["/other/python"])
    choice = await chosen(tmp_path, default="other")
    assert isinstance(choice, KernelChoice)
    assert choice.name == "other"


async def test_nothing_found_says_what_to_configure(tmp_path: Path, without_butler: None) -> None:
    # The default kernel is this very environment, which has no Butler.
    with pytest.raises(BackendUnavailableError) as caught:
        await chosen(tmp_path)
    assert "PythonButler.kernel_name" in caught.value.next_step


async def test_a_kernel_that_is_not_there_is_named(data: Path) -> None:
    with pytest.raises(BackendUnavailableError, match="'lst'") as caught:
        await chosen(data, kernel="lst")
    assert "PythonButler.kernel_name" in caught.value.next_step


def test_the_butler_is_found_without_importing_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A stack set up by EUPS spreads the packages over many directories, and pip knows none of them.
    for directory, package in (("base", "lsst/base"), ("butler", "lsst/daf/butler")):
        path = tmp_path / directory / package
        path.mkdir(parents=True)
        for folder in (path, *path.parents):
            if folder.name in {"base", "butler", "daf", "lsst"} and "lsst" in folder.parts:
                (folder / "__init__.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.setattr("importlib.metadata.distribution", _no_distribution)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "base")])
    assert not has_butler()
    monkeypatch.setattr(sys, "path", [str(tmp_path / "base"), "", str(tmp_path / "butler")])
    assert has_butler()


def _no_distribution(name: str) -> None:
    from importlib.metadata import PackageNotFoundError

    raise PackageNotFoundError(name)
