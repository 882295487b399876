"""The example notebook, as a person runs it on the platform."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from python_butler.demo.jupyterlab import copy_notebook


def test_the_notebook_prepares_starts_collects_and_plots(environment: dict[str, str], tmp_path: Path) -> None:
    notebook = nbformat.read(copy_notebook(tmp_path, "run-a-pipeline.ipynb"), as_version=4)
    nbformat.validate(notebook)
    NotebookClient(notebook, timeout=240, kernel_name="python3").execute(cwd=str(tmp_path))
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    pictures = [cell for cell in cells if any("image/png" in each.get("data", {}) for each in cell.outputs)]
    assert len(pictures) == 3
    (text,) = (each.text for each in cells[-1].outputs if each.output_type == "stream")
    found = re.fullmatch(r"8 visits, (\d+) objects; noise a pixel (\S+) and (\S+) nJy\n", text)
    assert found is not None, text
    objects, single, coadd = (float(number) for number in found.groups())
    assert objects > 12
    # As eight visits of about the same depth do, interpolation included.
    assert 2.2 < single / coadd < 4.0
