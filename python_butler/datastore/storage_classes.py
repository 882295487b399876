"""Storage classes that upstream does not have, or cannot read: known wherever a satellite is opened.

The datastore of a satellite registers them, so that no configuration has to name them and satellites
that were made before there were any have them too.
"""

from __future__ import annotations

from lsst.daf.butler import FormatterFactory, StorageClass, StorageClassFactory

__all__ = ["FORMATTERS", "MODEL", "STORAGE_CLASSES", "register_formatters", "register_storage_classes"]

MODEL = "PydanticModel"
"""Storage class of pydantic models."""

_JSON = "lsst.daf.butler.formatters.json.JsonFormatter"
_YAML = "lsst.daf.butler.formatters.yaml.YamlFormatter"
_DELEGATE = "lsst.daf.butler.StorageClassDelegate"
_OURS = f"{__package__}.formatters"

# As upstream names the one of integers.
STORAGE_CLASSES = {"str": "str", "float": "float", "bool": "bool", MODEL: "pydantic.BaseModel"}
"""Names of those that upstream does not have, and their Python types."""

FORMATTERS = {
    "str": _JSON,
    "float": _JSON,
    "bool": _JSON,
    MODEL: f"{_OURS}.ModelFormatter",
    # Upstream's figures can be written only, and it has no formatter for lists.
    "Plot": f"{_OURS}.FigureFormatter",
    "StructuredDataList": _YAML,
}
"""For storage classes, the formatter that satellites write them with."""


def register_storage_classes() -> None:
    """Make upstream know the storage classes; harmless if it does."""
    factory = StorageClassFactory()
    for name, python_type in STORAGE_CLASSES.items():
        if name not in factory:
            # As upstream makes one of a configuration: it refuses any other of the same name.
            factory.registerStorageClass(StorageClass(name, python_type, delegate=_DELEGATE))


def register_formatters(formatters: FormatterFactory) -> None:
    """Make a datastore write the storage classes.

    Parameters
    ----------
    formatters : `lsst.daf.butler.FormatterFactory`
        The datastore's.
    """
    for storage_class, formatter in FORMATTERS.items():
        formatters.registerFormatter(storage_class, formatter, overwrite=True)
