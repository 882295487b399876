"""Formatters that upstream does not have: figures that can be read back, and any pydantic model."""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from typing import Any, override

import pydantic
from lsst.daf.butler import FormatterV2
from lsst.daf.butler.formatters.matplotlib import MatplotlibFormatter
from lsst.resources import ResourcePath

__all__ = ["FigureFormatter", "ModelFormatter"]


class FigureFormatter(MatplotlibFormatter):
    """Figures as PNG images, which every viewer shows.

    What is read back is a figure of the same size that shows the image: axes and lines are part of the
    image, and can no longer be changed.
    """

    can_read_from_local_file = True

    @override
    def read_from_local_file(self, path: str, component: str | None = None, expected_size: int = -1) -> Any:
        from matplotlib.figure import Figure
        from matplotlib.image import imread

        pixels = imread(path, format="png")
        height, width = pixels.shape[:2]
        dots = 100.0
        # Not pyplot's: that would show it, and keep it.
        figure = Figure(figsize=(width / dots, height / dots), dpi=dots)
        figure.figimage(pixels)
        return figure


class ModelFormatter(FormatterV2):
    """Pydantic models as JSON, together with the name of their class.

    Whoever reads it must be able to import the class; otherwise a model without rules is given that has
    the same values as attributes.
    """

    default_extension = ".json"
    can_read_from_uri = True

    @override
    def can_accept(self, in_memory_dataset: Any) -> bool:
        return isinstance(in_memory_dataset, pydantic.BaseModel)

    @override
    def to_bytes(self, in_memory_dataset: Any) -> bytes:
        kind = type(in_memory_dataset)
        document = {
            "model": f"{kind.__module__}:{kind.__qualname__}",
            "data": in_memory_dataset.model_dump(mode="json", round_trip=True),
        }
        return json.dumps(document, ensure_ascii=False).encode()

    @override
    def read_from_uri(self, uri: ResourcePath, component: str | None = None, expected_size: int = -1) -> Any:
        document = json.loads(uri.read())
        data = document["data"]
        kind = _find(document["model"])
        if kind is not None:
            # As JSON: strict models take texts for times and the like from there only.
            return kind.model_validate_json(json.dumps(data))
        warnings.warn(
            f"The class {document['model']} cannot be found here: its values come as attributes of a model "
            "without rules.",
            stacklevel=2,
        )
        name = document["model"].rpartition(":")[2].rpartition(".")[2]
        values = data if isinstance(data, dict) else {"root": data}
        loose: Any = pydantic.create_model(name, __config__=pydantic.ConfigDict(extra="allow"))
        return loose(**values)


def _find(name: str) -> type[pydantic.BaseModel] | None:
    module_name, _, qualified = name.partition(":")
    try:
        found: Any = sys.modules.get(module_name) or importlib.import_module(module_name)
        for part in qualified.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return None
    # Nothing but a model is ever made of what a file says.
    return found if isinstance(found, type) and issubclass(found, pydantic.BaseModel) else None
