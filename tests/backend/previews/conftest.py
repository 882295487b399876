"""A backend over the demonstration's own tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lsst.daf.butler import Butler

from python_butler.demo.platform import Platform

from ..conftest import Backend, kernel_environment


@pytest.fixture(scope="session")
def demonstration(repository: Path) -> Iterator[Butler]:
    """The demonstration repository opened directly: what previews must agree with."""
    with Butler.from_config(str(repository / "repo")) as butler:
        yield butler


@pytest.fixture(scope="session")
def previews(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A backend beside the platform; personal repositories can be made in its root."""
    directory = tmp_path_factory.mktemp("previews")
    backend = Backend(directory, kernel_environment(platform, directory / "butler"))
    try:
        yield backend
    finally:
        backend.close()


@pytest.fixture
def post(previews: Backend) -> Any:
    """Posts to the backend and gives what it answers."""

    def post(path: str, status: int = 200, **body: Any) -> Any:
        response = previews.client.post(path, json=body)
        assert response.status_code == status, response.text
        return response.json()

    return post
