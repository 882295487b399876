"""``satellite demo``: the whole miniature platform with one command."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shlex
import shutil
import signal
import sys
import tempfile
import threading
import types
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from .jupyterlab import JupyterLab
    from .platform import Platform

__all__ = ["demo"]

_NEEDED = (
    "a2wsgi",
    "boto3",
    "fastapi",
    "flask",
    "lsst.daf.butler",
    "lsst.images",
    "moto",
    "safir",
    "scipy",
    "uvicorn",
)
_QUIT = "quit"


@click.command("demo", context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("~/python-butler-demo"),
    show_default=True,
    help="Where notebooks and the demonstration's own satellites are kept.",
)
@click.option("--no-lab", is_flag=True, help="Start the services only, and print what to export.")
@click.option("--check", is_flag=True, help="Run the whole story without a browser, then stop.")
@click.option(
    "--latency", type=click.FloatRange(0), default=0.0, metavar="MS", help="Delay every HTTP request."
)
@click.option("--rebuild", is_flag=True, help="Build the official repository anew.")
@click.option(
    "--scale", type=click.IntRange(1), metavar="N", help="Add N datasets without files, for work at scale."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port of JupyterLab; 0 for any free one."
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@click.option("--json", "as_json", is_flag=True, hidden=True, help="Print the addresses as one line of JSON.")
@click.option(
    "--backend-command",
    type=click.Path(dir_okay=False),
    hidden=True,
    help="Have the sidebar's backend started by this command, for tests.",
)
@click.option("--control", is_flag=True, hidden=True, help="Obey commands on standard input, for tests.")
def demo(
    directory: Path,
    no_lab: bool,
    check: bool,
    latency: float,
    rebuild: bool,
    scale: int | None,
    port: int,
    no_browser: bool,
    as_json: bool,
    backend_command: str | None,
    control: bool,
) -> None:
    """Start a miniature science platform on this machine.

    It has simulated data in a real Butler server, an object store, and JupyterLab with the sidebar.
    Everything listens on the loopback interface only. Ctrl-C stops it.
    """
    _require_packages()
    from .platform import Platform
    from .repository import ensure_repository

    with _orderly_end(), contextlib.ExitStack() as stack:
        repository = ensure_repository(rebuild=rebuild, progress=_say)
        registry = None
        if scale is not None:
            from .scale import scaled_registry

            registry = scaled_registry(repository, scale, rebuild=rebuild, progress=_say)
        if check:
            directory = _checking_directory(stack, directory)
        platform = stack.enter_context(
            Platform(
                directory.expanduser().absolute(),
                repository=repository,
                latency=latency / 1000,
                registry=registry,
                progress=_say,
            )
        )
        environment = {**platform.environment, "DAF_BUTLER_CACHE_DIRECTORY": str(_empty_cache(platform))}
        if check:
            from .check import run_check

            os.environ.update(environment)
            run_check(click.echo)
            return
        lab = None
        if not no_lab:
            from .jupyterlab import JupyterLab

            _say("Starting JupyterLab.")
            lab = JupyterLab(
                platform.directory,
                environment,
                port=port,
                open_browser=not no_browser,
                expose=control,
                backend_command=backend_command,
            )
            stack.callback(lab.close)
        _announce(platform, environment, lab, as_json)
        _run(platform, lab, control)


def _require_packages() -> None:
    for name in _NEEDED:
        try:
            found = find_spec(name) is not None
        except ModuleNotFoundError:
            found = False
        if not found:
            raise click.ClickException(
                f"The demonstration needs the package {name!r}. "
                'Install it with: pip install "python-butler[demo]"'
            )


def _empty_cache(platform: Platform) -> Path:
    """Where copies of official files are kept: those of another build have the same IDs, and other bytes."""
    files = platform.directory / ".platform" / "files"
    shutil.rmtree(files, ignore_errors=True)
    return files


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)


def _checking_directory(stack: contextlib.ExitStack, directory: Path) -> Path:
    """Keep the check away from a demonstration that runs, unless told where to work."""
    source = click.get_current_context().get_parameter_source("directory")
    if source is not click.core.ParameterSource.DEFAULT:
        return directory
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="python-butler-check-")))


@contextlib.contextmanager
def _orderly_end() -> Iterator[None]:
    """End by the way that closes everything, whatever asks this process to end."""

    def leave(number: int, frame: types.FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    # What was told to outlive its terminal (nohup) does.
    numbers = [
        number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is not signal.SIG_IGN
    ]
    previous = {number: signal.signal(number, leave) for number in numbers}
    try:
        yield
    except KeyboardInterrupt:
        _say("Stopped.")
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _announce(platform: Platform, environment: dict[str, str], lab: JupyterLab | None, as_json: bool) -> None:
    if as_json:
        addresses = {
            "lab": lab and lab.url,
            "notebook": lab and lab.notebook_url,
            "server": platform.url,
            "index": str(platform.index_file),
            "directory": str(platform.directory),
            "pid": os.getpid(),
        }
        click.echo(json.dumps(addresses))
    elif lab is not None:
        click.echo(f"JupyterLab:    {lab.notebook_url}")
        click.echo(f"Butler server: {platform.url}")
        click.echo(f"Directory:     {platform.directory}")
        click.echo("Ctrl-C stops everything.")
    else:
        for name, value in environment.items():
            click.echo(f"export {name}={shlex.quote(value)}")
        _say("Ctrl-C stops everything.")
    sys.stdout.flush()


def _run(platform: Platform, lab: JupyterLab | None, control: bool) -> None:
    """Wait until somebody wants it to end: Ctrl-C, JupyterLab's own Shut Down, or a command."""
    commands: queue.SimpleQueue[str] = queue.SimpleQueue()
    if lab is not None:

        def watch() -> None:
            lab.wait()
            commands.put(_QUIT)

        threading.Thread(target=watch, daemon=True).start()
    if control:

        def listen() -> None:
            for line in sys.stdin:
                commands.put(line.strip())
            commands.put(_QUIT)

        threading.Thread(target=listen, daemon=True).start()
    while (command := commands.get()) != _QUIT:
        click.echo(_obey(platform, command))
        sys.stdout.flush()


def _obey(platform: Platform, command: str) -> str:
    """Carry out one command of a test; answered with one line."""
    match command.split(maxsplit=2):
        case ["stop-server"]:
            platform.stop_server()
        case ["start-server"]:
            platform.start_server()
        case ["wrong-token"]:
            platform.refuse_token()
        case ["right-token"]:
            platform.accept_token()
        case ["latency", milliseconds] if milliseconds.isdecimal():
            platform.set_latency(int(milliseconds) / 1000)
        case ["trouble", "server" | "store" as service, trouble]:
            platform.trouble(service, **json.loads(trouble))
        case ["calm"]:
            platform.calm()
        case ["token"]:
            # For tests that look for it in places where it must not be.
            return f"ok {platform.token}"
        case _:
            return f"error unknown command {command!r}"
    return "ok"
