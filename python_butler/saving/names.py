"""Names of what is saved: a dataset type, a chain, and a run for each version."""

from __future__ import annotations

import re

from ..errors import InvalidRequestError
from ..satellite.versions import split_run
from ..settings import user_name

__all__ = ["chain_of", "check_name", "run_of"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check_name(name: str) -> None:
    """Make sure that something can be saved under a name.

    Parameters
    ----------
    name : `str`
        Name of a dataset type.

    Raises
    ------
    InvalidRequestError
        If it is none.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidRequestError(
            f"{name!r} cannot be the name of a dataset.",
            "Use letters, digits and underscores, beginning with a letter: it becomes a dataset type.",
        )


def chain_of(name: str) -> str:
    """Chain over the versions of one name.

    Parameters
    ----------
    name : `str`
        Name under which something is saved.

    Returns
    -------
    chain : `str`
        ``u/<user name>/<name>``.
    """
    return f"u/{user_name()}/{name}"


def run_of(chain: str, version: int | str) -> str:
    """Run of one version.

    Parameters
    ----------
    chain : `str`
        Chain over the versions.
    version : `int` or `str`
        Its number, or ``v<number>``; ``m<number>`` for one that is in memory.

    Returns
    -------
    run : `str`
        ``<chain>/v<number>``.

    Raises
    ------
    InvalidRequestError
        If it is no version.
    """
    run = (
        f"{chain}/{version}" if isinstance(version, str) and not version.isdigit() else f"{chain}/v{version}"
    )
    if split_run(run) is None:
        raise InvalidRequestError(
            f"{version!r} is no version.", "Versions are 1, 2, ...; those in memory 'm1', 'm2', ..."
        )
    return run
