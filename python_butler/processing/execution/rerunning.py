"""`rerun`: one quantum in this process, where a debugger can look at it."""

from __future__ import annotations

from uuid import UUID

from lsst.pipe.base.pipeline_graph import TaskImportMode
from lsst.pipe.base.quantum_graph import PredictedQuantumGraph

from ...errors import InvalidRequestError
from ..collecting.ledger import Ledger
from ..reporting.reports import Report, report
from ..workdir import WorkDirectory
from .initialising import initialise
from .journal import Journal, State
from .quantum import Attempt, QuantumRunner
from .reading import last_events

__all__ = ["rerun"]


def rerun(workdir: WorkDirectory, quantum: UUID | str) -> Report:
    """Execute one quantum again, in this process; its log is shown, too.

    What it needs of other quanta must be there. Its earlier outputs are replaced, whether it had succeeded
    or not, unless they were collected.

    Parameters
    ----------
    workdir : `python_butler.processing.workdir.WorkDirectory`
        Directory of the run.
    quantum : `uuid.UUID` or `str`
        ID of the quantum, or the beginning of it, as a report tells it.

    Returns
    -------
    report : `python_butler.processing.reporting.reports.Report`
        What has become of the run.

    Raises
    ------
    InvalidRequestError
        If there is no such quantum or more than one, what it made was collected, or somebody else works on
        the run.
    Exception
        What the task raised, with its traceback.
    """
    workdir.settings()
    with workdir.locked():
        quantum_id = _find(workdir, str(quantum))
        _refuse_collected(workdir, quantum_id)
        graph = PredictedQuantumGraph.read_execution_quanta(str(workdir.graph), [quantum_id])
        with Journal(workdir) as journal:
            initialise(workdir, graph, journal)
            outcome = QuantumRunner(workdir, graph, journal).run(quantum_id, Attempt.AFTER_TEAR)
    if outcome.failure is not None:
        raise outcome.failure
    return report(workdir)


def _refuse_collected(workdir: WorkDirectory, quantum: UUID) -> None:
    """Refuse what would delete files that the satellite knows, and perhaps not make them again."""
    event, ledger = last_events(workdir).get(quantum), Ledger.read(workdir.collected)
    succeeded = event is not None and event.state is State.SUCCEEDED
    if succeeded and ledger.scanned and quantum not in ledger.unfinished:
        raise InvalidRequestError(
            "This quantum succeeded, and what it made is in your satellite: executing it again would "
            "replace that.",
            "Prepare it anew in another directory.",
        )


def _find(workdir: WorkDirectory, quantum: str) -> UUID:
    with PredictedQuantumGraph.open(str(workdir.graph), import_mode=TaskImportMode.DO_NOT_IMPORT) as reader:
        reader.read_thin_graph()
        quanta = [
            each.quantum_id for quanta in reader.components.thin_graph.quanta.values() for each in quanta
        ]
    found = [each for each in quanta if str(each).startswith(quantum.lower())]
    if len(found) != 1:
        how_many = "More than one quantum begins with" if found else "There is no quantum"
        raise InvalidRequestError(
            f"{how_many} {quantum} in {workdir.path}.",
            f"See which there are: satellite run report {workdir.path}",
        )
    return found[0]
