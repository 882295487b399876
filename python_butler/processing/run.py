"""`Run`: everything that can be done with a run, each stage in its own place."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from ..errors import InvalidRequestError
from ..satellite.notebook import shows_progress
from ..satellite.progress import ProgressWish
from .reporting.reports import LINES
from .workdir import RunSettings, WorkDirectory

if TYPE_CHECKING:
    from ..federation import SatelliteButler
    from .batch import Submission
    from .collecting import CleanReport, CollectReport
    from .preparing import Summary
    from .preparing.pipelines import PipelineSource
    from .reporting import Report, Status

__all__ = ["Run", "open", "prepare"]


class Run:
    """A pipeline that is prepared, with what became of it; use `prepare` or `open`.

    Parameters
    ----------
    workdir : `WorkDirectory`
        Its directory.

    Attributes
    ----------
    workdir : `WorkDirectory`
        Its directory: nothing else is kept of a run before it is collected.
    settings : `RunSettings`
        What it was prepared with.

    Raises
    ------
    python_butler.errors.GoneError
        If no run is prepared in the directory.
    """

    def __init__(self, workdir: WorkDirectory) -> None:
        self.workdir = workdir
        self.settings: RunSettings = workdir.settings()

    @property
    def directory(self) -> Path:
        """The directory of the run."""
        return self.workdir.path

    @property
    def summary(self) -> Summary:
        """What there is to do, with what, and what is missing and why."""
        from .preparing.summary import Summary

        return Summary.read(self.workdir.summary)

    @shows_progress
    def start(
        self,
        *,
        processes: int = 1,
        progress: ProgressWish = None,
        cancel: threading.Event | None = None,
    ) -> Report:
        """Run what has not been run yet; what succeeded before is not run again.

        Parameters
        ----------
        processes : `int`, optional
            How many quanta are run at the same time.
        progress : callable or `False`, optional
            Told how far it is; a bar in a notebook if not given.
        cancel : `threading.Event`, optional
            Set to stop in good order.

        Returns
        -------
        report : `Report`
            What became of the quanta.
        """
        from .execution import start

        return start(self.workdir, processes=processes, progress=progress or None, cancel=cancel)

    @shows_progress
    def submit(
        self,
        site: str = "local",
        *,
        cores: int | None = None,
        progress: ProgressWish = None,
        cancel: threading.Event | None = None,
    ) -> Submission:
        """Let a batch system run what has not been run yet, and collect it in the end.

        Parameters
        ----------
        site : `str`, optional
            Batch system: ``local``, a name or a path of a file that describes one to BPS.
        cores : `int`, optional
            Jobs at the same time, for ``local`` and systems that are described alike.
        progress : callable or `False`, optional
            Told how far it is; a bar in a notebook if not given.
        cancel : `threading.Event`, optional
            Set to end a batch system on this machine. Submitting again goes on there.

        Returns
        -------
        submission : `Submission`
            Where the batch system keeps its files, and how far the run is.
        """
        from .batch import submit

        return submit(self.workdir, site, cores=cores, progress=progress or None, cancel=cancel)

    @shows_progress
    def collect(
        self,
        *,
        inputs: Literal["reference", "copy", "none"] = "reference",
        progress: ProgressWish = None,
        cancel: threading.Event | None = None,
    ) -> CollectReport:
        """Save what the run made in the satellite; what is there already is left alone.

        Parameters
        ----------
        inputs : `str`, optional
            What becomes of official inputs: ``reference``, ``copy`` or ``none``.
        progress : callable or `False`, optional
            Told how far it is; a bar in a notebook if not given.
        cancel : `threading.Event`, optional
            Set to stop in good order. Collecting again goes on there.

        Returns
        -------
        report : `CollectReport`
            What was saved.
        """
        from .collecting import collect

        return collect(self.workdir, inputs=inputs, progress=progress or None, cancel=cancel)

    def status(self) -> Status:
        """Count quanta by task and state.

        Returns
        -------
        status : `Status`
            The counts.
        """
        from .reporting import status

        return status(self.workdir)

    def report(self, *, lines: int = LINES) -> Report:
        """Tell what became of the quanta, with the last lines of the logs of those that failed.

        Parameters
        ----------
        lines : `int`, optional
            Last lines of the log of each quantum that failed.

        Returns
        -------
        report : `Report`
            What became of them.
        """
        from .reporting import report

        return report(self.workdir, lines=lines)

    def rerun(self, quantum: UUID | str) -> Report:
        """Run one quantum again, whatever became of it.

        Parameters
        ----------
        quantum : `uuid.UUID` or `str`
            The quantum, or the beginning of its identifier, as reports have it.

        Returns
        -------
        report : `Report`
            What became of it.
        """
        from .execution import rerun

        return rerun(self.workdir, quantum)

    def clean(self, *, keep_logs: bool = False, dry_run: bool = False) -> CleanReport:
        """Remove the directory, and the files of outputs that were not collected. Nobody is asked.

        Parameters
        ----------
        keep_logs : `bool`, optional
            Whether to keep the directory with the logs of quanta in it.
        dry_run : `bool`, optional
            Only say which files of outputs would be deleted.

        Returns
        -------
        report : `CleanReport`
            What was removed.

        Raises
        ------
        python_butler.errors.InvalidRequestError
            If somebody works on the run.
        python_butler.errors.SatelliteError
            If something cannot be removed.
        """
        from .collecting import clean

        return clean(self.workdir, keep_logs=keep_logs, dry_run=dry_run)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.directory)!r}, {self.settings.output_run!r})"


@shows_progress
def prepare(
    pipeline: PipelineSource | None = None,
    *,
    directory: Path | str,
    label: str | None = None,
    inputs: Sequence[str] | None = None,
    name: str | None = None,
    where: str | None = None,
    bind: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    butler: SatelliteButler | None = None,
    root: Path | str | None = None,
    skip_existing_in: Sequence[str] = (),
    limit: int | None = None,
    extend: Run | Path | str | None = None,
    progress: ProgressWish = None,
    cancel: threading.Event | None = None,
) -> Run:
    """Plan a pipeline on official data, on own data, or on both; nothing is run yet.

    Parameters
    ----------
    pipeline : `str`, `pathlib.Path`, `type` or `lsst.pipe.base.Pipeline`, optional
        A YAML file, also with task labels as in ``file.yaml#first,second``; the class of one task, in a
        module that can be imported; or upstream's object. That of the earlier run if one is extended.
    directory : `pathlib.Path` or `str`
        Working directory of the run, one for each. It need not exist.
    label : `str`, optional
        Label of the official repository, unless ``butler`` is given.
    inputs : sequence of `str`, optional
        Collections to search for inputs, in order: official and personal ones. The default ones of
        ``butler``, or the collection named like the repository, if not given.
    name : `str`, optional
        Outputs go to the run ``u/<user name>/<name>/<time>``, and are found in the chain
        ``u/<user name>/<name>``. The name of the working directory if not given.
    where : `str`, optional
        Expression that data IDs fulfil.
    bind : mapping, optional
        Values of the names in it.
    config : mapping, optional
        Values of configuration fields, by ``<task label>:<field>``.
    butler : `python_butler.SatelliteButler`, optional
        Butler for both repositories; opened if not given.
    root : `pathlib.Path` or `str`, optional
        The satellite's directory, ``~/butler/<label>`` if not given. The satellite is made if need be.
    skip_existing_in : sequence of `str`, optional
        Personal collections: a quantum that has succeeded in one of them is not run again, and what it
        made there is used. Official collections that are in chains among them are passed over.
    limit : `int`, optional
        Plan only for so many data IDs of the task that the pipeline begins with: the first ones in the
        order of their values that fulfil ``where`` and have the inputs of that task. Later tasks get
        what follows from these.
    extend : `Run`, `pathlib.Path` or `str`, optional
        An earlier run that was collected, or its directory: pipeline, inputs, name and expression are
        taken from there unless they are given, what has succeeded under that name is not run again, and
        the outputs become one more run in the same chain.
    progress : callable or `False`, optional
        Told how far it is; a bar in a notebook if not given.
    cancel : `threading.Event`, optional
        Set to stop; nothing is left then.

    Returns
    -------
    run : `Run`
        To be started. Its `Run.summary` tells what there is to do, and what is missing.

    Raises
    ------
    python_butler.errors.InvalidRequestError
        If the directory is in use, the pipeline cannot be read or does not fit the repositories, inputs
        have no files, outputs cannot be filed under the name, or there would be nothing to do. The
        message says why and what to do.
    lsst.daf.butler.MissingCollectionError
        If there is no collection of a name that is given.
    python_butler.errors.OfficialServerError
        If the server, the token or the network is in trouble.
    python_butler.processing.preparing.PreparingStoppedError
        If it was stopped.
    """
    from .preparing import prepare as stage

    workdir = WorkDirectory(directory)
    skip = [skip_existing_in] if isinstance(skip_existing_in, str) else list(skip_existing_in)
    if extend is not None:
        from .extending import earlier_run

        earlier = extend.workdir if isinstance(extend, Run) else WorkDirectory(extend)
        settings = earlier_run(earlier)
        if pipeline is None:
            pipeline = earlier.pipeline
        if label is None and butler is None:
            label, root = settings.label, root or settings.satellite
        if where is None:
            where, bind = settings.where, {**settings.bind, **(bind or {})}
        name, inputs = name or settings.name, inputs or settings.inputs
        skip = [*dict.fromkeys([*skip, settings.output, *settings.skip_existing_in])]
    if pipeline is None:
        raise InvalidRequestError("There is no pipeline.", "Name a YAML file or a task class.")
    stage(
        pipeline,
        workdir,
        label=label,
        name=name or workdir.path.name,
        inputs=inputs,
        where=where or "",
        bind=bind,
        config=config,
        butler=butler,
        root=root,
        skip_existing_in=skip,
        limit=limit,
        progress=progress or None,
        cancel=cancel,
    )
    return Run(workdir)


def open(directory: Path | str) -> Run:
    """Find a run that was prepared.

    Parameters
    ----------
    directory : `pathlib.Path` or `str`
        Its directory.

    Returns
    -------
    run : `Run`
        The run.

    Raises
    ------
    python_butler.errors.GoneError
        If none is prepared there.
    """
    return Run(WorkDirectory(directory))
