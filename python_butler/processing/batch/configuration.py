"""What BPS is told of a run: the prepared graph, our commands as its jobs, and collecting as its last one."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import yaml
from lsst.pipe.base.quantum_graph import PredictedQuantumGraph

from ...errors import InvalidRequestError
from ...satellite.durable import atomic_write
from ..workdir import WorkDirectory
from .sites import read_site

__all__ = ["write_configuration"]

_PLAIN = re.compile(r"[\w./+@,=-]+")
"""Paths that mean the same to BPS, to every batch system and to their shells."""

_TOGETHER = 50
"""Most quanta of a task in one job: starting a process takes as long as several of them."""

_OWN_TO_EACH = ("detector", "patch", "healpix9", "htm7")
"""Dimensions by which quanta differ that one job executes."""


def write_configuration(workdir: WorkDirectory, site: str, submit_path: Path, cores: int | None) -> None:
    """Write the configuration for a batch system.

    Parameters
    ----------
    workdir : `python_butler.processing.workdir.WorkDirectory`
        Directory of the run.
    site : `str`
        Batch system, as for `read_site`; what its description says besides comes first.
    submit_path : `pathlib.Path`
        Where BPS and the batch system keep what they have.
    cores : `int` or `None`
        Jobs at the same time, for a site whose description has ``cores``; `None` for what that says.

    Raises
    ------
    InvalidRequestError
        If there is no such batch system, or a path is not fit for one.
    """
    settings = workdir.settings()
    for path in (str(workdir.path), str(settings.satellite), sys.executable):
        if not _PLAIN.fullmatch(path):
            raise InvalidRequestError(
                f"Batch systems cannot be told of {path}: it has blanks or signs that mean something.",
                "Prepare the run in a directory with a plain name.",
            )
    described = read_site(site)
    own = (described.get("site") or {}).get(described["computeSite"]) or {}
    if cores is not None and "cores" in own:
        own["cores"] = cores
    job = f"{sys.executable} -m python_butler.processing.batch.job"
    ours: dict[str, Any] = {
        "payload": {
            "payloadName": settings.name,
            "butlerConfig": str(settings.satellite),
            "inCollection": ",".join(settings.inputs),
            "output": settings.output,
            "outputRun": settings.output_run,
        },
        "project": "python-butler",
        "campaign": settings.name,
        "submitPath": str(submit_path),
        "qgraphFile": str(workdir.graph),
        # The graph is for this run already.
        "updateQuantumGraph": "true",
        "pipetask": {"pipetaskInit": {"runQuantumCommand": f"{job} init {workdir.path}"}},
        "runQuantumCommand": f"{job} run {workdir.path} {{qgraphNodeId}}",
        "finalJob": {
            "command1": f"{job} collect {workdir.path}",
            "requestCpus": 1,
            "requestMemory": 4096,
        },
    }
    content = _merged({**_clusters(workdir), **described}, ours)
    text = "# Written by python-butler for the run in this directory.\n" + yaml.safe_dump(
        content, sort_keys=False
    )
    atomic_write(workdir.batch, text.encode())


def _clusters(workdir: WorkDirectory) -> dict[str, Any]:
    """Which quanta one job executes: those of a task that differ only in what there is much of."""
    with PredictedQuantumGraph.open(str(workdir.graph)) as reader:
        pipeline = reader.pipeline_graph
        clusters = {}
        for label, task in pipeline.tasks.items():
            names = [str(name) for name in task.dimensions.required]
            shared = [name for name in names if name not in _OWN_TO_EACH]
            cluster: dict[str, Any] = {"pipetasks": label}
            if shared:
                cluster["dimensions"] = ",".join(shared)
            own = [name for name in names if name in _OWN_TO_EACH]
            if own:
                cluster |= {"partitionDimensions": ",".join(own), "partitionMaxSize": _TOGETHER}
            clusters[label] = cluster
    return {
        "clusterAlgorithm": "lsst.ctrl.bps.quantum_clustering_funcs.dimension_clustering",
        "cluster": clusters,
    }


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Both, where both have something the second."""
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(value, dict) and isinstance(below, dict)
        merged[key] = _merged(below, value) if both else value  # type: ignore[arg-type]  # both says so
    return merged
