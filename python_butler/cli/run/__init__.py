"""``satellite run``: a pipeline on official data, from a plan to results in the satellite."""

from .group import run

__all__ = ["run"]
