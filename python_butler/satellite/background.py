"""Work in threads of its own, so that a server's work and ours overlap, and giving up waiting for it."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from queue import Queue

__all__ = ["InBackground", "unhurried_garbage", "when_set"]

_OBJECTS = 100_000
"""So many new objects are made before garbage among them is looked for."""

_LOOK_EVERY = 0.1
"""Seconds after which it is noticed that an event was set."""


class _Unhurried:
    """How many are in want of a garbage collector that looks more rarely, and how it was before them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._usual = gc.get_threshold()

    def enter(self) -> None:
        with self._lock:
            self._count += 1
            if self._count > 1:
                return
            self._usual = gc.get_threshold()
            if 0 < self._usual[0] < _OBJECTS:
                gc.set_threshold(_OBJECTS, *self._usual[1:])

    def leave(self) -> None:
        with self._lock:
            self._count -= 1
            if not self._count:
                gc.set_threshold(*self._usual)


_unhurried = _Unhurried()


@contextmanager
def unhurried_garbage() -> Iterator[None]:
    """Let the garbage collector look more rarely, while very many objects are made that stay.

    It would go through everything in memory again and again, for a quarter of the time. It looks as
    usual again when the last of those who asked for this has left.
    """
    _unhurried.enter()
    try:
        yield
    finally:
        _unhurried.leave()


@contextmanager
def when_set(event: threading.Event | None, action: Callable[[], None]) -> Iterator[None]:
    """Do something in another thread as soon as an event is set, while one's own may be waiting.

    Parameters
    ----------
    event : `threading.Event` or `None`
        What is waited for; nothing happens without one.
    action : callable
        What is done, once.
    """
    if event is None:
        yield
        return
    left = threading.Event()

    def watch() -> None:
        while not left.wait(_LOOK_EVERY):
            if event.is_set():
                action()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        left.set()
        watcher.join()


class InBackground[T]:
    """Reads an iterable in another thread; iterate to get what it gives, as a context manager.

    Parameters
    ----------
    source : iterable
        What is read. An exception that it raises is raised where its items are used.
    capacity : `int`, optional
        How many items may wait to be used; as many as there are if 0.
    """

    def __init__(self, source: Iterable[T], capacity: int = 0) -> None:
        self._source = source
        self._queue: Queue[tuple[T] | BaseException | None] = Queue(capacity)
        self._stopped = threading.Event()
        self.finished = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> InBackground[T]:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        while self._thread.is_alive():
            # It may wait for room in the queue.
            while not self._queue.empty():
                self._queue.get()
            self._thread.join(0.05)

    def __iter__(self) -> Iterator[T]:
        while (item := self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item[0]

    def _read(self) -> None:
        try:
            for item in self._source:
                if self._stopped.is_set():
                    break
                self._queue.put((item,))
        except BaseException as error:
            self._queue.put(error)
        finally:
            self.finished.set()
            if isinstance(self._source, Generator):
                self._source.close()
            self._queue.put(None)
