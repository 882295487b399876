"""A bar below the notebook's cell for work that takes long, and the kernel's interrupt for ending it.

Outside of a notebook's kernel nothing is shown and nothing else happens.
"""

from __future__ import annotations

import functools
import html
import signal
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, cast

from ..words import duration, number
from .progress import Progress

__all__ = ["shows_progress"]

_PATIENCE = 1.0
"""Seconds for which work may take without a bar."""

_PACE = 0.2
"""Seconds between two drawings of it: each is a message to the browser."""

_watched: ContextVar[bool] = ContextVar("watched", default=False)
"""Whether a call that this one is part of has a bar."""


class _Shown(Protocol):
    """What IPython gives to change what it shows."""

    def update(self, obj: object) -> None: ...


def shows_progress[**P, R](call: Callable[P, R]) -> Callable[P, R]:
    """Make a long call show a bar in a notebook, unless it is told how to tell progress.

    Parameters
    ----------
    call : callable
        Takes the keywords ``progress``, a `.progress.ProgressWish`, and ``cancel``, a `threading.Event` or
        `None`; ends in good order when the latter is set.

    Returns
    -------
    showing : callable
        The same. If ``progress`` is not given and this is a notebook's kernel, a bar appears after about
        a second, and the first interrupt of the kernel sets ``cancel``; when the call has ended,
        `KeyboardInterrupt` is raised, so that the cell ends, too. A second interrupt ends the call at
        once. With ``progress=False`` nothing is shown and interrupts are left alone.
    """

    @functools.wraps(call)
    def showing(*args: P.args, **kwargs: P.kwargs) -> R:
        # A signature cannot say that there must be two more keywords.
        keywords = cast(dict[str, Any], kwargs)
        if keywords.get("progress") is not None or _watched.get() or not _in_kernel():
            return call(*args, **kwargs)
        cancel = keywords.get("cancel") or threading.Event()
        with _watching(cancel) as draw:
            keywords.update(progress=draw, cancel=cancel)
            result = call(*args, **kwargs)
        if draw.interrupted:
            raise KeyboardInterrupt(f"Stopped in good order; what is done stays: {_told(result)}")
        return result

    return showing


def _told(result: object) -> str:
    return f"{type(result).__name__}: {result}" if result is not None else "nothing to report"


def _in_kernel() -> bool:
    """Whether what is shown goes to a notebook, and interrupts come to this thread."""
    # Nothing is imported: what is not loaded is not used.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel") and threading.current_thread() is threading.main_thread()


@contextmanager
def _watching(cancel: threading.Event) -> Iterator[_Bar]:
    bar = _Bar()

    def interrupt(signum: int, frame: types.FrameType | None) -> None:
        if bar.interrupted:
            raise KeyboardInterrupt
        bar.interrupted = True
        cancel.set()

    previous = signal.signal(signal.SIGINT, interrupt)
    token = _watched.set(True)
    try:
        yield bar
    finally:
        _watched.reset(token)
        signal.signal(signal.SIGINT, previous)
        bar.close()


class _Bar:
    """A bar below the cell, drawn when the work has taken for some time.

    Attributes
    ----------
    interrupted : `bool`
        Whether the kernel was interrupted.
    """

    def __init__(self) -> None:
        self.interrupted = False
        self._begin = self._drawn = time.monotonic()
        self._shown: _Shown | None = None
        self._last: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        self._last = progress
        now = time.monotonic()
        if self._shown is None and now - self._begin < _PATIENCE:
            return
        if self._shown is not None and now - self._drawn < _PACE:
            return
        self._drawn = now
        self._draw(_Picture(progress, self.interrupted))

    def close(self) -> None:
        """Leave one line of what was done."""
        if self._shown is not None and self._last is not None:
            took = duration(time.monotonic() - self._begin)
            ending = "stopped after" if self.interrupted else "took"
            self._draw(_Line(f"{self._last.what}: {_count(self._last)}, {ending} {took}"))

    def _draw(self, picture: _Picture | _Line) -> None:
        from IPython.display import display

        if self._shown is None:
            shown = display(picture, display_id=True)  # type: ignore[no-untyped-call]  # IPython has no types
            self._shown = cast(_Shown, shown)
        else:
            self._shown.update(picture)


def _count(progress: Progress) -> str:
    if progress.total is None:
        return number(progress.done)
    return f"{number(progress.done)} of {number(progress.total)}"


class _Line:
    """One line of text, as IPython shows it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        return f"<small>{html.escape(self._text)}</small>"


class _Picture(_Line):
    """How far the work is, as IPython shows it.

    Parameters
    ----------
    progress : `Progress`
        How far it is.
    stopping : `bool`
        Whether it is about to end before it is done.
    """

    def __init__(self, progress: Progress, stopping: bool) -> None:
        parts = [progress.what, _count(progress)]
        if stopping:
            parts.append("stopping")
        elif progress.seconds_left is not None:
            parts.append(f"about {duration(progress.seconds_left)} left")
        super().__init__(" · ".join(parts))
        self._progress = progress

    def _repr_html_(self) -> str:
        bars = [(self._progress, super()._repr_html_())]
        for part in self._progress.parts:
            bars.append((part, _Line(f"{part.what} · {_count(part)}")._repr_html_()))
        return "<br>".join(f"{_drawn(progress)} {text}" for progress, text in bars)


def _drawn(progress: Progress) -> str:
    value = "" if not progress.total else f'value="{progress.done}" max="{progress.total}"'
    return f'<progress {value} style="width: 16em"></progress>'
