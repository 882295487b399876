"""Exit codes that scripts can rely on, the same for all subcommands."""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from python_butler.cli.exits import ExitCode, finish
from python_butler.cli.lazy import LazyGroup
from python_butler.cli.main import _COMMANDS
from python_butler.cli.run.group import _COMMANDS as _RUN_COMMANDS
from python_butler.errors import SatelliteError
from tests.processes import PATIENCE, running


@pytest.mark.parametrize(
    ("problems", "cancelled", "code"),
    [
        ([], False, ExitCode.DONE),
        (["one"], False, ExitCode.PROBLEMS),
        ([], True, ExitCode.CANCELLED),
        (["one"], True, ExitCode.CANCELLED),
    ],
)
def test_a_report_decides_on_the_code(problems: list[str], cancelled: bool, code: ExitCode) -> None:
    @click.command
    def command() -> None:
        finish(problems=problems, cancelled=cancelled)

    assert CliRunner().invoke(command).exit_code == code


def _group(failure: BaseException) -> click.Group:
    """The group, with a subcommand that fails in one way."""

    @click.command("info")
    def info() -> None:
        raise failure

    class Group(LazyGroup):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
            return info

    return Group("satellite", commands={})


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (SatelliteError("It is broken."), ExitCode.ERROR),
        (click.UsageError("What?"), ExitCode.USAGE),
        (KeyboardInterrupt(), ExitCode.CANCELLED),
        (EOFError(), ExitCode.CANCELLED),
        (click.Abort(), ExitCode.CANCELLED),
    ],
)
def test_each_way_to_fail_has_its_code(failure: BaseException, code: ExitCode) -> None:
    result = CliRunner().invoke(_group(failure), ["info"])
    assert result.exit_code == code
    assert "Traceback" not in result.output


def test_a_process_that_is_interrupted_twice_ends_with_130_and_no_traceback() -> None:
    script = (
        "import click, os, signal, sys, time\n"
        "from python_butler.cli.lazy import LazyGroup\n"
        "from python_butler.cli.output import watch\n"
        "@click.command('info')\n"
        "def info():\n"
        "    with watch() as watched:\n"
        "        print('ready', flush=True)\n"
        # Not in one piece: what comes before the waiting has begun does not interrupt it.
        "        while not watched.cancelled.wait(0.05): pass\n"
        "        print('asked', flush=True)\n"
        "        while True: time.sleep(0.05)\n"
        "class Group(LazyGroup):\n"
        "    def get_command(self, ctx, name): return info\n"
        "Group('satellite', commands={})(['info'])"
    )
    command = [sys.executable, "-P", "-c", script]
    with running(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        for expected in ("ready\n", "asked\n"):
            assert process.stdout.readline() == expected
            process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == ExitCode.CANCELLED
    assert "Traceback" not in error


@pytest.mark.parametrize(
    "where",
    sorted(
        where
        for commands in (_COMMANDS, _RUN_COMMANDS)
        for name, (where, _) in commands.items()
        if name not in ("demo", "run")
    ),
)
def test_every_subcommand_answers_programs_too(where: str) -> None:
    module, attribute = where.split(":")
    command = getattr(importlib.import_module(module), attribute)
    assert "--json" in {option for parameter in command.params for option in parameter.opts}


def test_the_documentation_tells_all_codes() -> None:
    page = (Path(__file__).parents[2] / "docs" / "user" / "commands.md").read_text()
    for code in ExitCode:
        assert f"| `{code.value}` |" in page


def test_the_documentation_tells_all_subcommands() -> None:
    page = (Path(__file__).parents[2] / "docs" / "user" / "commands.md").read_text()
    assert [name for name in _COMMANDS if f"`satellite {name}" not in page] == []
