"""`collect`: what a run made, and what it read, into its satellite. Each step can be done again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import get_args

from ...datastore import personal_of
from ...errors import InvalidRequestError
from ...satellite import Satellite
from ...satellite.progress import ProgressCallback, Reporter
from ...satellite.usage.room import trouble_explained
from ..execution.journal import State
from ..execution.reading import last_events
from ..workdir import WorkDirectory
from .inputs import save_inputs
from .ledger import Inputs, Ledger, Step
from .opened import Opened
from .outputs import extend_chain, save_outputs, save_provenance, save_records
from .plan import Plan
from .report import CollectReport
from .scanning import Outputs, Scan, scan

__all__ = ["collect"]


def collect(
    workdir: WorkDirectory,
    *,
    inputs: Inputs = "reference",
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> CollectReport:
    """Save in the satellite what a run made, and refer to what it read.

    Datasets stay where the run wrote them. What quanta that failed have written is left out; after they
    were run again, collecting again adds the rest. Collecting again what is there changes nothing, and a
    call that was interrupted, in whatever way, is completed by another one.

    Parameters
    ----------
    workdir : `WorkDirectory`
        The directory of the run.
    inputs : `str`, optional
        What becomes of official inputs: ``reference`` refers to them, with the chains, tags and validity
        ranges they were found in; ``copy`` copies their files, too; ``none`` leaves them out.
    progress : callable, optional
        Told with a `python_butler.satellite.progress.Progress` how far it is.
    cancel : `threading.Event`, optional
        Set to stop in good order.

    Returns
    -------
    report : `CollectReport`
        What was saved.

    Raises
    ------
    python_butler.errors.GoneError
        If no run is prepared in the directory.
    python_butler.errors.InvalidRequestError
        If somebody else works on the run, or ``inputs`` is none of these words.
    python_butler.errors.SatelliteError
        If the satellite cannot be written, or has something else in the place of the outputs.
    python_butler.errors.OfficialServerError
        If inputs are wanted and the server cannot be asked; the outputs are saved by then.
    """
    if inputs not in get_args(Inputs.__value__):
        raise InvalidRequestError(
            f"Inputs cannot be collected as {inputs!r}.", "Choose: reference, copy or none."
        )
    settings = workdir.settings()
    satellite = Satellite.open(settings.label, settings.satellite)
    with (
        workdir.locked(),
        trouble_explained(
            satellite, "What the run made", "What was saved so far is complete: collect again to go on."
        ),
        Opened(satellite) as opened,
    ):
        return _Work(workdir, opened, inputs, progress, cancel).run()


class _Work:
    """One call of `collect`."""

    def __init__(
        self,
        workdir: WorkDirectory,
        opened: Opened,
        inputs: Inputs,
        progress: ProgressCallback | None,
        cancel: threading.Event | None,
    ) -> None:
        self._workdir = workdir
        self._opened = opened
        self._inputs = inputs
        self._progress = progress
        self._cancel = cancel
        self._settings = workdir.settings()
        self._ledger = Ledger.read(workdir.collected)
        if self._ledger.inputs != inputs:
            self._ledger.inputs = inputs
            self._undone("inputs", "chain")
        self._plan = Plan(workdir.graph)
        self._report = CollectReport(self._settings.output_run, self._settings.output)

    def run(self) -> CollectReport:
        """Do what is not done yet."""
        found = self._look()
        if found is not None:
            steps: dict[Step, Callable[[], object]] = {
                "records": self._records,
                "outputs": lambda: save_outputs(
                    self._opened, self._plan, found, self._report, self._reporter()
                ),
                "provenance": self._provenance,
                "inputs": self._overall_inputs,
                "chain": self._chain,
            }
            if next(found.produced(self._plan), None) is None:
                # There is nothing to find in the run yet, and nothing to go on from.
                del steps["provenance"], steps["chain"]
            for step, work in steps.items():
                if self._cancelled:
                    break
                # Datasets that were removed since are noticed whatever was done before.
                if step not in self._ledger.done or step == "outputs":
                    work()
                    if not self._cancelled:
                        self._done(step)
        self._report.cancelled = self._cancelled
        return self._report

    @property
    def _cancelled(self) -> bool:
        return self._cancel is not None and self._cancel.is_set()

    def _reporter(self) -> Reporter:
        return Reporter(self._progress, self._cancel)

    def _done(self, step: Step) -> None:
        if step not in self._ledger.done:
            self._ledger.done.append(step)
            self._ledger.write(self._workdir.collected)

    def _undone(self, *steps: Step) -> None:
        self._ledger.done = [step for step in self._ledger.done if step not in steps]

    def _look(self) -> Scan | None:
        """Find out what there is; a run that is complete is looked at once."""
        journal = sum(path.stat().st_size for path in self._workdir.journal.glob("*.jsonl"))
        found = None
        if journal == self._ledger.journal and self._workdir.provenance.is_file():
            found = self._ledger.scan
        if found is None:
            found = scan(
                self._plan,
                Outputs(personal_of(self._opened.reader)),
                # Whoever goes on with the run replaces what these wrote.
                {
                    quantum
                    for quantum, event in last_events(self._workdir).items()
                    if event.state is not State.SUCCEEDED
                },
                self._workdir.provenance,
                self._reporter(),
            )
            if found is None:
                return None
            self._ledger.found(found, journal)
            self._ledger.write(self._workdir.collected)
        self._report.quanta = found.quanta
        return found

    def _records(self) -> None:
        self._report.records, notes = save_records(self._opened, self._plan, self._reporter())
        self._report.notes += notes

    def _provenance(self) -> None:
        save_provenance(self._opened, self._settings.output_run, self._workdir.provenance)

    def _overall_inputs(self) -> None:
        if self._inputs == "none":
            return
        self._report.inputs = save_inputs(
            self._opened,
            self._plan,
            copy=self._inputs == "copy",
            progress=self._progress,
            cancel=self._cancel,
        )

    def _chain(self) -> None:
        extend_chain(self._opened, self._settings, self._plan.components.header.inputs)
