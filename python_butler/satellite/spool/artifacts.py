"""Artifacts of spooled datasets: written with upstream's formatters, made durable, moved, removed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from lsst.daf.butler import (
    DatasetProvenance,
    DatasetRef,
    DatasetType,
    DatasetTypeNotSupportedError,
    FileDescriptor,
    Formatter,
    FormatterV1inV2,
    FormatterV2,
    Location,
    LocationFactory,
)
from lsst.daf.butler.datastore.file_templates import FileTemplate
from lsst.daf.butler.datastores.fileDatastore import FileDatastore
from lsst.resources import ResourcePath

from ..durable import at_once, make_directory, remove, share, sync
from .slip import SPOOLED, Slip, SpooledFile

__all__ = ["clear", "discard", "paths_to_sync", "settle", "unsettle", "write"]

_PARQUET = "lsst.daf.butler.formatters.parquet.ParquetFormatter"


def write(
    datastore: FileDatastore, obj: Any, ref: DatasetRef, provenance: DatasetProvenance | None
) -> tuple[SpooledFile, ...]:
    """Write a dataset's files as the datastore would, but beside its other files. Not durable yet.

    Parameters
    ----------
    datastore : `lsst.daf.butler.datastores.fileDatastore.FileDatastore`
        The datastore of the satellite's own files.
    obj : `object`
        The dataset.
    ref : `lsst.daf.butler.DatasetRef`
        Its reference, with the storage class that the registry has for its type.
    provenance : `lsst.daf.butler.DatasetProvenance` or `None`
        What the formatter may write into the file.

    Returns
    -------
    files : `tuple` [`SpooledFile`]
        What was written. If writing fails nothing is left.

    Raises
    ------
    lsst.daf.butler.DatasetTypeNotSupportedError
        If the datastore is configured not to take it.
    TypeError
        If the object is not, and cannot be made, what the storage class is for.
    RuntimeError
        If the formatter fails; its cause tells why.
    """
    if not datastore.constraints.isAcceptable(ref):
        raise DatasetTypeNotSupportedError(
            f"Dataset {ref} has been rejected by this datastore via configuration."
        )
    if not datastore.composites.shouldBeDisassembled(ref):
        return (_write(datastore, obj, ref, provenance),)
    delegate = ref.datasetType.storageClass.delegate()
    parts = delegate.disassemble(delegate.add_provenance(obj, ref, provenance=provenance))
    if parts is None:
        raise RuntimeError(f"{ref.datasetType.name} is configured to be disassembled, but cannot be.")
    files: list[SpooledFile] = []
    try:
        for name, part in parts.items():
            files.append(_write(datastore, part.component, ref.makeComponentRef(name), None))
    except BaseException:
        discard(datastore.root, files)
        raise
    return tuple(files)


def paths_to_sync(root: ResourcePath, files: Iterable[SpooledFile]) -> list[Path]:
    """Tell which spooled files must be made durable.

    Parameters
    ----------
    root : `lsst.resources.ResourcePath`
        The datastore's root.
    files : iterable of `SpooledFile`
        Files that were written.

    Returns
    -------
    paths : `list` [`pathlib.Path`]
        Their paths; none in an object store, where what is written is durable.
    """
    if not root.isLocal:
        return []
    return [_path(root, file.spooled) for file in files]


def settle(root: ResourcePath, slips: Iterable[Slip], *, keep: bool) -> Iterator[Slip]:
    """Put the files of datasets where their records say, durably; what is there already may stay.

    To be called when the registry has the datasets but can still take them back: then no other dataset
    can have these places.

    Parameters
    ----------
    root : `lsst.resources.ResourcePath`
        The datastore's root.
    slips : iterable of `Slip`
        The datasets.
    keep : `bool`
        Whether the files must also be found where they were until `clear` is called.

    Yields
    ------
    slip : `Slip`
        A dataset one of whose files is nowhere.
    """
    if not root.isLocal:
        yield from _settle_remotely(root, slips)
        return
    base = Path(root.ospath)
    directories: set[Path] = set()
    known: set[Path] = set()
    for slip in slips:
        for file in slip.files:
            source, target = _path(root, file.spooled), _path(root, file.path)
            if target.parent not in known:
                directories.update(make_directory(target.parent, base))
                known.add(target.parent)
            directories.add(target.parent)
            if not _move(source, target, keep=keep) and not _is(target, file):
                yield slip
                break
    sync((), directories)


def unsettle(root: ResourcePath, slips: Iterable[Slip]) -> None:
    """Take `settle` back, if it did not keep the files where they were.

    Parameters
    ----------
    root : `lsst.resources.ResourcePath`
        The datastore's root.
    slips : iterable of `Slip`
        The datasets.
    """
    if not root.isLocal:
        return
    for slip in slips:
        for file in slip.files:
            if _is(_path(root, file.path), file):
                _rename(_path(root, file.path), _path(root, file.spooled))


def clear(root: ResourcePath, slips: Iterable[Slip]) -> None:
    """Remove what is left of spooled files when their datasets are committed.

    Parameters
    ----------
    root : `lsst.resources.ResourcePath`
        The datastore's root.
    slips : iterable of `Slip`
        The datasets.
    """
    discard(root, [file for slip in slips for file in slip.files])


def discard(root: ResourcePath, files: Iterable[SpooledFile], *, settled: bool = False) -> None:
    """Remove spooled files of datasets that nobody wants.

    Parameters
    ----------
    root : `lsst.resources.ResourcePath`
        The datastore's root.
    files : iterable of `SpooledFile`
        The files.
    settled : `bool`, optional
        Whether they may be where they should have gone: then they are removed there if they certainly
        are these.
    """
    if not root.isLocal:
        at_once([partial(_remove_remotely, root, file) for file in files])
        return
    files = list(files)
    paths = [_path(root, file.spooled) for file in files]
    if settled:
        targets = [(_path(root, file.path), file) for file in files]
        paths += [path for path, file in targets if file.inode and _is(path, file)]
    remove(paths)


def _write(
    datastore: FileDatastore, obj: Any, ref: DatasetRef, provenance: DatasetProvenance | None
) -> SpooledFile:
    # What FileDatastore.put does, with the public parts of it, but for the place.
    way = _way(datastore, ref)
    component = ref.datasetType.component()
    storage_class = ref.datasetType.storageClass
    name = f"{SPOOLED}/{ref.id}" + (f"-{component}" if component else "")
    location = datastore.locationFactory.fromPath(name, trusted_path=True)
    formatter = way.formatter(
        FileDescriptor(location, storageClass=storage_class, component=component),
        dataId=ref.dataId,
        ref=ref,
        **way.options,
    )
    if not formatter.can_accept(obj):
        obj = storage_class.coerce_type(obj)
        if not isinstance(obj, storage_class.pytype):
            raise TypeError(
                f"Inconsistency between supplied object ({type(obj)}) "
                f"and storage class type ({storage_class.pytype})"
            )
    location = formatter.make_updated_location(location)
    target = way.template.format(ref)
    if "." in target or "%" in target:
        # What upstream takes for an extension is replaced, not added to; and it may have to encode.
        plain = datastore.locationFactory.fromPath(target, trusted_path=True)
        target = formatter.make_updated_location(plain).pathInStore.path
    else:
        target += location.getExtension()
    # It takes a while to tell where that is.
    path = Path(location.uri.ospath) if location.uri.isLocal else None
    try:
        _serialise(datastore, formatter, obj, ref, location.uri, path, provenance)
        size, inode = _measure(location, path)
        checksum = datastore.computeChecksum(location.uri) if datastore.useChecksum else None
    except BaseException as error:
        with contextlib.suppress(OSError):
            location.uri.remove()
        if isinstance(error, OSError) or not isinstance(error, Exception):
            raise
        raise RuntimeError(
            f"Failed to serialize dataset {ref} of type {type(obj).__qualname__} "
            f"using formatter {formatter.name()}."
        ) from error
    return SpooledFile(
        spooled=location.pathInStore.path,
        path=target,
        formatter=formatter.name(),
        storage_class=storage_class.name,
        component=component,
        checksum=checksum,
        size=size,
        inode=inode,
    )


@dataclass(frozen=True)
class _Way:
    """How a datastore writes datasets of one type and one instrument."""

    template: FileTemplate
    """Where files go."""

    formatter: type[Formatter | FormatterV2]
    options: Mapping[str, Any]
    """What the formatter is told, as the datastore is configured."""


_ways: WeakKeyDictionary[FileDatastore, dict[tuple[DatasetType, Any], _Way]] = WeakKeyDictionary()
"""What was found out before: the configuration of a datastore stays the same."""


def _way(datastore: FileDatastore, ref: DatasetRef) -> _Way:
    known = _ways.setdefault(datastore, {})
    key = ref.datasetType, ref.dataId.get("instrument")
    if key not in known:
        try:
            template = datastore.templates.getTemplate(ref)
        except KeyError as error:
            raise DatasetTypeNotSupportedError(f"Unable to find template for {ref}") from error
        template.validateTemplate(ref.datasetType)
        try:
            _, formatter, options = datastore.formatterFactory.getFormatterClassWithMatch(ref)
        except KeyError as error:
            raise DatasetTypeNotSupportedError(
                f"Unable to find formatter for {ref} in datastore {datastore.name}"
            ) from error
        known[key] = _Way(template, formatter, options)
    return known[key]


def _serialise(
    datastore: FileDatastore,
    formatter: Formatter | FormatterV2,
    obj: Any,
    ref: DatasetRef,
    uri: ResourcePath,
    path: Path | None,
    provenance: DatasetProvenance | None,
) -> None:
    if isinstance(formatter, Formatter):
        formatter = FormatterV1inV2(
            formatter.file_descriptor,
            ref=ref,
            formatter=formatter,
            write_parameters=formatter.write_parameters,
            write_recipes=formatter.write_recipes,
        )
    if path is not None and (changed := make_directory(path.parent, Path(datastore.root.ospath))):
        sync((), changed)
    if path is not None and type(formatter).write is FormatterV2.write:
        # Nobody looks there before it is complete: upstream's temporary file and its renaming, and the
        # search for the directory, would take as long as writing a small table.
        obj = formatter.add_provenance(obj, provenance=provenance)
        formatter.write_local_file(_ready(obj) if formatter.name() == _PARQUET else obj, uri)
    else:
        formatter.write(obj, cache_manager=datastore.cacheManager, provenance=provenance)


def _ready(obj: Any) -> Any:
    # Who does not use astropy's tables need not import them.
    if type(obj).__module__ != "astropy.table.table":
        return obj
    from .tables import ready

    return ready(obj)


def _measure(location: Location, path: Path | None) -> tuple[int, int | None]:
    if path is None:
        return location.uri.size(), None
    status = share(path)
    return status.st_size, status.st_ino


def _path(root: ResourcePath, path: str) -> Path:
    """Where a local file is, from its path in a record."""
    return Path(_uri(root, path).ospath) if "%" in path else Path(root.ospath, path)


def _uri(root: ResourcePath, path: str) -> ResourcePath:
    # As the datastore does it, which cannot always tell whether a percent sign is one.
    uri = ResourcePath(path, forceAbsolute=False, forceDirectory=False)
    return LocationFactory(root).from_uri(uri, trusted_path=True).uri


def _move(source: Path, target: Path, *, keep: bool) -> bool:
    """Give a file its final name; say whether there was one to be given."""
    if not keep:
        return _rename(source, target)
    try:
        os.link(source, target)
    except FileNotFoundError:
        return False
    except FileExistsError:
        with contextlib.suppress(FileNotFoundError):
            if source.samefile(target):
                return True
        # Somebody's who was interrupted: the registry has no dataset there.
        return _rename(source, target)
    except OSError:
        return _rename(source, target)
    return True


def _rename(source: Path, target: Path) -> bool:
    try:
        source.rename(target)
    except FileNotFoundError:
        return False
    return True


def _is(path: Path, file: SpooledFile) -> bool:
    try:
        status = path.stat()
    except OSError:
        return False
    return (status.st_size, status.st_ino) == (file.size, file.inode)


def _settle_remotely(root: ResourcePath, slips: Iterable[Slip]) -> Iterator[Slip]:
    missing: list[Slip] = []

    def copy(slip: Slip) -> None:
        for file in slip.files:
            source, target = _uri(root, file.spooled), _uri(root, file.path)
            try:
                target.transfer_from(source, transfer="copy", overwrite=True)
            except FileNotFoundError:
                if not target.exists() or target.size() != file.size:
                    missing.append(slip)

    at_once([partial(copy, slip) for slip in slips])
    yield from missing


def _remove_remotely(root: ResourcePath, file: SpooledFile) -> None:
    with contextlib.suppress(FileNotFoundError):
        _uri(root, file.spooled).remove()
