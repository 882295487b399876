"""The API as an OpenAPI document: ``python -m python_butler.backend.openapi [--check]``.

The document is committed, the TypeScript types are made from it, and a check fails when it drifts from the
models and routes. Needs no lsst package.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from .routers import BODIES, ROUTERS, STREAMS
from .streaming import NDJSON

__all__ = ["DOCUMENT", "describe", "main", "render"]

DOCUMENT = Path(__file__).with_name("openapi.json")
"""Where the committed document is."""

_API_VERSION = "1"
_REF = "#/components/schemas/{model}"


def describe() -> dict[str, Any]:
    """Describe the API.

    Returns
    -------
    document : `dict`
        The OpenAPI document.
    """
    app = FastAPI(
        title="python-butler backend",
        version=_API_VERSION,
        generate_unique_id_function=lambda route: route.name,
    )
    for router in ROUTERS:
        app.include_router(router)
    document = app.openapi()
    schemas = document["components"]["schemas"]
    # Invalid requests are answered with an ErrorReport like all others, never with FastAPI's own body.
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    _add_events(document)
    _add_bodies(document)
    return document


def _add_events(document: dict[str, Any]) -> None:
    """Add what FastAPI cannot know: the events in a stream's lines."""
    schemas = document["components"]["schemas"]
    for (verb, path), (name, events) in STREAMS.items():
        union = events.json_schema(ref_template=_REF, mode="serialization")
        schemas.update(union.pop("$defs"))
        schemas[name] = {
            "title": name,
            "description": "One line of a stream; the last line is always an end or an error.",
            **union,
        }
        answer = document["paths"][path][verb]["responses"]["200"]
        answer["content"] = {NDJSON: {"schema": {"$ref": _REF.format(model=name)}}}


def _add_bodies(document: dict[str, Any]) -> None:
    """Add what comes before the bytes of answers that are no documents."""
    schemas = document["components"]["schemas"]
    for (verb, path), (name, body) in BODIES.items():
        schema = body.json_schema(ref_template=_REF, mode="serialization")
        schemas.update(schema.pop("$defs", {}))
        schemas[name] = schema
        for content in document["paths"][path][verb]["responses"]["200"]["content"].values():
            content["schema"] = {"$ref": _REF.format(model=name)}


def render() -> str:
    """Render the document as it is committed.

    Returns
    -------
    text : `str`
        Sorted, indented JSON with a final newline.
    """
    return json.dumps(describe(), indent=2, sort_keys=True) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the document, or check that the committed one is the same.

    Parameters
    ----------
    arguments : `list` [`str`], optional
        Command line without the program's name.

    Returns
    -------
    status : `int`
        0, or 1 if ``--check`` found a difference.
    """
    parser = argparse.ArgumentParser(prog="python -m python_butler.backend.openapi", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare with the committed document")
    options = parser.parse_args(arguments)
    text = render()
    if not options.check:
        DOCUMENT.write_text(text)
        return 0
    if DOCUMENT.exists() and DOCUMENT.read_text() == text:
        return 0
    sys.stderr.write(f"{DOCUMENT.name} has drifted: run python -m python_butler.backend.openapi\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
