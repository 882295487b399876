"""``satellite usage``: what takes how much room, and how much there is."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..words import counted
from .output import json_option, number, print_json, print_table, size
from .satellites import label_argument, root_option

if TYPE_CHECKING:
    from ..satellite.usage.models import Amount, CollectionUsage, Shares, Usage
    from ..satellite.usage.quota import Volume

__all__ = ["usage"]

_ROWS = 15
_VERSIONS = 5
_BAR = 12


@click.command("usage")
@label_argument
@root_option
@click.option("--all", "everything", is_flag=True, help="Show all collections, versions and dataset types.")
@json_option
def usage(label: str, root: Path | None, everything: bool, as_json: bool) -> None:
    """Tell what takes how much room in your satellite of the official repository LABEL.

    References take none; their size is that of the official files. No server is asked.
    """
    from ..satellite import Satellite

    found = Satellite.open(label, root).usage()
    if as_json:
        print_json({**found.model_dump(mode="json"), "bytes": found.bytes})
        return
    rows, versions = (sys.maxsize, sys.maxsize) if everything else (_ROWS, _VERSIONS)
    click.echo(f"Satellite of {label} in {found.root}")
    _own(found, rows, versions)
    _official(found, rows)
    _types(found, rows)
    _sum(found)
    for line in _room(found):
        click.echo(line)


def _own(found: Usage, rows: int, versions: int) -> None:
    mine = [each for each in found.collections if _has(each.total.own) or each.versions]
    if not mine:
        return
    click.echo("\nYour own datasets")
    whole = found.total.own.bytes
    lines: list[tuple[str, ...]] = []
    for each in mine[:rows]:
        lines.append((each.name, *_amount(each.total.own), _share(each.total.own.bytes, whole), ""))
        lines += _versions(each, versions, whole)
    if len(mine) > rows:
        lines.append(_rest("collections", [each.total.own for each in mine[rows:]], whole))
    columns = ("collection", "datasets", "size", "", "written")
    print_table(columns, lines, right=("datasets", "size"))


def _versions(each: CollectionUsage, shown: int, whole: int) -> Iterator[tuple[str, ...]]:
    for version in each.versions[:shown]:
        own = version.total.own
        written = version.written.strftime("%Y-%m-%d") if version.written else ""
        yield f"  v{version.number}", *_amount(own), _share(own.bytes, whole), written
    if len(each.versions) > shown:
        name, *rest = _rest("older versions", [v.total.own for v in each.versions[shown:]], whole)
        yield f"  {name}", *rest


def _rest(what: str, amounts: Sequence[Amount], whole: int) -> tuple[str, ...]:
    datasets = sum(amount.datasets for amount in amounts)
    count = sum(amount.bytes for amount in amounts)
    return f"{number(len(amounts))} {what}", number(datasets), size(count), _share(count, whole), ""


def _official(found: Usage, rows: int) -> None:
    theirs = [each for each in found.collections if _is_official(each.total)]
    if not theirs:
        return
    click.echo("\nOfficial datasets")
    lines: list[tuple[str, ...]] = [(each.name, *_official_amounts(each.total)) for each in theirs[:rows]]
    if len(theirs) > rows:
        lines.append(_official_rest(theirs[rows:]))
    columns = ("collection", "pinned", "size", "referenced", "official size")
    print_table(columns, lines, right=columns[1:])


def _official_rest(rest: Sequence[CollectionUsage]) -> tuple[str, ...]:
    cells = [f"{number(len(rest))} collections"]
    for amounts in ([each.total.pinned for each in rest], [each.total.referenced for each in rest]):
        cells.append(number(sum(amount.datasets for amount in amounts)))
        cells.append(size(sum(amount.bytes for amount in amounts)))
    return tuple(cells)


def _types(found: Usage, rows: int) -> None:
    if not found.dataset_types:
        return
    click.echo("\nDataset types")
    lines: list[tuple[str, ...]] = [
        (each.name, *_amount(each.total.own), *_official_amounts(each.total))
        for each in found.dataset_types[:rows]
    ]
    if len(found.dataset_types) > rows:
        lines.append((f"{number(len(found.dataset_types) - rows)} others", *[""] * 6))
    columns = ("dataset type", "own", "size", "pinned", "size", "referenced", "official size")
    print_table(columns, lines, right=columns[1:])


def _sum(found: Usage) -> None:
    rows = [
        ("own datasets", *_amount(found.total.own)),
        ("pinned copies", *_amount(found.total.pinned)),
        ("spool", *_amount(found.spool)),
        *(
            (f"open batch {each.name or each.id}", number(each.datasets), size(each.bytes))
            for each in found.batches
        ),
        ("trash", *_amount(found.trash)),
        ("unfinished downloads", "", size(found.unfinished_bytes)),
        ("database", "", size(found.database_bytes)),
        ("together", "", size(found.bytes)),
    ]
    click.echo("\nTogether")
    shown = [row for row in rows if row[0] in ("database", "together") or row[2] not in ("", "0 B")]
    print_table(("", "datasets", "size"), shown, right=("datasets", "size"))


def _room(found: Usage) -> Iterator[str]:
    elsewhere = found.total.elsewhere
    if elsewhere.datasets:
        yield (
            f"Not counted: {counted(elsewhere.datasets, 'dataset')} of your own with files elsewhere "
            f"({size(elsewhere.bytes)})."
        )
    unknown = sum(amount.unknown for amount in (found.total.own, found.total.pinned))
    if unknown:
        yield f"Not counted: {counted(unknown, 'dataset')} of unknown size."
    if found.volume is None:
        yield "How much room there is cannot be told."
    else:
        yield from _volume(found.volume, found.bytes)
    if found.files_volume is not None:
        yield from _volume(found.files_volume, found.total.bytes)
    elif "://" in found.storage:
        yield f"The files of datasets are in {found.storage}."


def _volume(volume: Volume, mine: int) -> Iterator[str]:
    yield (
        f"{volume.mounted_at}: {size(volume.free)} of {size(volume.size)} are free, says the file system. "
        "It may not know of a quota."
    )
    for quota in volume.quotas:
        if quota.used is None:
            yield (
                f"Your quota is {size(quota.bytes)}, says {quota.source}; the satellite takes "
                f"{_percent(mine, quota.bytes)} of it. What else you have there is not counted."
            )
        else:
            yield (
                f"Your quota is {size(quota.bytes)}, of which {size(quota.used)} are used "
                f"({_percent(quota.used, quota.bytes)}), says the {quota.source}."
            )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.3g} %" if whole else "all"


def _is_official(shares: Shares) -> bool:
    return _has(shares.pinned) or _has(shares.referenced)


def _has(amount: Amount) -> bool:
    return amount.datasets > 0


def _amount(amount: Amount) -> tuple[str, str]:
    return (number(amount.datasets), size(amount.bytes)) if _has(amount) else ("", "")


def _official_amounts(shares: Shares) -> tuple[str, str, str, str]:
    return *_amount(shares.pinned), *_amount(shares.referenced)


def _share(part: int, whole: int) -> str:
    """A bar, for a person on a terminal only."""
    if not sys.stdout.isatty() or not whole or not part:
        return ""
    eighths = max(round(_BAR * 8 * part / whole), 1)
    return "█" * (eighths // 8) + ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")[eighths % 8]
