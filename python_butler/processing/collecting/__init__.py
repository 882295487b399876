"""Collecting what a run made into the satellite, and cleaning up behind it."""

from .clean import clean
from .collect import collect
from .report import CleanReport, CollectReport

__all__ = ["CleanReport", "CollectReport", "clean", "collect"]
