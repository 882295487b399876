"""Labels of official repositories and the addresses of their servers."""

from __future__ import annotations

from urllib.parse import urlsplit

from lsst.daf.butler import Butler

from ..errors import UnknownRepositoryError

__all__ = ["known_repositories", "official_url"]


def known_repositories() -> dict[str, str]:
    """Official repositories that this environment knows.

    Returns
    -------
    repositories : `dict` [`str`, `str`]
        Address of the Butler server by label, from upstream's repository index
        (``DAF_BUTLER_REPOSITORY_INDEX`` or ``DAF_BUTLER_REPOSITORIES``). Entries that are not
        served over HTTP are left out: they are not official repositories.
    """
    urls: dict[str, str] = {}
    for label in sorted(Butler.get_known_repos()):
        uri = Butler.get_repo_uri(label).geturl()
        if urlsplit(uri).scheme in ("http", "https"):
            urls[label] = uri.removesuffix("butler.yaml").rstrip("/")
    return urls


def official_url(label: str) -> str:
    """Address of the server of one official repository.

    Parameters
    ----------
    label : `str`
        Label of the repository, for example ``dp2``.

    Returns
    -------
    url : `str`
        The server's address, without a trailing slash.

    Raises
    ------
    UnknownRepositoryError
        If no official repository has this label; the message lists those that there are.
    """
    known = known_repositories()
    if label in known:
        return known[label]
    if known:
        step = f"Known labels: {', '.join(known)}."
    else:
        step = "No official repository is known here: set DAF_BUTLER_REPOSITORY_INDEX."
    raise UnknownRepositoryError(f"There is no official repository with the label {label!r}.", step)
