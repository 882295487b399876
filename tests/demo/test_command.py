"""``satellite demo`` as a person, and as the browser tests, start it."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import nbformat
import pytest
from click.testing import CliRunner
from nbclient import NotebookClient

from python_butler.demo import command
from python_butler.demo.jupyterlab import NOTEBOOK, copy_notebook
from python_butler.settings import cache_directory

# As in a terminal's foreground: what starts the tests may have been told to ignore Ctrl-C.
START = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from python_butler.cli import main
main()
"""
COMMAND = (sys.executable, "-c", START, "demo")


@contextmanager
def started(*arguments: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Unbuffered, so that nothing is read which the next line's waiting would miss.
        bufsize=0,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], 60)[0], "no answer in a minute"
    return process.stdout.readline().decode().strip()


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_services_alone_print_what_to_export_and_end_with_ctrl_c(repository: Path, tmp_path: Path) -> None:
    with started("--no-lab", "--directory", tmp_path) as process:
        exports = dict(
            re.fullmatch(r"export (\w+)=(.+)", line_of(process)).groups()  # type: ignore[union-attr]
            for _ in range(6)
        )
        index = Path(exports["DAF_BUTLER_REPOSITORY_INDEX"]).read_text()
        server = index.removeprefix("dp2: ").strip()
        assert httpx2.get(server, trust_env=False).status_code == 200
        assert exports["PYTHON_BUTLER_ROOT"] == str(tmp_path / "butler")
        assert Path(exports["DAF_BUTLER_CACHE_DIRECTORY"]).is_relative_to(tmp_path)
        services = [os.pidfd_open(pid) for pid in children_of(process.pid)]
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 0
        assert len(services) == 2
        for service in services:
            assert select.select([service], [], [], 0)[0], "a service outlived the command"
            os.close(service)


def test_jupyterlab_opens_with_the_notebook_and_obeys_tests(repository: Path, tmp_path: Path) -> None:
    with started("--no-browser", "--json", "--control", "--directory", tmp_path) as process:
        addresses = json.loads(line_of(process))
        with httpx2.Client(trust_env=False, follow_redirects=True) as http:
            page = http.get(addresses["notebook"])
            assert page.status_code == 200
            assert '"exposeAppInBrowser": true' in page.text
            base = addresses["lab"].partition("/lab")[0]
            contents = http.get(f"{base}/api/contents").json()["content"]
            assert NOTEBOOK in [entry["name"] for entry in contents]

            def say(words: str) -> str:
                assert process.stdin is not None
                process.stdin.write(words.encode() + b"\n")
                return line_of(process)

            token = say("token").removeprefix("ok ")
            assert token not in page.text
            universe, headers = f"{addresses['server']}/v1/universe", {"Authorization": f"Bearer {token}"}
            assert http.get(universe, headers=headers).status_code == 200
            assert say("wrong-token") == "ok"
            assert http.get(universe, headers=headers).status_code == 401
            assert say("right-token") == "ok"
            assert say("stop-server") == "ok"
            with pytest.raises(httpx2.ConnectError):
                http.get(universe, headers=headers)
            assert say("start-server") == "ok"
            assert http.get(universe, headers=headers).status_code == 200
            assert say('trouble server {"path": "universe$", "status": 418}') == "ok"
            assert http.get(universe, headers=headers).status_code == 418
            assert say("calm") == "ok"
            assert http.get(universe, headers=headers).status_code == 200
            assert say("dance").startswith("error")
            written = [path for path in tmp_path.rglob("*") if path.is_file()]
            assert not [path for path in written if token in path.read_text(errors="replace")]
            assert process.stdin is not None
            process.stdin.write(b"quit\n")
        assert process.wait(20) == 0


def test_the_check_leaves_the_demonstrations_directory_alone(repository: Path, tmp_path: Path) -> None:
    elsewhere = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(cache_directory().parent)}
    result = subprocess.run(
        [*COMMAND, "--check"], capture_output=True, text=True, env={**os.environ, **elsewhere}
    )
    assert result.returncode == 0, result.stderr
    assert "Read back" in result.stdout
    assert not (tmp_path / "python-butler-demo").exists()


def test_a_lab_needs_its_login(repository: Path, tmp_path: Path) -> None:
    with started("--no-browser", "--json", "--directory", tmp_path) as process:
        addresses = json.loads(line_of(process))
        base = addresses["lab"].partition("/lab")[0]
        assert httpx2.get(f"{base}/api/contents", trust_env=False).status_code == 403
        lab = [os.pidfd_open(pid) for pid in children_of(process.pid)]
        process.kill()
        for child in lab:
            assert select.select([child], [], [], 15)[0], "a process outlived the command"
            os.close(child)


def test_the_example_notebook_runs(environment: dict[str, str], tmp_path: Path) -> None:
    notebook = nbformat.read(copy_notebook(tmp_path), as_version=4)
    nbformat.validate(notebook)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute(cwd=str(tmp_path))
    last = notebook.cells[-1].outputs[0].text
    assert re.match(r"[1-9]\d* rows in u/", last)


def test_a_notebook_that_its_user_changed_is_kept(tmp_path: Path) -> None:
    (tmp_path / NOTEBOOK).write_text("mine")
    assert copy_notebook(tmp_path).read_text() == "mine"


def test_missing_packages_are_named_with_the_way_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_NEEDED", ("moto_that_is_not_there",))
    result = CliRunner().invoke(command.demo, ["--check"])
    assert result.exit_code == 1
    assert 'pip install "python-butler[demo]"' in result.output
