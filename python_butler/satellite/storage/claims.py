"""Taking a place for a new satellite's files: nobody else's is taken, and what is half done is undone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from lsst.resources import ResourcePath
from pydantic import ValidationError

from ...credentials import scrub
from ...errors import SatelliteError
from ..layout import MARKER
from .choosing import Choice
from .failures import storage_failures
from .schemas import Claim, claimed_schema

__all__ = ["CLAIM", "Claim", "claimed", "take_files"]

CLAIM = ".satellite.json"
"""Object at the root of files that are not in a satellite's directory: says whose they are."""


@contextlib.contextmanager
def claimed(choice: Choice, claim: Claim) -> Iterator[Callable[[], None]]:
    """Take the places of a new satellite while it is made; they are its own if nothing is raised.

    Parameters
    ----------
    choice : `Choice`
        The places.
    claim : `Claim`
        Who takes them.

    Yields
    ------
    complete : callable
        To be called when all is made, just before the directory appears.

    Raises
    ------
    SatelliteError
        If somebody else has one of them, or it cannot be reached or written.
    """
    with contextlib.ExitStack() as stack:
        complete: Callable[[], None] = _nothing
        if choice.registry is not None and choice.namespace is not None:
            complete = stack.enter_context(claimed_schema(choice.registry, choice.namespace, claim))
        if choice.files is not None:
            stack.enter_context(_claimed_files(choice.files, claim))
        yield complete


def _nothing() -> None:
    """Do nothing."""


@contextlib.contextmanager
def _claimed_files(files: ResourcePath, claim: Claim) -> Iterator[None]:
    note = files.join(CLAIM, forceDirectory=False)
    with _told(files):
        _check_free(files, note, claim)
        files.mkdir()
        note.write(claim.model_dump_json().encode(), overwrite=True)
    try:
        yield
    except BaseException:
        # What went wrong first is more important than what goes wrong here.
        with contextlib.suppress(*storage_failures()):
            # If another process was quicker to make the same satellite, the note is its.
            if _read(note) == claim and not (claim.root / MARKER).exists():
                note.remove()
                if files.isLocal:
                    Path(files.ospath).rmdir()
                else:
                    # Upstream makes an empty object for a directory.
                    files.remove()
        raise


def take_files(files: ResourcePath, claim: Claim, *, again: bool = False) -> None:
    """Take a place for files that are brought there bit by bit.

    Parameters
    ----------
    files : `lsst.resources.ResourcePath`
        The place.
    claim : `Claim`
        Who takes it.
    again : `bool`, optional
        Whether it may be one that the same has taken before, with files in it.

    Raises
    ------
    SatelliteError
        If somebody else has it, or it cannot be reached or written.
    """
    note = files.join(CLAIM, forceDirectory=False)
    with _told(files):
        there = _read(note)
        if not again or there is None or there.id != claim.id:
            _check_free(files, note, claim)
        files.mkdir()
        note.write(claim.model_dump_json().encode(), overwrite=True)


def _check_free(files: ResourcePath, note: ResourcePath, claim: Claim) -> None:
    """Make sure that nothing is there, or what an attempt at the same satellite left behind."""
    if files.isLocal and not files.exists():
        return
    # An object store may have an empty object that stands for the directory itself.
    ours = (note.relativeToPathRoot, files.relativeToPathRoot)
    found = ResourcePath.findFileResources([files])
    other = next((each for each in found if each.relativeToPathRoot not in ours), None)
    there = _read(note)
    if there is not None and (other is not None or (there.label, there.root) != (claim.label, claim.root)):
        raise SatelliteError(
            f"{files} holds the files of the satellite of {there.label} in {there.root}.",
            "Choose another place for the files.",
        )
    if other is not None:
        raise SatelliteError(
            f"{files} is not empty: it holds {other.basename()}.", "Choose an empty place for the files."
        )


def _read(note: ResourcePath) -> Claim | None:
    try:
        return Claim.model_validate_json(note.read())
    except (FileNotFoundError, ValidationError):
        return None


@contextlib.contextmanager
def _told(files: ResourcePath) -> Iterator[None]:
    """Turn what an object store or file system raises into what a person is told."""
    try:
        yield
    except SatelliteError:
        raise
    except storage_failures() as error:
        said = " ".join(scrub(str(error)).split()).rstrip(".")
        keys = "" if files.isLocal else " Keys are read from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or "
        keys += "" if files.isLocal else "~/.aws/credentials, the store's address from S3_ENDPOINT_URL."
        raise SatelliteError(
            f"Files cannot be kept in {files}: {said}.", f"Check that it is there and yours to write.{keys}"
        ) from None
