"""From a pipeline to a graph that can be run: the first stage."""

from .prepare import prepare
from .summary import Summary
from .watching import PreparingStoppedError

__all__ = ["PreparingStoppedError", "Summary", "prepare"]
