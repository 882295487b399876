"""Names of outputs, and making sure that nobody else has them."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from lsst.daf.butler import CollectionType, MissingCollectionError
from lsst.pipe.base import Instrument

from ...errors import InvalidRequestError
from ...federation import SatelliteButler
from ...federation.shared import Side
from ...fulldisk import writing
from ...satellite.durable import write_new
from ...satellite.runs import RUNS
from ...saving.names import chain_of
from ..workdir import WorkDirectory

__all__ = ["Outputs", "check_output", "claimed"]

_NAME = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")


class Outputs:
    """Where a run's outputs go.

    Attributes
    ----------
    chain : `str`
        ``u/<user name>/<name>``.
    run : `str`
        ``u/<user name>/<name>/<time>``.
    created : `datetime.datetime`
        That time.
    id : `uuid.UUID`
        Follows from the run: whoever has the pointer of this name has the run.
    """

    def __init__(self, name: str, created: datetime) -> None:
        self.chain = chain_of(name)
        self.created = created
        self.run = f"{self.chain}/{Instrument.formatCollectionTimestamp(created)}"
        self.id: UUID = uuid5(NAMESPACE_URL, self.run)


def check_output(butler: SatelliteButler, name: str) -> None:
    """Make sure that outputs can be filed under a name.

    Parameters
    ----------
    butler : `SatelliteButler`
        Both repositories.
    name : `str`
        What the person calls them.

    Raises
    ------
    InvalidRequestError
        If they cannot.
    """
    if not _NAME.fullmatch(name):
        raise InvalidRequestError(
            f"{name!r} cannot be the name of outputs.",
            "Use letters, digits, dots, dashes and underscores: they become part of a collection's name.",
        )
    chain = chain_of(name)
    try:
        located = butler.collections.locate([chain])[chain]
    except MissingCollectionError:
        return
    if located.home is Side.OFFICIAL:
        raise InvalidRequestError(f"{chain} is an official collection.", "Choose another name.")
    if located.info.type is not CollectionType.CHAINED:
        raise InvalidRequestError(
            f"{chain} is a collection of yours with datasets in it, and no chain of runs.",
            "Choose another name.",
        )


@contextmanager
def claimed(butler: SatelliteButler, workdir: WorkDirectory, satellite: Path, name: str) -> Iterator[Outputs]:
    """Have a run that no other working directory writes, and that is not in the satellite.

    Parameters
    ----------
    butler : `SatelliteButler`
        Both repositories.
    workdir : `WorkDirectory`
        Directory of the run.
    satellite : `pathlib.Path`
        The satellite's directory.
    name : `str`
        What the person calls the outputs.

    Yields
    ------
    outputs : `Outputs`
        Where they go. If preparing fails, they are free again.
    """
    pointers = satellite / RUNS
    with writing(str(satellite)):
        pointers.mkdir(exist_ok=True)
    content = json.dumps({"directory": str(workdir.path)}).encode()
    for leftover in pointers.glob("*.json"):
        # Of earlier attempts in this directory that were killed: whoever prepares has its lock.
        with contextlib.suppress(OSError):
            if leftover.read_bytes() == content:
                leftover.unlink()
    created = datetime.now(UTC).replace(microsecond=0)
    while True:
        outputs = Outputs(name, created)
        pointer = pointers / f"{outputs.id}.json"
        if not _exists(butler, outputs.run):
            with writing(str(satellite)), contextlib.suppress(FileExistsError):
                write_new(pointer, content)
                break
        # Another run of this name was prepared in the same second.
        created += timedelta(seconds=1)
    try:
        yield outputs
    except BaseException:
        with contextlib.suppress(OSError):
            pointer.unlink()
        raise


def _exists(butler: SatelliteButler, run: str) -> bool:
    try:
        butler.collections.get_info(run)
    except MissingCollectionError:
        return False
    return True
