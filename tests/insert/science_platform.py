"""What `lsst.rsp` offers on the science platform, for snippets that ask its web services.

A stand-in, since the package is in no registry and its services are on the platform only: it answers as they
do, by the shape of the answer, and keeps what it was asked.
"""

from __future__ import annotations

import io
import sys
import types
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table

ASKED: list[tuple[str, dict[str, str]]] = []
"""Address and parameters of each question."""


class RSPDiscovery:
    """Finds the services of one release."""

    def __init__(self, dataset: str) -> None:
        self._dataset = dataset

    def get_service_url(self, service: str, *, version: str | None = None) -> str:
        return f"https://platform.example/{self._dataset}/{service}/{version}"

    def get_session(self) -> Any:
        return types.SimpleNamespace(get=_get)


def _get(url: str, params: dict[str, str]) -> Any:
    ASKED.append((url, params))
    content = io.BytesIO()
    if "/datalink/" in url:
        Table({"ID": [params["ID"]], "semantics": ["#this"]}).write(content, format="votable")
    else:
        fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros((2, 2)))]).writeto(content)
    return types.SimpleNamespace(content=content.getvalue(), raise_for_status=lambda: None)


def install() -> None:
    """Make it importable as `lsst.rsp`."""
    module = types.ModuleType("lsst.rsp")
    module.RSPDiscovery = RSPDiscovery  # type: ignore[attr-defined]
    sys.modules["lsst.rsp"] = module
