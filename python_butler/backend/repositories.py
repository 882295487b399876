"""All repositories known here, found again at each request: nothing about a failure is remembered."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from ..errors import UnknownRepositoryError
from ..official import known_repositories
from ..satellite.create import BUILDING
from ..settings import satellite_directory, satellite_root
from .models import Repository, RepositoryKind, RepositoryState
from .official import OfficialRepository
from .personal import PersonalRepository
from .repository import BrowsedRepository

__all__ = ["Repositories"]

_REMEMBERED = 30.0
"""Seconds for which an official server that answered is believed to be there."""


class Repositories:
    """The official repositories of the index and the personal ones beside them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._official: dict[str, OfficialRepository] = {}
        self._personal: dict[str, PersonalRepository] = {}
        self._connected: dict[str, tuple[float, Repository]] = {}

    def find(self, kind: RepositoryKind, label: str) -> BrowsedRepository:
        """Find one repository.

        Parameters
        ----------
        kind : `RepositoryKind`
            Whose it is.
        label : `str`
            Its label.

        Returns
        -------
        repository : `BrowsedRepository`
            The repository, which need not be readable now.

        Raises
        ------
        UnknownRepositoryError
            If there is none with this label.
        """
        if not any(other.label == label and other.kind == kind for other in self.all()):
            known = ", ".join(sorted({other.label for other in self.all()})) or "none"
            raise UnknownRepositoryError(
                f"There is no {kind} repository with the label {label!r}.", f"Known labels: {known}."
            )
        return self._official_one(label) if kind is RepositoryKind.OFFICIAL else self._personal_one(label)

    def all(self) -> Sequence[BrowsedRepository]:
        """List all repositories.

        Returns
        -------
        repositories : sequence of `BrowsedRepository`
            Each official one followed by its satellite; then satellites whose official one is unknown here.
        """
        labels = list(known_repositories())
        repositories: list[BrowsedRepository] = []
        for label in labels:
            repositories.append(self._official_one(label))
            if _may_have_satellite(label):
                repositories.append(self._personal_one(label))
        repositories.extend(self._personal_one(label) for label in _satellites() if label not in labels)
        return repositories

    def personal(self) -> list[PersonalRepository]:
        """List the personal repositories, those that are not created yet too.

        Returns
        -------
        repositories : `list` [`PersonalRepository`]
            The repositories.
        """
        return [one for one in self.all() if isinstance(one, PersonalRepository)]

    def describe(self, repository: BrowsedRepository, *, now: bool) -> Repository:
        """Tell whether a repository can be read.

        Parameters
        ----------
        repository : `BrowsedRepository`
            Which.
        now : `bool`
            Whether it must be checked now; else a good answer of a moment ago will do.

        Returns
        -------
        description : `Repository`
            Its state.
        """
        official = repository.kind is RepositoryKind.OFFICIAL
        if now:
            repository.memory.forget()
        elif official:
            with self._lock:
                when, known = self._connected.get(repository.label, (0.0, None))
            if known is not None and time.monotonic() - when < _REMEMBERED:
                return known
        description = repository.describe()
        with self._lock:
            if official and description.state is RepositoryState.CONNECTED:
                self._connected[repository.label] = (time.monotonic(), description)
            else:
                self._connected.pop(repository.label, None)
        return description

    def doubt(self, repository: BrowsedRepository) -> None:
        """Forget that a server was there: something just failed.

        Parameters
        ----------
        repository : `BrowsedRepository`
            Which.
        """
        with self._lock:
            self._connected.pop(repository.label, None)

    def _official_one(self, label: str) -> OfficialRepository:
        with self._lock:
            return self._official.setdefault(label, OfficialRepository(label))

    def _personal_one(self, label: str) -> PersonalRepository:
        with self._lock:
            known = self._personal.get(label)
            # The root may have moved in the environment.
            if known is None or known.directory != satellite_directory(label):
                known = self._personal[label] = PersonalRepository(label)
            return known


def _may_have_satellite(label: str) -> bool:
    try:
        satellite_directory(label)
    except ValueError:
        return False
    return True


def _satellites() -> list[str]:
    root = satellite_root()
    names = (file.parent.name for file in root.glob("*/butler.yaml"))
    return sorted(name for name in names if _may_have_satellite(name) and not name.startswith(BUILDING))
