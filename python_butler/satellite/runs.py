"""Runs of pipelines that write into a satellite: a small file tells it of each that is not given up."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["RUNS", "SETTINGS", "open_runs", "run_directories"]

RUNS = ".runs"
"""Directory in a satellite with a pointer to the working directory of each of its runs."""

SETTINGS = "run.json"
"""File in a working directory that says what was prepared there."""


def run_directories(satellite: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Find the working directories of a satellite's runs, those that are prepared and still there.

    Parameters
    ----------
    satellite : `pathlib.Path`
        The satellite's directory.

    Yields
    ------
    directory : `pathlib.Path`
        A working directory.
    settings : `dict`
        What was prepared there, as it was written.
    """
    for pointer in (satellite / RUNS).glob("*.json"):
        # The directory may have been moved or removed by hand, or be another run's by now.
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            directory = Path(json.loads(pointer.read_bytes())["directory"])
            settings = json.loads((directory / SETTINGS).read_bytes())
            if settings["id"] == pointer.stem:
                yield directory, settings


def open_runs(satellite: Path) -> set[str]:
    """Find the collections that runs write to whose working directories are still there.

    Files there may have no datasets: they are collected, or given up, by whoever has the directory.

    Parameters
    ----------
    satellite : `pathlib.Path`
        The satellite's directory.

    Returns
    -------
    output_runs : `set` [`str`]
        Names of collections, which need not exist yet.
    """
    return {settings["output_run"] for _, settings in run_directories(satellite) if "output_run" in settings}
