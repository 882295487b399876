"""A small example package of pipeline tasks, to copy and change.

Three real `~lsst.pipe.base.PipelineTask` classes on ``lsst.images`` and astropy, with nothing else of the
science pipelines:

`DetectSourcesTask`
    Finds and measures sources on each visit image.
`MatchSourcesTask`
    Matches the sources of all visits in a patch, and averages them into objects with light curves.
`CoaddCutoutsTask`
    Resamples cutouts of the visit images in a patch to one grid, and averages them.

``pipeline.yaml`` beside this file runs all three. The package imports nothing of ``python_butler`` and uses
relative imports only, so that a copy of it, under any name, works by itself: ``satellite run example DIR``
makes one. Each task has a module of its own, with its connections, configuration and task; what they compute
is in `measuring`, `background`, `matching` and `resampling`, as functions of arrays that need no Butler.
"""

from .coadd import CoaddCutoutsConfig, CoaddCutoutsConnections, CoaddCutoutsTask
from .detect import DetectSourcesConfig, DetectSourcesConnections, DetectSourcesTask
from .match import MatchSourcesConfig, MatchSourcesConnections, MatchSourcesTask

__all__ = [
    "CoaddCutoutsConfig",
    "CoaddCutoutsConnections",
    "CoaddCutoutsTask",
    "DetectSourcesConfig",
    "DetectSourcesConnections",
    "DetectSourcesTask",
    "MatchSourcesConfig",
    "MatchSourcesConnections",
    "MatchSourcesTask",
]
