"""Logs and metadata that the tasks of a processing run leave behind, one of each a quantum.

Room: demo. Names and dimensions of the tasks are those of the release's pipeline; what they say is
simulated. Knows no Butler and writes no files.
"""

from __future__ import annotations

import datetime
import hashlib
import logging
from dataclasses import dataclass

import numpy as np
from lsst.daf.butler import ButlerLogRecords
from lsst.daf.butler.logging import ButlerLogRecord
from lsst.pipe.base import TaskMetadata
from lsst.utils.packages import Packages

__all__ = ["TASKS", "Task", "log_records", "packages", "task_metadata"]


@dataclass(frozen=True)
class Task:
    """One task of the pipeline.

    Parameters
    ----------
    label : `str`
        Its label; its log is ``<label>_log`` and its metadata ``<label>_metadata``.
    logger : `str`
        Name of the logger it writes to.
    dimensions : `tuple` [`str`, ...]
        Required dimensions of its quanta.
    run : `str`
        Key of the run in which it was executed.
    minutes : `float`
        Typical duration of a quantum.
    messages : `tuple` [`str`, ...]
        What it says in its log.
    """

    label: str
    logger: str
    dimensions: tuple[str, ...]
    run: str
    minutes: float
    messages: tuple[str, ...]


_VISIT_DETECTOR = ("instrument", "visit", "detector")
_COADD = ("band", "skymap", "tract", "patch")

TASKS = (
    Task(
        "isr",
        "lsst.ip.isr.isrTaskLSST",
        ("instrument", "exposure", "detector"),
        "isr",
        0.6,
        ("Applying bias correction.", "Applying dark correction.", "Applying flat correction."),
    ),
    Task(
        "calibrateImage",
        "lsst.pipe.tasks.calibrateImage",
        _VISIT_DETECTOR,
        "isr",
        2.1,
        ("Measuring PSF.", "Matched reference catalogue for astrometry.", "Photometric zero point fitted."),
    ),
    Task(
        "reprocessVisitImage",
        "lsst.drp.tasks.reprocess_visit_image",
        _VISIT_DETECTOR,
        "visits",
        1.4,
        ("Background restored and subtracted.", "Detected sources.", "Measured sources."),
    ),
    Task(
        "consolidateSource",
        "lsst.pipe.tasks.postprocess.consolidateSourceTable",
        ("instrument", "visit"),
        "visits",
        0.2,
        ("Concatenating source tables of all detectors.",),
    ),
    Task(
        "makeVisitTable",
        "lsst.pipe.tasks.postprocess",
        ("instrument",),
        "visit tables",
        0.3,
        ("Made table.",),
    ),
    Task(
        "makeVisitDetectorTable",
        "lsst.pipe.tasks.postprocess",
        ("instrument",),
        "visit tables",
        0.3,
        ("Made table.",),
    ),
    Task(
        "assembleDeepCoadd",
        "lsst.drp.tasks.assemble_cell_coadd",
        _COADD,
        "coadds",
        8.5,
        ("Accumulating warps into cells.", "Computed PSF of each cell."),
    ),
    Task(
        "measureObjectForced",
        "lsst.drp.tasks.forced_measurement",
        _COADD,
        "objects",
        12.0,
        ("Measuring at the positions of the reference band.", "Finished."),
    ),
    Task(
        "consolidateObject",
        "lsst.pipe.tasks.postprocess",
        ("skymap", "tract"),
        "objects",
        3.0,
        ("Concatenating object tables of all patches.",),
    ),
    Task(
        "subtractImages",
        "lsst.ip.diffim.subtractImages",
        _VISIT_DETECTOR,
        "differences",
        1.7,
        ("PSF of the science image is wider than the template's.", "Subtracted template."),
    ),
    Task(
        "detectAndMeasureDiaSource",
        "lsst.ip.diffim.detectAndMeasure",
        _VISIT_DETECTOR,
        "differences",
        0.8,
        ("Detected positive and negative sources.", "Measured sources."),
    ),
    Task(
        "forcedPhotObjectDirect",
        "lsst.drp.tasks.forced_phot",
        ("skymap", "tract", "patch"),
        "forced",
        4.0,
        ("Forced photometry on visit images.", "Forced photometry on difference images."),
    ),
)


def _random(label: str, data_id: dict[str, int | str]) -> np.random.Generator:
    text = label + repr(sorted(data_id.items()))
    return np.random.default_rng(list(hashlib.sha256(text.encode()).digest()[:16]))


def _start(run: str, random: np.random.Generator) -> datetime.datetime:
    # A run's name ends with the time at which it was submitted.
    submitted = datetime.datetime.strptime(run[-16:], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
    return submitted + datetime.timedelta(seconds=float(random.uniform(600, 80_000)))


def log_records(task: Task, run: str, data_id: dict[str, int | str]) -> ButlerLogRecords:
    """The log of one quantum; now and then it holds a warning.

    Parameters
    ----------
    task : `Task`
        The task.
    run : `str`
        Name of the run.
    data_id : `dict`
        Data ID of the quantum.

    Returns
    -------
    records : `lsst.daf.butler.ButlerLogRecords`
        In the order of time.
    """
    random = _random(task.label, data_id)
    start = _start(run, random)
    quantum = ", ".join(f"{key}: {value!r}" for key, value in data_id.items())
    lines = [(logging.INFO, f"Preparing execution of quantum for label={task.label} dataId={{{quantum}}}.")]
    lines += [(logging.INFO, message) for message in task.messages]
    if random.uniform() < 0.08:
        lines.append((logging.WARNING, "Fewer calibration stars than usual; errors may be underestimated."))
    seconds = 60 * task.minutes * random.lognormal(0, 0.2)
    lines.append((logging.INFO, f"Execution of task '{task.label}' on quantum took {seconds:.3f} seconds"))
    records = []
    for number, (level, message) in enumerate(lines):
        records.append(
            ButlerLogRecord(
                name=task.logger if 0 < number < len(lines) - 1 else "lsst.ctrl.mpexec.singleQuantumExecutor",
                asctime=start + datetime.timedelta(seconds=float(seconds) * number / (len(lines) - 1)),
                message=message,
                levelno=level,
                levelname=logging.getLevelName(level),
                filename=task.logger.rpartition(".")[2] + ".py",
                pathname=task.logger.replace(".", "/") + ".py",
                lineno=100 + 10 * number,
                funcName="run",
                process=1,
                processName="MainProcess",
                MDC={"LABEL": f"{task.label}:{{{quantum}}}", "RUN": run},
            )
        )
    return ButlerLogRecords(records)


def task_metadata(task: Task, run: str, data_id: dict[str, int | str]) -> TaskMetadata:
    """The metadata of one quantum, consistent with its log.

    Parameters
    ----------
    task : `Task`
        The task.
    run : `str`
        Name of the run.
    data_id : `dict`
        Data ID of the quantum.

    Returns
    -------
    metadata : `lsst.pipe.base.TaskMetadata`
        With the sections ``quantum`` and the task's own.
    """
    records = log_records(task, run, data_id)
    begin, end = records[0].asctime, records[-1].asctime
    seconds = (end - begin).total_seconds()
    random = _random(task.label + "/metadata", data_id)
    quantum = {
        "__version__": 1,
        "startUtc": begin.isoformat(),
        "endUtc": end.isoformat(),
        "prepUtc": begin.isoformat(),
        "startCpuTime": 1.5,
        "endCpuTime": 1.5 + 0.96 * seconds,
        "startMaxResidentSetSize": 420_000_000,
        "endMaxResidentSetSize": int(random.uniform(0.8, 3.2) * 1e9),
        "nodeName": f"node{int(random.integers(1, 240)):03d}",
        "butler_metrics": {"n_get": int(random.integers(3, 12)), "n_put": int(random.integers(1, 4))},
    }
    own = {"runDuration": seconds, "warnings": sum(record.levelno >= logging.WARNING for record in records)}
    return TaskMetadata.from_dict({"quantum": quantum, task.label: own})


def packages() -> Packages:
    """Versions of software that the runs recorded, invented and the same in every build."""
    versions = {"python": "3.12.11", "lsst_distrib": "v30_0_8", "astropy": "7.0.1", "numpy": "2.2.6"}
    return Packages(versions)
