"""Answers of the command line: for people on a terminal and not, and for programs."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from pydantic import BaseModel

from python_butler.cli.output import number, print_facts, print_json, print_table, size, watch


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (12_345, "12.3 kB"),
        (999_400, "999 kB"),
        (999_600, "1.00 MB"),
        (9_996, "10.0 kB"),
        (2_500_000_000, "2.50 GB"),
        (7 * 10**18, "7000 PB"),
        (None, "unknown"),
    ],
)
def test_sizes_have_three_digits_and_a_unit(count: int | None, text: str) -> None:
    assert size(count) == text


def test_numbers_have_their_thousands_apart() -> None:
    assert number(1234567) == "1,234,567"


def test_json_is_made_of_models_inside_of_lists(capsys: pytest.CaptureFixture[str]) -> None:
    class Place(BaseModel):
        root: Path

    print_json([Place(root=Path("/a")), Place(root=Path("/b"))])
    assert json.loads(capsys.readouterr().out) == [{"root": "/a"}, {"root": "/b"}]


def test_facts_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    print_facts("dp2", [("root", "/a"), ("own datasets", "3")])
    assert capsys.readouterr().out == "dp2\n  root          /a\n  own datasets  3\n"


def test_a_table_that_is_not_on_a_terminal_is_not_cut_off(capsys: pytest.CaptureFixture[str]) -> None:
    name = "u/me/" + "very-long-name-" * 40
    print_table(["run", "datasets"], [[name, "12"], ["[b]x[/b]", "3"]], right=["datasets"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [["run", "datasets"], [name, "12"], ["[b]x[/b]", "3"]]
    assert len(lines[1]) == len(lines[2])


def _on_terminal(code: str) -> str:
    """What a person sees on a terminal on which this is run."""
    parent, child = pty.openpty()
    try:
        subprocess.run([sys.executable, "-c", code], stdout=child, stderr=child, check=True, timeout=60)
        return os.read(parent, 100_000).decode()
    finally:
        os.close(child)
        os.close(parent)


def test_a_table_on_a_terminal_is_drawn() -> None:
    shown = _on_terminal(
        "from python_butler.cli.output import print_table; print_table(['run'], [['u/me/a']])"
    )
    assert "run" in shown
    assert "u/me/a" in shown
    assert "─" in shown


def test_progress_is_drawn_on_a_terminal_only(capsys: pytest.CaptureFixture[str]) -> None:
    code = (
        "from python_butler.cli.output import watch; from python_butler.satellite.progress import Progress\n"
        "with watch() as w: w.progress(Progress(3, 10, 'referencing visit_image', 12.4))"
    )
    shown = _on_terminal(code)
    assert "referencing visit_image" in shown
    assert "3/10" in shown
    assert "12 s left" in shown
    exec(code)
    assert capsys.readouterr() == ("", "")


def test_the_first_interrupt_asks_the_work_to_end_and_the_second_ends_it() -> None:
    before = signal.getsignal(signal.SIGINT)
    with watch() as watched:
        signal.raise_signal(signal.SIGINT)
        assert watched.cancelled.wait(5)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_work_in_another_thread_can_be_watched() -> None:
    seen: list[bool] = []

    def work() -> None:
        with watch() as watched:
            seen.append(watched.cancelled.is_set())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert seen == [False]
