"""Which batch systems there are: each is a file in the language of BPS."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from ...errors import InvalidRequestError

__all__ = ["read_site", "site_directory"]

_BUILT_IN = Path(__file__).with_name("sites")
_NEEDED = ("wmsServiceClass", "computeSite")


def site_directory() -> Path:
    """Directory of the batch systems that a person has described.

    Returns
    -------
    directory : `pathlib.Path`
        ``~/.config/python-butler/sites``, or as ``$XDG_CONFIG_HOME`` says. It need not exist.
    """
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "python-butler" / "sites"


def read_site(site: str) -> dict[str, Any]:
    """Read the description of a batch system.

    Parameters
    ----------
    site : `str`
        Path of a YAML file, or the name of one in `site_directory`, or ``local``.

    Returns
    -------
    description : `dict`
        What BPS has to know of it.

    Raises
    ------
    InvalidRequestError
        If there is no such file, or it does not say which batch system it is.
    """
    given = Path(site).expanduser()
    places = [given] if given.suffix in (".yaml", ".yml") else []
    places += [directory / f"{site}.yaml" for directory in (site_directory(), _BUILT_IN)]
    for path in places:
        try:
            content = yaml.safe_load(path.read_text())
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InvalidRequestError(f"{path} cannot be read: {error}", "Mend the file.") from None
        if not isinstance(content, dict) or any(name not in content for name in _NEEDED):
            raise InvalidRequestError(
                f"{path} does not describe a batch system.",
                f"It must have the keys {' and '.join(_NEEDED)}, as in {_BUILT_IN / 'local.yaml'}.",
            )
        return content
    known = sorted(
        path.stem for directory in (site_directory(), _BUILT_IN) for path in directory.glob("*.yaml")
    )
    raise InvalidRequestError(
        f"There is no description of a batch system {site}.",
        f"Choose one of {', '.join(known)}, or write {site_directory() / f'{site}.yaml'}.",
    )
