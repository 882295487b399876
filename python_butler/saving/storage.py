"""Which storage class an object takes, so that what is read back is what was saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pydantic
from lsst.daf.butler import DatasetType, FormatterFactory, StorageClass, StorageClassFactory
from lsst.utils.introspection import get_full_type_name

from ..datastore.storage_classes import MODEL, register_storage_classes
from ..errors import InvalidRequestError

__all__ = ["Fitting", "fit", "fit_type", "supported"]

_SUPPORTED = (
    "astropy Table and QTable",
    "pandas DataFrame",
    "pyarrow Table",
    "numpy arrays",
    "dict and list of plain values, dict of numpy columns",
    "str, int, float and bool",
    "matplotlib Figure",
    "lsst.images types",
    "pydantic models",
)
_PLAIN = (str, int, float, bool, type(None))


@dataclass(frozen=True)
class Fitting:
    """An object as it is stored.

    Attributes
    ----------
    obj : `object`
        The object, or a plain form of it.
    storage_class : `lsst.daf.butler.StorageClass`
        The storage class that it takes.
    """

    obj: Any
    storage_class: StorageClass


def supported() -> str:
    """Say what can be saved without naming a storage class.

    Returns
    -------
    text : `str`
        A list in words.
    """
    return ", ".join(_SUPPORTED)


def fit(
    obj: Any, formatters: FormatterFactory | None, storage_class: str | StorageClass | None = None
) -> Fitting:
    """Choose the storage class of an object.

    Parameters
    ----------
    obj : `object`
        What is to be saved.
    formatters : `lsst.daf.butler.FormatterFactory` or `None`
        What the satellite can write with; `None` if nothing is to be written.
    storage_class : `str` or `lsst.daf.butler.StorageClass`, optional
        The one to take, if it is known already: by its user, or since there is a dataset type.

    Returns
    -------
    fitting : `Fitting`
        The object as it is stored.

    Raises
    ------
    InvalidRequestError
        If there is none, or the object does not fit the one that is given.
    """
    register_storage_classes()
    factory = StorageClassFactory()
    if storage_class is not None:
        return _fit_given(obj, factory, storage_class)
    name, plain = _choose(obj)
    if name is None:
        name = _exact(obj, factory, formatters)
    if name is None and isinstance(obj, pydantic.BaseModel):
        name = MODEL
    if name is None:
        raise InvalidRequestError(
            f"There is no storage class for objects of type {get_full_type_name(obj)}.",
            f"What can be saved: {supported()}; anything else with storage_class='<name>', where the name is "
            "one of butler.storageClasses.",
        )
    return Fitting(plain, factory.getStorageClass(name))


def fit_type(
    obj: Any,
    formatters: FormatterFactory | None,
    dataset_type: DatasetType,
    storage_class: str | StorageClass | None = None,
) -> Fitting:
    """Make sure that an object fits a dataset type.

    Parameters
    ----------
    obj : `object`
        What is to be saved.
    formatters : `lsst.daf.butler.FormatterFactory` or `None`
        What the satellite can write with; `None` if nothing is to be written.
    dataset_type : `lsst.daf.butler.DatasetType`
        The dataset type.
    storage_class : `str` or `lsst.daf.butler.StorageClass`, optional
        What the user calls for.

    Returns
    -------
    fitting : `Fitting`
        The object, with the storage class of the dataset type.

    Raises
    ------
    InvalidRequestError
        If it does not.
    """
    known = dataset_type.storageClass
    try:
        fitting = fit(obj, formatters, known if storage_class is None else storage_class)
    except InvalidRequestError as error:
        if storage_class is not None:
            raise
        raise InvalidRequestError(
            f"Dataset type {dataset_type.name!r} has the storage class {known.name}: {error.message}",
            "Save it under another name.",
        ) from None
    if not known.can_convert(fitting.storage_class):
        raise InvalidRequestError(
            f"Dataset type {dataset_type.name!r} has the storage class {known.name}, which "
            f"{fitting.storage_class.name} cannot be converted to.",
            "Save it under another name.",
        )
    return Fitting(fitting.obj, known)


def _fit_given(obj: Any, factory: StorageClassFactory, given: str | StorageClass) -> Fitting:
    if isinstance(given, str):
        try:
            given = factory.getStorageClass(given)
        except KeyError:
            raise InvalidRequestError(
                f"There is no storage class {given!r}.", "butler.storageClasses knows those that there are."
            ) from None
    obj = _plain_numbers(obj) if type(obj) in (dict, list) else obj
    try:
        # Upstream converts when it writes.
        fits = given.validateInstance(obj) or any(
            isinstance(obj, each) for each in given._get_converters_by_type()
        )
    except ImportError:
        raise InvalidRequestError(
            f"The storage class {given.name} needs {given._pytypeName}, which is not installed.",
            "Use a kernel with the science stack, or another storage class.",
        ) from None
    if not fits:
        raise InvalidRequestError(
            f"An object of type {get_full_type_name(obj)} cannot be stored as {given.name}.",
            f"That takes {given._pytypeName}; convert the object, or save it under another name.",
        )
    return Fitting(obj, given)


def _choose(obj: Any) -> tuple[str | None, Any]:
    """Storage class by what the object is made of, where its type alone does not tell."""
    if isinstance(obj, np.generic) and isinstance(obj.item(), _PLAIN):
        obj = obj.item()
    kind = type(obj)
    if kind in (str, int, float, bool):
        return kind.__name__, obj
    if isinstance(obj, np.ndarray):
        return _array(obj), obj
    if kind in (dict, list):
        if kind is dict and _is_columns(obj):
            return "ArrowNumpyDict", obj
        return ("StructuredDataDict" if kind is dict else "StructuredDataList"), _plain_numbers(obj)
    if get_full_type_name(kind) in ("astropy.table.Table", "astropy.table.table.Table"):
        return _table(obj), obj
    return None, obj


def _array(array: np.ndarray) -> str:
    is_table = array.dtype.names is not None and array.ndim == 1 and not isinstance(array, np.ma.MaskedArray)
    if is_table and type(array) in (np.ndarray, np.recarray):
        fields = [array.dtype[name] for name in array.dtype.names or ()]
        # Fields of fields, and of Python objects, are not for Parquet.
        if all(each.base.names is None and each.base.kind in "biufSUM" for each in fields):
            return "ArrowNumpy"
    return "NumpyArray"


def _table(table: Any) -> str:
    """Parquet for a table of numbers and texts; ECSV, which is slow, for times, coordinates and objects."""
    from astropy.table import Column, MaskedColumn

    simple = all(
        type(column) in (Column, MaskedColumn) and column.dtype.names is None and column.dtype.kind != "O"
        for column in table.columns.values()
    )
    return "ArrowAstropy" if simple else "AstropyTable"


def _is_columns(values: dict[Any, Any]) -> bool:
    columns = list(values.values())
    return (
        bool(columns)
        and all(isinstance(key, str) for key in values)
        and all(isinstance(each, np.ndarray) and each.ndim > 0 for each in columns)
        and len({len(each) for each in columns}) == 1
    )


def _plain_numbers(value: Any) -> Any:
    """Replace numpy's single numbers, at any depth, by Python's."""
    if isinstance(value, np.generic):
        return value.item()
    if type(value) is dict:
        return {_plain_numbers(key): _plain_numbers(each) for key, each in value.items()}
    if type(value) is list:
        return [_plain_numbers(each) for each in value]
    if isinstance(value, np.ndarray):
        raise InvalidRequestError(
            "A dictionary or list that holds an array among other things cannot be saved as it is.",
            "Save the array under a name of its own, put array.tolist() in its place, or save a dictionary "
            "of arrays of one length.",
        )
    return value


def _exact(obj: Any, factory: StorageClassFactory, formatters: FormatterFactory | None) -> str | None:
    """Storage class of exactly this type that the satellite has a formatter for."""
    for storage_class in _all(factory):
        writeable = formatters is None or storage_class.name in formatters
        if writeable and _is_of(storage_class, type(obj)):
            return storage_class.name
    return None


def _is_of(storage_class: StorageClass, kind: type) -> bool:
    if storage_class.is_type(kind):
        return True
    # The name under which it is declared may lead there through another module.
    if storage_class._pytypeName.rpartition(".")[2] != kind.__name__:
        return False
    try:
        return storage_class.pytype is kind
    except Exception:  # whatever importing it raises: the object is not of a package that cannot be had
        return False


def _all(factory: StorageClassFactory) -> list[StorageClass]:
    # Upstream has no public way to go through them.
    with factory._lock:
        return list(factory._storageClasses.values())
