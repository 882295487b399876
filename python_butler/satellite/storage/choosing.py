"""What may be chosen when a satellite is created: where its database and its files are to be."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from lsst.resources import ResourcePath
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from ...errors import InvalidRequestError, SatelliteError
from ...settings import user_name
from .located import LOCK_FILES, ONE_WRITER, Storage
from .probing import LOCKS, Locks, locks_for

__all__ = ["Choice", "default_namespace"]

_NAMESPACE = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_CONFUSING = re.compile(r"%[0-9A-Fa-f]{2}|[?#]")
_SECRETS = ("password", "sslpassword", "passwd")


@dataclass(frozen=True)
class Choice:
    """Where a new satellite's database and files are to be. Use `of`, which checks what a person wrote.

    Attributes
    ----------
    registry : `str` or `None`
        Address of a PostgreSQL database, without a password; `None` for an SQLite file in the directory.
    namespace : `str` or `None`
        Schema for the satellite's tables; `None` with SQLite.
    files : `lsst.resources.ResourcePath` or `None`
        Root of the personal files; `None` for a directory in the satellite's.
    locks : `str` or `None`
        How users of the SQLite file take turns; `None` for what the file system is good for.
    """

    registry: str | None = None
    namespace: str | None = None
    files: ResourcePath | None = None
    locks: Locks | None = None

    @classmethod
    def of(
        cls,
        label: str,
        registry: str | None = None,
        storage: str | Path | ResourcePath | None = None,
        namespace: str | None = None,
        locks: Locks | None = None,
    ) -> Choice:
        """Check and complete what a person wrote.

        Parameters
        ----------
        label : `str`
            Label of the official repository.
        registry : `str`, optional
            Address of a PostgreSQL database, such as ``postgresql://server/database``.
        storage : `str`, `pathlib.Path` or `lsst.resources.ResourcePath`, optional
            Directory, or address such as ``s3://bucket/prefix``.
        namespace : `str`, optional
            Schema in the database, `default_namespace` if not given.
        locks : `str`, optional
            ``posix`` or ``files``, for an SQLite file.

        Returns
        -------
        choice : `Choice`
            What to create.

        Raises
        ------
        InvalidRequestError
            If something cannot be used, or holds a password.
        SatelliteError
            If a Python package is missing for it.
        """
        if locks not in (None, *LOCKS):
            raise InvalidRequestError(
                f"{locks!r} is no way to lock a database.", f"Use one of {', '.join(LOCKS)}, or leave it out."
            )
        if registry is None:
            if namespace is not None:
                raise InvalidRequestError(
                    "A namespace is for a registry in PostgreSQL.", "Name the database too, or leave it out."
                )
            return cls(files=None if storage is None else _files(storage), locks=locks)
        if locks is not None:
            raise InvalidRequestError(
                "How to lock is chosen for an SQLite file only; PostgreSQL does it itself.", "Leave it out."
            )
        url = _database(registry)
        namespace = default_namespace(label) if namespace is None else namespace
        if not _NAMESPACE.fullmatch(namespace):
            raise InvalidRequestError(
                f"{namespace!r} cannot be the name of a schema.",
                "Use at most 63 lower-case letters, digits and underscores, beginning with a letter.",
            )
        return cls(url.render_as_string(), namespace, None if storage is None else _files(storage))

    def registry_section(self, directory: Path) -> dict[str, Any]:
        """What upstream's configuration must say of the registry.

        Parameters
        ----------
        directory : `pathlib.Path`
            A directory on the file system of the satellite's.

        Returns
        -------
        section : `dict`
            Its section ``registry``.

        Raises
        ------
        OSError
            If nothing can be written in the directory.
        """
        if self.registry is not None:
            return {
                "db": self.registry,
                "namespace": self.namespace,
                "engines": {"postgresql": ONE_WRITER},
            }
        locks = locks_for(directory) if self.locks is None else self.locks
        return {"engines": {"sqlite": LOCK_FILES}} if locks == "files" else {}

    def check_same(self, there: Storage) -> None:
        """Make sure that a satellite that is there is where it is asked for.

        Parameters
        ----------
        there : `Storage`
            Where it is.

        Raises
        ------
        SatelliteError
            If it is elsewhere.
        """
        elsewhere = []
        if self.registry is not None and (self.registry, self.namespace) != (
            there.registry_url,
            there.namespace,
        ):
            elsewhere.append(f"its registry in {there.registry_name}")
        if self.files is not None and self.files != there.files:
            elsewhere.append(f"its files in {there.files}")
        if self.locks is not None and self.locks != there.locks:
            elsewhere.append(f"a database with locks of the kind {there.locks}")
        if elsewhere:
            raise SatelliteError(
                f"The satellite in {there.root} has {' and '.join(elsewhere)}.",
                "Leave out where it should be, or move it with: satellite migrate.",
            )


def default_namespace(label: str) -> str:
    """Schema in a database for one user's satellite of one official repository.

    Parameters
    ----------
    label : `str`
        Label of the official repository.

    Returns
    -------
    namespace : `str`
        Made of both names, for example ``u_me_dp2``.
    """
    words = re.sub(r"[^a-z0-9_]+", "_", f"u_{user_name()}_{label}".lower())
    return words[:63]


def _database(registry: str) -> URL:
    try:
        url = make_url(registry)
    except (ArgumentError, ValueError):
        # Their texts show what was written, which may hold a password.
        raise InvalidRequestError(
            "The address of the registry cannot be understood.",
            "Write it like postgresql://server/database.",
        ) from None
    if url.password is not None or any(name.lower() in _SECRETS for name in url.query):
        raise InvalidRequestError(
            "The address of the registry holds a password, which would be written to a file.",
            "Leave it out: put it into PGPASSWORD, ~/.pgpass or the file that LSST_DB_AUTH names.",
        )
    if url.get_backend_name() != "postgresql":
        raise InvalidRequestError(
            f"A registry cannot be in a database of the kind {url.get_backend_name()}.",
            "Name a PostgreSQL database, or leave it out for an SQLite file in the satellite's directory.",
        )
    if not url.database:
        raise InvalidRequestError(
            "The address of the registry names no database.", "Write it like postgresql://server/database."
        )
    return url


def _files(storage: str | Path | ResourcePath) -> ResourcePath:
    text = str(storage)
    split = urlsplit(text)
    if split.password is not None or any(k.lower().startswith("x-amz") for k, _ in parse_qsl(split.query)):
        raise InvalidRequestError(
            "The address of the storage holds a secret, which would be written to a file.",
            "Leave it out: put keys into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or ~/.aws/credentials.",
        )
    if isinstance(storage, Path) or not split.scheme:
        path = Path(text).expanduser().absolute()
        if strange := _CONFUSING.search(str(path)):
            raise InvalidRequestError(
                f"Files cannot be kept in {path}: its name holds {strange.group()!r}.",
                "Choose a directory without it.",
            )
        return ResourcePath(path, forceDirectory=True)
    if split.scheme not in ("file", "s3"):
        raise InvalidRequestError(
            f"Files cannot be kept at an address that begins with {split.scheme}:.",
            "Name a directory, or a place in an object store such as s3://bucket/prefix.",
        )
    if split.scheme == "s3" and importlib.util.find_spec("boto3") is None:
        raise SatelliteError(
            "The Python package boto3 is missing, which object stores need.",
            'Install it: pip install "python-butler[s3]".',
        )
    if split.query or split.fragment or not (split.netloc or split.scheme == "file"):
        raise InvalidRequestError(
            "The address of the storage cannot be understood.",
            "Write it like s3://bucket/prefix.",
        )
    return ResourcePath(text, forceDirectory=True)
