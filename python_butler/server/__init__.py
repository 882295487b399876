"""The half of the package that lives in the Jupyter server: it starts the backend and relays to it.

JupyterLab's own environment has no lsst package, so nothing here may import one; of ours it knows
only the settings and the errors. What crosses the relay is none of its business.
"""

from __future__ import annotations

from typing import Any

__all__: list[str] = []


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell the Jupyter server where the extension is."""
    from .extension import PythonButler

    return [{"module": "python_butler.server", "app": PythonButler}]
