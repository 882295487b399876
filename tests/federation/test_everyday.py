"""The notebook of everyday patterns does the same with upstream's Butler, but for its first cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

import python_butler
from python_butler.satellite import Satellite

NOTEBOOK = Path(__file__).parents[2] / "docs" / "user" / "everyday.ipynb"
OURS = 'import python_butler\n\nbutler = python_butler.open("dp2", collections="dp2")'
UPSTREAMS = 'from lsst.daf.butler import Butler\n\nbutler = Butler("dp2", collections="dp2")'


def outputs(first_cell: str, directory: Path) -> list[str]:
    """What each cell prints."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    cells: list[Any] = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert cells[0].source == OURS
    cells[0].source = first_cell
    NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(directory)}}).execute()
    return ["".join(each.text for each in cell.outputs if each.get("name") == "stdout") for cell in cells]


def test_only_the_first_cell_differs(environment: dict[str, str], tmp_path: Path) -> None:
    upstreams = outputs(UPSTREAMS, tmp_path)
    assert all(upstreams[1:])
    assert outputs(OURS, tmp_path) == upstreams
    # Nor does it matter what is in one's satellite.
    with python_butler.open("dp2", collections="dp2", instrument="LSSTCam") as butler:
        butler.save({"seeing": 0.7}, "seeing", detector=91)
        Satellite.open("dp2").reference(
            butler.query_datasets("visit_image", where="band.name = 'r'", limit=3)
        )
    assert outputs(OURS, tmp_path) == upstreams
