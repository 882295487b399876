"""`prepare`: plan a pipeline, look at what came of it, and write it down."""

from __future__ import annotations

import contextlib
import platform
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any
from uuid import uuid4

from lsst.pipe.base.quantum_graph import PredictedQuantumGraphComponents

from ...errors import InvalidRequestError, OfflineError
from ...federation import SatelliteButler
from ...federation import open as open_butler
from ...federation.shared import Side
from ...fulldisk import writing
from ...satellite import Satellite
from ...satellite.durable import atomic_write, sync
from ...satellite.progress import ProgressCallback, Reporter
from ..workdir import RunSettings, WorkDirectory
from .building import build
from .counting import summarize
from .outputs import check_output, claimed
from .picture import mermaid, svg
from .pipelines import PipelineSource, graph_of, pipeline_of, write_pipeline
from .planning import PlanningButler
from .reasons import Reasons
from .recording import attach_records
from .refusals import refuse_empty, refuse_without_records
from .watching import Watching

__all__ = ["prepare"]

_PACKAGES = ("python-butler", "lsst-daf-butler", "lsst-pipe-base", "lsst-images")

_UNFINISHED = re.compile(r"\.[0-9a-f]{32}\.(new|qg|yaml)")


def prepare(
    source: PipelineSource,
    workdir: WorkDirectory,
    *,
    label: str | None,
    name: str,
    inputs: Sequence[str] | None = None,
    where: str = "",
    bind: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    butler: SatelliteButler | None = None,
    root: Path | str | None = None,
    skip_existing_in: Sequence[str] = (),
    limit: int | None = None,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> RunSettings:
    """Prepare a run; the parameters are those of `python_butler.processing.prepare`.

    Returns
    -------
    settings : `RunSettings`
        What the run was prepared with.

    Raises
    ------
    InvalidRequestError
        If there is a run in the directory, or the graph would not run.
    PreparingStoppedError
        If it was stopped.
    OfficialServerError
        If the server, the token or the network is in trouble.
    """
    if limit is not None and limit < 1:
        raise InvalidRequestError(f"The limit cannot be {limit}.", "Give a number above 0, or none.")
    watching = Watching(Reporter(progress, cancel))
    with workdir.locked(), contextlib.ExitStack() as stack:
        _refuse_directory(workdir)
        _remove_unfinished(workdir)
        if butler is None:
            if label is None:
                raise InvalidRequestError(
                    "It is not said which repository is meant.", "Give its label, such as 'dp2', or a Butler."
                )
            butler = stack.enter_context(open_butler(label, root=root))
        planning = stack.enter_context(PlanningButler.over(butler, watching))
        shared = planning._sides.shared
        collections = _inputs(planning, inputs, shared.label)
        done_in = _own(planning, skip_existing_in)
        check_output(planning, name)
        _refuse_ambiguous(planning, bind or {})
        pipeline, origin = pipeline_of(source, config or {})
        graph = graph_of(pipeline)
        if not Satellite.exists(shared.label, shared.root):
            Satellite.create(shared.label, shared.root, universe=planning.dimensions)
        with claimed(planning, workdir, shared.root, name) as outputs, _all_or_nothing(workdir):
            reasons = Reasons()
            with _with_or_without_server(planning, reasons):
                components = build(
                    graph,
                    planning,
                    watching,
                    reasons,
                    inputs=collections,
                    chain=outputs.chain,
                    run=outputs.run,
                    where=where,
                    bind=bind or {},
                    skip_existing_in=done_in,
                    limit=limit,
                )
            refuse_empty(components, reasons)
            located = attach_records(components, planning, watching)
            refuse_without_records(located)
            watching.stage("writing the graph")
            write_pipeline(pipeline, workdir.pipeline)
            atomic_write(workdir.picture_source, mermaid(graph).encode())
            atomic_write(workdir.picture, svg(graph).encode())
            _write_graph(components, workdir.graph)
            summary = summarize(components, located, reasons)
            atomic_write(workdir.summary, summary.model_dump_json(indent=2).encode())
            watching.look()
            settings = RunSettings(
                id=outputs.id,
                label=shared.label,
                satellite=shared.root,
                name=name,
                pipeline=origin,
                config=_plain(config or {}),
                inputs=collections,
                where=where,
                bind=_plain(bind or {}),
                skip_existing_in=list(skip_existing_in),
                limit=limit,
                output=outputs.chain,
                output_run=outputs.run,
                created=outputs.created,
                versions=_versions(),
            )
            workdir.write_settings(settings)
    return settings


def _refuse_directory(workdir: WorkDirectory) -> None:
    if workdir.prepared:
        raise InvalidRequestError(
            f"A run is prepared in {workdir.path} already.",
            f"Start it, or remove it: satellite run clean {workdir.path}",
        )
    others = sorted(
        path.name
        for path in workdir.path.iterdir()
        if path not in _files(workdir) and path != workdir.lock_file and not path.name.startswith(".")
    )
    if others:
        raise InvalidRequestError(
            f"{workdir.path} is not empty: {', '.join(others[:3])}{', …' if others[3:] else ''}.",
            "Choose a directory of its own for each run; it need not exist.",
        )


def _remove_unfinished(workdir: WorkDirectory) -> None:
    """Remove what earlier attempts that were killed were about to write: whoever prepares has the lock."""
    for path in workdir.path.iterdir():
        if _UNFINISHED.fullmatch(path.name):
            path.unlink(missing_ok=True)


def _refuse_ambiguous(butler: SatelliteButler, bind: Mapping[str, Any]) -> None:
    """Upstream replaces a dimension by what is bound to its name: ``visit = :visit`` is always true."""
    for name in bind:
        if name in butler.dimensions.elements.names:
            raise InvalidRequestError(
                f"A value is bound to {name!r}, which is the name of a dimension: it would replace that.",
                f"Bind it to another name, such as :my_{name}.",
            )


def _files(workdir: WorkDirectory) -> list[Path]:
    """What preparing writes, before the settings make it complete."""
    return [workdir.pipeline, workdir.picture_source, workdir.picture, workdir.graph, workdir.summary]


@contextlib.contextmanager
def _all_or_nothing(workdir: WorkDirectory) -> Iterator[None]:
    try:
        with writing(str(workdir.path)):
            yield
    except BaseException:
        for path in _files(workdir):
            with contextlib.suppress(OSError):
                path.unlink()
        raise


@contextlib.contextmanager
def _with_or_without_server(butler: SatelliteButler, reasons: Reasons) -> Iterator[None]:
    """Plan with the official server or without it: what is planned with half of the answers is refused."""
    shared = butler._sides.shared
    losses = shared.reach.losses
    if shared.reach.last_seen_lost:
        reasons.note(f"The {shared.label} server cannot be reached: only your satellite was searched.")
    failure: Exception | None = None
    try:
        yield
    except OfflineError:
        raise
    except Exception as error:
        if shared.reach.losses == losses:
            raise
        failure = error
    if shared.reach.losses != losses:
        raise OfflineError(
            f"The {shared.label} server went out of reach while the run was planned.",
            "Prepare again when it is back. While it is away, only what is in your satellite is searched.",
        ) from failure


def _inputs(butler: SatelliteButler, inputs: Sequence[str] | None, label: str) -> list[str]:
    if inputs is None:
        inputs = butler.collections.defaults or [label]
    names = [inputs] if isinstance(inputs, str) else list(inputs)
    if not names:
        raise InvalidRequestError("No collections are given to search.", "Name some, in order.")
    # Before anything is planned: upstream's message comes late, and says less.
    butler.collections.locate(names)
    return names


def _own(butler: SatelliteButler, names: Sequence[str]) -> list[str]:
    """Of some collections and what is in them those with own results, and official ones only if named.

    Chains of outputs hold the inputs, too: what a task has made officially, perhaps configured in another
    way, is not what one has made.
    """
    # Upstream passes over all of them if one is missing; this names it.
    found = butler.collections.flatten(names)
    return [name for name, located in found.items() if located.home is not Side.OFFICIAL or name in names]


def _write_graph(components: PredictedQuantumGraphComponents, path: Path) -> None:
    new = path.with_name(f".{uuid4().hex}.qg")
    try:
        components.write(new)
        sync([new])
        new.replace(path)
        sync([], [path.parent])
    finally:
        new.unlink(missing_ok=True)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values that a file can hold."""
    return {key: value for key, value in values.items() if _is_plain(value)}


def _is_plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_plain(each) for each in value)
    return value is None or isinstance(value, str | int | float)


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    return versions
