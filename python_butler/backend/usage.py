"""How much room a personal repository takes."""

from __future__ import annotations

from ..errors import InvalidRequestError
from ..satellite.place import Place
from ..satellite.usage.usage import usage
from .models import PersonalUsage
from .personal import PersonalRepository
from .repository import BrowsedRepository

__all__ = ["find_usage"]


def find_usage(repository: BrowsedRepository) -> PersonalUsage:
    """Add up what a personal repository takes.

    Parameters
    ----------
    repository : `BrowsedRepository`
        A personal one that exists.

    Returns
    -------
    usage : `PersonalUsage`
        The sums; remembered while the repository stays as it is.
    """
    if not isinstance(repository, PersonalRepository):
        raise InvalidRequestError(f"{repository.label} is not a personal repository.")
    place = Place(repository.label, repository.directory)
    return repository.memory.get("usage", lambda: _added_up(place), version=repository.version())


def _added_up(place: Place) -> PersonalUsage:
    found = usage(place)
    total = found.total
    volumes = [volume for volume in (found.volume, found.files_volume) if volume is not None]
    quotas = [quota.bytes for volume in volumes for quota in volume.quotas]
    return PersonalUsage(
        bytes=total.bytes
        + (found.database_bytes or 0)
        + found.spool.bytes
        + found.trash.bytes
        + found.unfinished_bytes,
        quota=min(quotas, default=None),
        room=min((volume.room for volume in volumes), default=None),
        own=total.own.datasets + total.elsewhere.datasets,
        referenced=total.referenced.datasets,
        pinned=total.pinned.datasets,
    )
