"""A picture of a pipeline: for Mermaid by upstream, and as SVG, which everything shows by itself.

Upstream makes other pictures with a service on the network or a program that must be installed.
"""

from __future__ import annotations

import io
from html import escape
from typing import Any

import networkx
from lsst.pipe.base.pipeline_graph import NodeType, PipelineGraph
from lsst.pipe.base.pipeline_graph.visualization import show_mermaid

__all__ = ["mermaid", "svg"]

_HEIGHT, _GAP, _ROW, _MARGIN = 40, 24, 90, 16
_LETTER = 7.2
"""Width of a letter, in pixels, of the font below."""


def mermaid(graph: PipelineGraph) -> str:
    """Draw a pipeline for Mermaid, as notebooks and code forges show it.

    Parameters
    ----------
    graph : `lsst.pipe.base.pipeline_graph.PipelineGraph`
        The pipeline, with the dataset types of a repository.

    Returns
    -------
    text : `str`
        A flow chart.
    """
    text = io.StringIO()
    show_mermaid(graph, text, dataset_types=True)
    return text.getvalue()


def svg(graph: PipelineGraph) -> str:
    """Draw a pipeline from top to bottom: tasks are boxes, dataset types round.

    Parameters
    ----------
    graph : `lsst.pipe.base.pipeline_graph.PipelineGraph`
        The pipeline, with the dataset types of a repository.

    Returns
    -------
    text : `str`
        A document of its own.
    """
    drawn = graph.make_bipartite_xgraph(init=False)
    for node in list(drawn):
        # Logs, metadata and configurations are made for each task and used by none.
        if node.node_type is NodeType.DATASET_TYPE and not _is_told(graph, node.name):
            drawn.remove_node(node)
    rows = [sorted(row, key=str) for row in networkx.topological_generations(drawn)]
    # Below what it hangs on rather than across the picture.
    place: dict[object, float] = {}
    for row in rows:
        row.sort(key=lambda node: (_mean([place[before] for before in drawn.predecessors(node)]), str(node)))
        place |= {node: (number + 0.5) / len(row) for number, node in enumerate(row)}
    return _document(drawn, rows, {node: _lines(graph, node) for node in drawn})


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _is_told(graph: PipelineGraph, name: str) -> bool:
    if graph.consumers_of(name) or (producer := graph.producer_of(name)) is None:
        return True
    return name in {edge.parent_dataset_type_name for edge in producer.outputs.values()}


def _lines(graph: PipelineGraph, node: Any) -> tuple[str, str, bool]:
    # Upstream's keys of tasks and of dataset types have no common class.
    if node.node_type is NodeType.DATASET_TYPE:
        described = graph.dataset_types[node.name]
        return described.name, ", ".join(described.dimensions.required), False
    task = graph.tasks[node.name]
    return task.label, ", ".join(task.dimensions.required), True


def _document(
    drawn: networkx.MultiDiGraph, rows: list[list[object]], lines: dict[object, tuple[str, str, bool]]
) -> str:
    widths = {node: _LETTER * max(len(name), len(below)) + 24 for node, (name, below, _) in lines.items()}
    lengths = [sum(widths[node] for node in row) + _GAP * (len(row) - 1) for row in rows]
    whole = max(lengths, default=0) + 2 * _MARGIN
    centres: dict[object, tuple[float, float]] = {}
    boxes: list[str] = []
    for number, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        left, top = (whole - length) / 2, _MARGIN + number * _ROW
        for node in row:
            name, below, is_task = lines[node]
            centre = left + widths[node] / 2
            centres[node] = (centre, top)
            boxes.append(
                f'<rect x="{left:.0f}" y="{top}" width="{widths[node]:.0f}" height="{_HEIGHT}" '
                f'rx="{3 if is_task else 20}" class="{"task" if is_task else "type"}"/>'
                f'<text x="{centre:.0f}" y="{top + 17}" class="name">{escape(name)}</text>'
                f'<text x="{centre:.0f}" y="{top + 32}">{escape(below)}</text>'
            )
            left += widths[node] + _GAP
    edges = []
    for before, after, described in drawn.edges(data=True):
        (x, y), (to, bottom) = centres[before], centres[after]
        begin, bend = y + _HEIGHT, (bottom - y - _HEIGHT) / 2
        dashed = ' stroke-dasharray="4 3"' if described.get("is_prerequisite") else ""
        edges.append(
            f'<path d="M{x:.0f} {begin}C{x:.0f} {begin + bend:.0f} {to:.0f} {bottom - bend:.0f} '
            f'{to:.0f} {bottom}" marker-end="url(#end)"{dashed}/>'
        )
    height = 2 * _MARGIN + (len(rows) - 1) * _ROW + _HEIGHT if rows else 2 * _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole:.0f}" height="{height}" '
        f'viewBox="0 0 {whole:.0f} {height}" role="img"><title>Pipeline</title><style>'
        "svg{background:#fff}text{font:11px sans-serif;fill:#555;text-anchor:middle}"
        ".name{font:bold 12px sans-serif;fill:#111}path{fill:none;stroke:#666}"
        ".task{fill:#cfe3f5;stroke:#3572a5}.type{fill:#f3f3f3;stroke:#888}</style>"
        '<defs><marker id="end" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0 0L8 4L0 8z" style="fill:#666"/></marker></defs>'
        f"{''.join(edges)}{''.join(boxes)}</svg>\n"
    )
