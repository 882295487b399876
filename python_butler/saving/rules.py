"""Where datasets go by default: rules that a user or a site keeps in a file."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import pydantic
import yaml

from ..errors import InvalidRequestError
from ..settings import rule_files

__all__ = ["Rule", "destinations_for", "read_rules"]

PERSONAL = "personal"
"""Where everything goes that no rule is about."""


class Rule(pydantic.BaseModel):
    """Where datasets of some types go.

    Attributes
    ----------
    dataset_type : `str`
        Name of a dataset type; may have wildcards.
    to : `list` [`str`]
        Destinations, as `save` takes them: ``personal``, ``memory``, the label of another satellite, or the
        directory of one.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    dataset_type: str
    to: list[str] = pydantic.Field(min_length=1)

    @pydantic.field_validator("to", mode="before")
    @classmethod
    def _as_list(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value


class _Rules(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")

    destinations: list[Rule] = []


def destinations_for(name: str) -> list[str]:
    """Tell where datasets of a type go if nobody says so.

    Parameters
    ----------
    name : `str`
        Name of the dataset type.

    Returns
    -------
    destinations : `list` [`str`]
        Those of the first rule that fits; the user's rules come before the site's. ``["personal"]``
        without any.

    Raises
    ------
    InvalidRequestError
        If a file of rules cannot be understood.
    """
    for file in rule_files():
        for rule in read_rules(file):
            if fnmatchcase(name, rule.dataset_type):
                return list(rule.to)
    return [PERSONAL]


_read: dict[Path, tuple[tuple[int, int], Sequence[Rule]]] = {}


def read_rules(file: Path) -> Sequence[Rule]:
    """Read a file of rules.

    Parameters
    ----------
    file : `pathlib.Path`
        The file; it need not exist. It is read anew when it has changed.

    Returns
    -------
    rules : sequence of `Rule`
        In order.

    Raises
    ------
    InvalidRequestError
        If it cannot be read or understood.
    """
    try:
        status = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise _trouble(file, error.strerror or str(error)) from None
    stamp = (status.st_mtime_ns, status.st_size)
    known = _read.get(file)
    if known is None or known[0] != stamp:
        known = (stamp, _parse(file))
        _read[file] = known
    return known[1]


def _parse(file: Path) -> Sequence[Rule]:
    try:
        content = yaml.safe_load(file.read_text())
        return tuple(_Rules.model_validate({} if content is None else content).destinations)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark is not None else ""
        raise _trouble(file, f"{where}{getattr(error, 'problem', None) or error}") from None
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise _trouble(file, f"{place}: {first['msg']}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise _trouble(file, str(error)) from None


def _trouble(file: Path, reason: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"The rules in {file} cannot be understood: {reason}.",
        "They look like: destinations: [{dataset_type: 'debug_*', to: memory}]",
    )
