"""Long calls in a real notebook kernel: a bar, and interrupts that end them in good order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.kernels import Kernel, errors_in, pictures_in, started

SETUP = """
import os, signal, threading, time
from python_butler.satellite.notebook import shows_progress
from python_butler.satellite.progress import Reporter

@shows_progress
def work(steps, seconds, *, progress=None, cancel=None):
    reporter = Reporter(progress or None, cancel)
    for i in range(steps):
        if reporter.cancelled:
            return f"{i < steps and 'stopped early'}"
        reporter.tell("working <hard>", i, steps)
        time.sleep(seconds)
    return "finished"

@shows_progress
def outer(*, progress=None, cancel=None):
    if progress:
        progress.__call__  # it is watched itself
    return work(3, 0.6)

def stuck(*, progress=None, cancel=None):
    def insist():
        os.kill(os.getpid(), signal.SIGINT)
        cancel.wait()
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=insist).start()
    while True:
        time.sleep(0.1)
stuck = shows_progress(stuck)
"""


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with started() as kernel:
        assert not errors_in(kernel.run(SETUP))
        yield kernel


def _result(messages: list[dict[str, Any]]) -> str | None:
    for message in messages:
        if message["msg_type"] == "execute_result":
            return str(message["content"]["data"]["text/plain"])
    return None


def test_a_bar_appears_after_a_while_and_leaves_one_line(kernel: Kernel) -> None:
    messages = kernel.run("work(8, 0.25)")
    assert _result(messages) == "'finished'"
    assert len(pictures_in(messages, "display_data")) == 1, "there is one bar, which changes"
    first, *_, last = pictures_in(messages)
    assert "<progress" in first["text/html"]
    assert "working &lt;hard&gt;" in first["text/html"]
    assert " of 8" in first["text/plain"]
    assert " left" in first["text/plain"]
    assert "<progress" not in last["text/html"]
    assert last["text/plain"].startswith("working <hard>: 7 of 8, took ")


def test_quick_work_shows_nothing(kernel: Kernel) -> None:
    messages = kernel.run("work(3, 0)")
    assert _result(messages) == "'finished'"
    assert not pictures_in(messages)


@pytest.mark.parametrize("wish", ["False", "lambda progress: None"])
def test_work_that_is_told_otherwise_shows_nothing(kernel: Kernel, wish: str) -> None:
    messages = kernel.run(f"work(4, 0.4, progress={wish})")
    assert _result(messages) == "'finished'"
    assert not pictures_in(messages)


def test_a_call_within_a_call_shows_no_second_bar(kernel: Kernel) -> None:
    messages = kernel.run("outer()")
    assert _result(messages) == "'finished'"
    assert not pictures_in(messages), "the inner one is a part of the outer one, which told nothing"


def test_work_in_another_thread_shows_nothing_and_works(kernel: Kernel) -> None:
    messages = kernel.run(
        "found = []\n"
        "t = threading.Thread(target=lambda: found.append(work(4, 0.4))); t.start(); t.join(); found"
    )
    assert _result(messages) == "['finished']"
    assert not pictures_in(messages)


def test_an_interrupt_ends_the_work_in_good_order_and_then_the_cell(kernel: Kernel) -> None:
    messages = kernel.run("work(10_000, 0.05)\nprint('went on')", interrupt_when="<progress")
    (error,) = errors_in(messages)
    assert error["ename"] == "KeyboardInterrupt"
    assert "Stopped in good order" in error["evalue"]
    assert "stopped early" in error["evalue"]
    assert "stream" not in {message["msg_type"] for message in messages}, "the cell does not go on"
    assert ", stopped after " in pictures_in(messages)[-1]["text/plain"]
    # The kernel's own way to be interrupted is back.
    again = kernel.run("print('begun', flush=True)\ntime.sleep(100)", interrupt_when="begun")
    assert [each["ename"] for each in errors_in(again)] == ["KeyboardInterrupt"]
    assert _result(kernel.run("work(1, 0)")) == "'finished'"


def test_the_callers_own_event_is_set_by_an_interrupt(kernel: Kernel) -> None:
    kernel.run("own = threading.Event()\nwork(10_000, 0.05, cancel=own)", interrupt_when="<progress")
    assert _result(kernel.run("own.is_set()")) == "True"


def test_a_second_interrupt_ends_work_that_does_not_listen(kernel: Kernel) -> None:
    messages = kernel.run("stuck()")
    assert [each["ename"] for each in errors_in(messages)] == ["KeyboardInterrupt"]
    assert _result(kernel.run("work(1, 0)")) == "'finished'"


def test_outside_of_a_notebook_nothing_is_imported_or_changed() -> None:
    import signal
    import threading

    from python_butler.satellite.notebook import shows_progress

    usual = signal.getsignal(signal.SIGINT)

    @shows_progress
    def call(*, progress: object = None, cancel: threading.Event | None = None) -> tuple[object, object]:
        assert signal.getsignal(signal.SIGINT) is usual
        return progress, cancel

    assert call() == (None, None)
    assert call(progress=False) == (False, None)
