"""What is raised: in upstream's own kinds, and without tokens and signed URLs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps

from lsst.daf.butler import DatasetNotFoundError
from lsst.daf.butler.registry.interfaces import ReadOnlyDatabaseError

from ..credentials import scrub
from ..errors import GoneError, OfflineError, PythonButlerError

__all__ = ["GoneDatasetError", "ReadOnlyError", "clean", "safely"]


class ReadOnlyError(TypeError, ReadOnlyDatabaseError):
    """An attempt to write with a Butler that is read only, in upstream's words for it."""


class GoneDatasetError(GoneError, DatasetNotFoundError, FileNotFoundError):
    """A missing dataset or file, for code that expects either of upstream's exceptions."""


def safely[**P, R](method: Callable[P, R]) -> Callable[P, R]:
    """Make a function raise nothing that holds a secret.

    Parameters
    ----------
    method : callable
        Reads the files of datasets.

    Returns
    -------
    safe : callable
        The same, but an exception whose text, or the text of one that led to it, holds a token or a
        signed URL is replaced by one of the same kind without it.
    """

    @wraps(method)
    def safe(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except Exception as error:
            replacement = clean(error)
            if replacement is error:
                raise
        # Outside of the handler: the new exception must not lead to the old one.
        raise replacement

    return safe


def clean(error: Exception) -> Exception:
    """Replace an exception that holds a secret.

    Parameters
    ----------
    error : `Exception`
        Any exception.

    Returns
    -------
    clean : `Exception`
        The same object if it is harmless; otherwise a new one without cause and traceback.
    """
    if all(scrub(text) == text for link in _chain(error) for text in _texts(link)):
        return error
    message = scrub(str(error))
    if isinstance(error, PythonButlerError):
        return type(error)(scrub(error.message), scrub(error.next_step))
    for link in _chain(error):
        if isinstance(link, FileNotFoundError):
            gone = GoneDatasetError(
                "The file of this dataset is no longer there.", "Query for the dataset again."
            )
            return _noted(gone, message)
        if isinstance(link, FileExistsError):
            # One of the user's own that is in the way.
            return FileExistsError(message)
        if isinstance(link, OSError):
            offline = OfflineError(
                "The file of this dataset cannot be fetched now.",
                "Try again in a while; if it stays, tell the platform's support.",
            )
            return _noted(offline, message)
    try:
        return type(error)(message)
    except Exception:  # its constructor wants something else
        return RuntimeError(f"{type(error).__name__}: {message}")


def _noted(error: PythonButlerError, detail: str) -> PythonButlerError:
    error.add_note(detail)
    return error


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        link = pending.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        pending += [link.__cause__, link.__context__]


def _texts(error: BaseException) -> Iterator[str]:
    yield str(error)
    yield from (str(argument) for argument in error.args)
    yield from getattr(error, "__notes__", ())
