"""Executing a run by a batch system: `submit` describes it to upstream's Batch Processing Service (BPS)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...late import late

if TYPE_CHECKING:
    from .submitting import Submission, submit

__all__ = ["Submission", "submit"]

__getattr__, __dir__ = late(__name__, {"Submission": ".submitting", "submit": ".submitting"})
