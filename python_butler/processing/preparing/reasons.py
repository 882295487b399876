"""Why a graph has fewer quanta than there could be: upstream's builder only writes that to its log."""

from __future__ import annotations

import logging
import re
from collections import Counter
from typing import override

from lsst.utils.logging import LsstLogAdapter

__all__ = ["Reasons"]

_LEFT_OUT = "No work found for quantum %s of task %s: %s"
_NO_OUTPUTS = "No outputs predicted for quantum %s of task %s."
_TASK = re.compile(
    r"(?:Generated .* for|Dropping) task (?P<task>\S+?)(?: because no quanta remain)? ?\((?P<why>.*)\)"
)
_SKIPPED = re.compile(r"(?P<count>\d+) previously succeeded and skipped")


class Reasons(logging.Handler):
    """Listens to upstream's builder.

    Attributes
    ----------
    left_out : `dict` [`str`, `collections.Counter`]
        For each task, how many quanta there are not, by the reason.
    skipped : `dict` [`str`, `int`]
        For each task, how many quanta had succeeded before.
    notes : `list` [`str`]
        Everything else that a person should know, as sentences.
    """

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.left_out: dict[str, Counter[str]] = {}
        self.skipped: dict[str, int] = {}
        self.notes: list[str] = []

    def logger(self, upstream: LsstLogAdapter) -> LsstLogAdapter:
        """Make a log that tells this object everything, and others what they want to know.

        Parameters
        ----------
        upstream : `lsst.utils.logging.LsstLogAdapter`
            Log that the builder would write to.

        Returns
        -------
        log : `lsst.utils.logging.LsstLogAdapter`
            Log for this builder alone.
        """
        own = logging.Logger(upstream.name, logging.DEBUG)
        own.addHandler(self)
        own.addHandler(_Forwarding(logging.getLogger(upstream.name)))
        return LsstLogAdapter(own, {})

    def note(self, sentence: str) -> None:
        """Add something that a person should know.

        Parameters
        ----------
        sentence : `str`
            What.
        """
        self.notes.append(sentence)

    @override
    def emit(self, record: logging.LogRecord) -> None:
        arguments = record.args if isinstance(record.args, tuple) else ()
        if record.msg == _LEFT_OUT and len(arguments) == 3:
            self._leave_out(str(arguments[1]), str(arguments[2]))
        elif record.msg == _NO_OUTPUTS and len(arguments) == 2:
            self._leave_out(str(arguments[1]), "it would make nothing")
        elif record.levelno >= logging.ERROR:
            # After the reasons comes how to find them with a debugger.
            text = record.getMessage().partition("\nTo reproduce this query")[0]
            self.notes += [line.strip() for line in text.splitlines()[1:] if line.strip()] or [text]
        elif (found := _TASK.search(record.getMessage())) and (skip := _SKIPPED.search(found["why"])):
            self.skipped[found["task"]] = int(skip["count"])

    def _leave_out(self, task: str, reason: str) -> None:
        self.left_out.setdefault(task, Counter())[reason.rstrip(".")] += 1


class _Forwarding(logging.Handler):
    """Hands on what another log lets through."""

    def __init__(self, log: logging.Logger) -> None:
        super().__init__()
        self._log = log

    @override
    def emit(self, record: logging.LogRecord) -> None:
        # What ends in a refusal is told there, once.
        if record.levelno < logging.ERROR and self._log.isEnabledFor(record.levelno):
            self._log.handle(record)
