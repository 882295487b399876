"""The file in a satellite that tells a person what the directory is."""

from __future__ import annotations

from .layout import CONFIG, DATABASE, FALLBACK, FILES, MARKER
from .storage import Storage

__all__ = ["readme"]

_TEXT = f"""\
# A personal Butler repository beside {{label}}

This directory is a *satellite*: an ordinary Butler repository of Rubin Observatory's data access
library, made by the Python package `python-butler`. It holds your own datasets, and refers to
datasets of the official repository `{{label}}` whose files stay on the official server.

| file | what it is |
| --- | --- |
| `{CONFIG}` | configuration: with it, the directory is a Butler repository |
{{places}}| `{FALLBACK}` | another configuration, for when `python-butler` is missing (see below) |
| `{MARKER}` | says of which official repository this is the satellite |

{{whole}} Do not move or edit single files. There is no password or access token in it.

## How to open it

Together with the official repository, as one Butler:

```python
import python_butler

butler = python_butler.open("{{label}}", collections="{{label}}")
```

Alone, where `python-butler` is installed:

```python
from lsst.daf.butler import Butler

butler = Butler("path/of/this/directory")
```

On the command line, `satellite info {{label}}` tells what is in it if it lies at the usual place, and the
`butler` command knows it too: `butler query-collections path/of/this/directory`.

Files of official datasets are read from the official server, which must be known under the label
`{{label}}` (`DAF_BUTLER_REPOSITORY_INDEX`) and asks for your access token.

## If opening it fails

Errors such as `Failed to import cls 'python_butler.datastore.SatelliteDatastore'` and
`No module named 'python_butler'` mean that the package is missing which defines the datastore of the
references. Install it:

```
pip install "python-butler[kernel]"
```

Or open your own datasets, and the pinned ones, without it:

```python
butler = Butler("path/of/this/directory/{FALLBACK}")
```

References are then listed by queries but cannot be read, and nor can figures and pydantic models, whose
formatters are those of `python-butler`. `butler.getURI` leads to their files nevertheless: images in PNG, and
documents in JSON with the values below `data`. Open it like this for reading only.
"""


_REGISTRY = "the registry: which datasets there are, in which collections"
_DATASETS = "the files of your own datasets, and of official ones you pinned for use offline"

_ALL_HERE = """\
You may move the directory as a whole, and remove it as a whole: that removes your datasets, never an
official one."""

_PARTLY = """\
Only a part of the repository is in this directory, and nothing works without the other part:

{parts}

Keep this directory: it is how your datasets are found. You may move it as a whole. Removing it does not
remove your datasets."""


def readme(label: str, storage: Storage) -> str:
    """Text of the file.

    Parameters
    ----------
    label : `str`
        Label of the official repository.
    storage : `python_butler.satellite.storage.Storage`
        Where the repository's database and files are.

    Returns
    -------
    text : `str`
        Markdown. It does not name the directory, which may be moved.
    """
    rows, parts = "", []
    if storage.is_sqlite:
        rows += f"| `{DATABASE}` | {_REGISTRY} |\n"
    else:
        parts.append(f"- the registry, which knows what datasets there are: `{storage.registry_name}`")
    if storage.files_inside:
        rows += f"| `{FILES}/` | {_DATASETS} |\n"
    else:
        parts.append(f"- the files: `{storage.files}`")
    whole = _PARTLY.format(parts="\n".join(parts)) if parts else _ALL_HERE
    return _TEXT.format(label=label, places=rows, whole=whole)
