"""What is said between `start` and the crew that executes quanta: a line of JSON each, in both directions.

Orders are ``{"run": ID, "attempt": ...}``, with ``tokens`` if those of the environment were renewed, which
would otherwise not come to a process that runs already. Answers have one of the words of `Word`.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import IO, Any

__all__ = ["Word", "receive", "send"]


class Word(StrEnum):
    """What an answer is about."""

    CONNECTIONS = "connections"
    """Which inputs of tasks are read when and as far as the task likes: ``{task: [connection, ...]}``."""

    READY = "ready"
    """All that quanta need is in place; IDs of those that succeeded, but whose outputs are ``lost``."""

    ENDED = "ended"
    """Event of the journal of a quantum that ended, and ``trouble``."""

    FATAL = "fatal"
    """Nothing can be executed: ``{"kind", "message", "next_step"}``."""


def send(stream: IO[bytes], **content: Any) -> None:
    """Say something.

    Parameters
    ----------
    stream : binary file
        To whom.
    **content
        One of the words, with what belongs to it.

    Raises
    ------
    OSError
        If nobody is there any more.
    """
    stream.write(json.dumps(content).encode() + b"\n")
    stream.flush()


def receive(line: bytes) -> dict[str, Any]:
    """Understand a line; the inverse of `send`."""
    content: dict[str, Any] = json.loads(line)
    return content
