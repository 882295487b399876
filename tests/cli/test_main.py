"""The ``satellite`` command as a person meets it."""

import subprocess
import sys

from click.testing import CliRunner

from python_butler.cli import main


def test_help_lists_the_subcommands() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert "demo" in result.output


def test_an_unknown_subcommand_is_refused_by_name() -> None:
    result = CliRunner().invoke(main, ["dmeo"])
    assert result.exit_code == 2
    assert "dmeo" in result.output


def test_a_missing_extra_is_named_with_the_command_that_installs_it() -> None:
    # An interpreter in which moto cannot be imported stands for an environment without the extra.
    script = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(['uvicorn', 'a2wsgi', 'moto', 'lsst']))\n"
        "from python_butler.cli import main; main(['demo', '--check'])"
    )
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert 'pip install "python-butler[demo]"' in done.stderr
    assert "Traceback" not in done.stderr
