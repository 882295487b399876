"""A run in a real notebook kernel: a bar for each task, and an interrupt that ends it in good order."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kernels import Message, errors_in, pictures_in, started

from .conftest import Prepare, pipeline
from .tasks import GatherTask, MeasureTask


@pytest.mark.timeout(300)
def test_progress_is_shown_by_task_and_an_interrupt_ends_a_run_in_good_order(
    prepare_run: Prepare, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    workdir = prepare_run(pipeline((MeasureTask, {"wait_for": str(gate)}), GatherTask))

    def go_on(message: Message) -> None:
        if "stopping" in str(message["content"]):
            gate.touch()

    with started() as kernel:
        open_it = f"from python_butler import processing\nrun = processing.open({str(workdir.path)!r})\n"
        assert not errors_in(kernel.run(open_it))
        stopped = kernel.run("run.start()", interrupt_when="gather · 0 of 1", seen=go_on)
        (error,) = errors_in(stopped)
        assert error["ename"] == "KeyboardInterrupt"
        shown = [picture["text/html"] for picture in pictures_in(stopped)]
        # A bar for all, and one for each task.
        whole = next(picture for picture in shown if "gather · " in picture)
        assert whole.count("<progress") == 3
        assert "measure · 0 of 3" in whole
        assert len(pictures_in(stopped, "display_data")) == 1, "there is one display, which changes"
        assert "stopped after" in pictures_in(stopped)[-1]["text/plain"]

        done = kernel.run("run.start()")
        assert not errors_in(done)
        (report,) = [each["content"]["data"] for each in done if each["msg_type"] == "execute_result"]
        assert "4 of 4 quanta succeeded." in report["text/html"]
