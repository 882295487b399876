"""The committed document is what the models and routes say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from python_butler.backend import openapi


def test_the_committed_document_has_not_drifted() -> None:
    assert openapi.DOCUMENT.read_text() == openapi.render()
    assert openapi.main(["--check"]) == 0


def test_drift_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "openapi.json"
    stale.write_text("{}")
    monkeypatch.setattr(openapi, "DOCUMENT", stale)
    assert openapi.main(["--check"]) == 1
    assert "python_butler.backend.openapi" in capsys.readouterr().err
    assert openapi.main([]) == 0
    assert openapi.main(["--check"]) == 0


def test_every_field_is_always_sent_and_no_model_appears_twice() -> None:
    schemas = openapi.describe()["components"]["schemas"]
    assert {"DatasetEvent", "RowsEvent", "EndEvent", "BusyEvent", "ErrorEvent"} <= set(schemas)
    assert not [name for name in schemas if name.endswith(("-Input", "-Output"))]
    for schema in schemas.values():
        assert set(schema.get("properties", ())) == set(schema.get("required", ()))


def test_the_document_is_made_without_lsst_packages() -> None:
    code = (
        "import sys, python_butler.backend.openapi as o; o.describe();"
        "print([m for m in sys.modules if m == 'lsst' or m.startswith('lsst.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
