"""The platform's JupyterLab: a server of its own, apart from the user's settings and other servers.

Run as a service by `command`; `JupyterLab` is the parent's side.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from .child import take_standard_output, watch_parent
from .service import LOOPBACK, Service, clean_environment, reserve_port

__all__ = ["NOTEBOOK", "NOTEBOOKS", "JupyterLab", "copy_notebook"]

NOTEBOOK = "first-steps.ipynb"
"""Name of the example notebook to begin with."""

NOTEBOOKS = (NOTEBOOK, "run-a-pipeline.ipynb")
"""Names of all example notebooks."""

_PATIENCE = 10.0


def copy_notebook(directory: Path, name: str = NOTEBOOK) -> Path:
    """Put an example notebook into a directory, unless it is there.

    Parameters
    ----------
    directory : `pathlib.Path`
        An existing directory.
    name : `str`, optional
        One of `NOTEBOOKS`.

    Returns
    -------
    notebook : `pathlib.Path`
        The notebook; one that the user has changed is left as it is.
    """
    notebook = directory / name
    if not notebook.exists():
        notebook.write_bytes(resources.files(__package__).joinpath("notebooks", name).read_bytes())
    return notebook


class JupyterLab:
    """A JupyterLab whose kernels know the platform, as a process.

    Parameters
    ----------
    directory : `pathlib.Path`
        Its root directory. The example notebooks are copied here.
    environment : `~collections.abc.Mapping` [`str`, `str`]
        Added to its environment, which its kernels inherit.
    port : `int`, optional
        Port to listen on; 0 for any free one.
    open_browser : `bool`, optional
        Open the example notebook in the user's browser.
    expose : `bool`, optional
        Offer JupyterLab's application object to scripts in the page, for tests.
    backend_command : `str`, optional
        The command that starts the sidebar's backend; if not given, the extension chooses.

    Attributes
    ----------
    url : `str`
        Address with JupyterLab's own login token, opening an empty workspace.
    notebook_url : `str`
        The same, opening the example notebook.

    Raises
    ------
    PlatformError
        If it does not come up.
    """

    def __init__(
        self,
        directory: Path,
        environment: Mapping[str, str],
        *,
        port: int = 0,
        open_browser: bool = False,
        expose: bool = False,
        backend_command: str | None = None,
    ) -> None:
        state = directory / ".platform" / "jupyter"
        shutil.rmtree(state, ignore_errors=True)
        _write_settings(state / "settings")
        for name in NOTEBOOKS:
            copy_notebook(directory, name)
        self._reservation = reserve_port(port)
        port = self._reservation.getsockname()[1]
        login = secrets.token_hex(24)
        self.url = f"http://{LOOPBACK}:{port}/lab?token={login}"
        self.notebook_url = f"http://{LOOPBACK}:{port}/lab/tree/{quote(NOTEBOOK)}?token={login}"
        self._service = Service(
            "JupyterLab",
            __name__,
            {
                "port": port,
                "login": login,
                "directory": str(directory),
                "state": str(state),
                "open_browser": open_browser,
                "expose": expose,
                "backend_command": [] if backend_command is None else [backend_command],
            },
            log=directory / ".platform" / "jupyterlab.log",
            directory=directory,
            environment={
                **clean_environment("JUPYTER_"),
                **environment,
                "JUPYTER_CONFIG_DIR": str(state / "config"),
                "JUPYTER_DATA_DIR": str(state / "data"),
                "JUPYTER_RUNTIME_DIR": str(state / "runtime"),
            },
        )
        try:
            self._service.wait_until_ready()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Process ID of the Jupyter server."""
        return self._service.pid

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has ended, for example because its user shut it down.

        Parameters
        ----------
        timeout : `float`, optional
            Seconds to wait; for ever if not given.

        Returns
        -------
        ended : `bool`
            Whether it has ended.
        """
        return self._service.wait(timeout)

    def close(self) -> None:
        """Stop it and its kernels. Safe to call twice."""
        self._service.stop(_PATIENCE + 2)
        self._reservation.close()


def _write_settings(directory: Path) -> None:
    """Keep JupyterLab from asking whether it may fetch news."""
    file = directory / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))


def main() -> None:
    """Run as a service."""
    from jupyterlab.labapp import LabApp

    answers = take_standard_output()
    settings = json.loads(sys.stdin.readline())
    state = Path(settings["state"])
    server = LabApp.initialize_server(
        argv=[
            f"--ServerApp.ip={LOOPBACK}",
            f"--ServerApp.port={settings['port']}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={settings['directory']}",
            f"--ServerApp.allow_root={os.geteuid() == 0}",
            f"--ServerApp.open_browser={settings['open_browser']}",
            f"--IdentityProvider.token={settings['login']}",
            f"--LabApp.default_url=/lab/tree/{quote(NOTEBOOK)}",
            f"--LabApp.user_settings_dir={state / 'settings'}",
            f"--LabApp.workspaces_dir={state / 'workspaces'}",
            "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            f"--LabApp.expose_app_in_browser={settings['expose']}",
            # Notebook 7, where it is installed, is on the same server.
            f"--JupyterNotebookApp.expose_app_in_browser={settings['expose']}",
            # Enabled for this server, even where the package runs from a source tree.
            "--ServerApp.jpserver_extensions=python_butler.server=True",
            *(f"--PythonButler.backend_command={part}" for part in settings["backend_command"]),
        ]
    )

    def announce() -> None:
        watch_parent(on_end=lambda: os.kill(os.getpid(), signal.SIGTERM), patience=_PATIENCE)
        answers.write('"ready"\n')

    server.io_loop.add_callback(announce)
    server.start()
