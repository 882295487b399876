"""What is noted with each dataset: who made it, when, with which software, from which code and inputs."""

from __future__ import annotations

import datetime
import functools
import os
import platform
import socket
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, override

from lsst.daf.butler import DatasetProvenance, DatasetRef

from ..credentials import scrub
from ..settings import user_name

__all__ = ["Origin", "code", "software"]

_INPUTS = 2_000
_CODE_CHARACTERS = 100_000
_IN_FILES = 100
"""Inputs that are written into a file, too; of more, only their number is. The notes name them."""

_ALWAYS = ("python-butler", "lsst-daf-butler", "matplotlib")
"""Distributions that do not tell their version in their module."""


class _Provenance(DatasetProvenance):
    """What upstream's formatters write into files, without thousands of lines in each of many files."""

    @override
    def to_flat_dict(
        self, ref: DatasetRef | None, /, *, max_inputs: int | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        most = _IN_FILES if max_inputs is None else min(max_inputs, _IN_FILES)
        return super().to_flat_dict(ref, max_inputs=most, **kwargs)


@dataclass(frozen=True)
class Origin:
    """Where something comes from that is about to be saved.

    Attributes
    ----------
    inputs : `tuple` [`lsst.daf.butler.DatasetRef`]
        What it was made from.
    notes : `dict`
        What is noted of it: what JSON can express, without secrets. ``time``, ``user``, ``host``,
        ``process``, ``python``, ``software``, ``code`` if there is any, ``inputs`` and how they are known.
    """

    inputs: tuple[DatasetRef, ...]
    notes: Mapping[str, Any]

    @classmethod
    def of(cls, inputs: Iterable[DatasetRef], *, given: bool, doc: str | None = None) -> Origin:
        """Look at the process, now.

        Parameters
        ----------
        inputs : iterable of `lsst.daf.butler.DatasetRef`
            What it was made from.
        given : `bool`
            Whether the user said so; otherwise they are what was read before.
        doc : `str`, optional
            What the user says of it.

        Returns
        -------
        origin : `Origin`
            The origin.
        """
        refs = tuple(inputs)
        return cls(refs, _notes(refs, given=given) | ({"doc": doc} if doc else {}))

    @property
    def provenance(self) -> DatasetProvenance:
        """What formatters are told, some of which write it into the file."""
        provenance = _Provenance()
        for ref in self.inputs:
            provenance.add_input(ref)
        return provenance


def _notes(refs: tuple[DatasetRef, ...], *, given: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
        "user": user_name(),
        "host": _host(),
        "process": os.getpid(),
        "python": platform.python_version(),
        "software": software(),
        "inputs": [_input(ref) for ref in refs[:_INPUTS]],
        "inputs_are": "given" if given else "read before",
    }
    if len(refs) > _INPUTS:
        document["inputs_left_out"] = len(refs) - _INPUTS
    source = code()
    if source:
        document["code"] = source
    return document


def _input(ref: DatasetRef) -> dict[str, Any]:
    return {
        "id": str(ref.id),
        "dataset_type": ref.datasetType.name,
        "run": ref.run,
        "data_id": {key: _plain(value) for key, value in ref.dataId.required.items()},
    }


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else int(value)


def code() -> dict[str, Any]:
    """Tell which code runs: the cell of a notebook, or a program.

    Returns
    -------
    code : `dict`
        ``cell`` and its number ``execution`` in IPython; otherwise ``program``, if there is one.
    """
    shell = _shell()
    if shell is not None:
        source = _cell(shell)
        if source:
            found: dict[str, Any] = {
                "cell": scrub(source)[:_CODE_CHARACTERS],
                "execution": int(getattr(shell, "execution_count", 0)),
            }
            notebook = os.environ.get("JPY_SESSION_NAME")
            return found | ({"notebook": notebook} if notebook else {})
    program = getattr(sys.modules.get("__main__"), "__file__", None)
    return {"program": str(Path(program).absolute())} if program else {}


def _shell() -> Any:
    # Without importing it: where it is not loaded, nothing runs in it.
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def _cell(shell: Any) -> str:
    history = getattr(getattr(shell, "history_manager", None), "input_hist_raw", None)
    return str(history[-1]) if history else ""


def software() -> Mapping[str, str]:
    """Versions of the packages that this process has loaded.

    Returns
    -------
    versions : `dict` [`str`, `str`]
        By name, without those of Python itself.
    """
    return _software(len(sys.modules))


@functools.lru_cache(maxsize=1)
def _software(loaded: int) -> Mapping[str, str]:
    versions: dict[str, str] = {}
    for name, module in list(sys.modules.items()):
        if "." in name or name.startswith("_") or name in sys.stdlib_module_names:
            continue
        # Looking it up in the usual way would run code of modules that make it when asked.
        version = getattr(module, "__dict__", {}).get("__version__")
        if isinstance(version, str) and version:
            versions[name] = version
    return dict(sorted((versions | _distributions()).items()))


@functools.cache
def _distributions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _ALWAYS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # from a source tree, or of the stack's own packaging
            continue
    return found


@functools.cache
def _host() -> str:
    return socket.gethostname()
