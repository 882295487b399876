"""The extension in its host: enabled by what is installed, and never in the way of the end."""

from __future__ import annotations

import json
from collections.abc import Callable

from .conftest import ROOT, STAND_IN, JupyterServer, alive, wait_until


def test_the_extension_is_enabled_by_the_file_that_is_installed() -> None:
    config = json.loads((ROOT / "labextension" / "server-config" / "python_butler.json").read_text())
    assert config == {"ServerApp": {"jpserver_extensions": {"python_butler.server": True}}}


def test_a_backend_that_cannot_be_stopped_does_not_keep_jupyter_alive(
    start_jupyter: Callable[..., JupyterServer],
) -> None:
    jupyter = start_jupyter(
        "from python_butler.server.supervisor import Supervisor\n"
        "async def stop(self):\n"
        "    raise RuntimeError('cannot be stopped')\n"
        "Supervisor.stop = stop\n"
        f"c.PythonButler.backend_command = {STAND_IN!r}\n",
        {"STAND_IN_GRACE": "0.2"},
    )
    pid = jupyter.get("echo").json()["pid"]
    jupyter.close()
    assert jupyter.process.returncode == 0
    assert "cannot be stopped" in jupyter.log.read_text()
    # Without its lease it ended by itself.
    wait_until(lambda: not alive(pid))
