"""All routers of the API, and the streams of events among them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import TypeAdapter

from . import routes
from .footprints import routes as footprints
from .footprints.models import FootprintEvent
from .jobs import routes as jobs
from .jobs.models import ChangeEvent, PlanEvent
from .models import DatasetEvent
from .previews import routes as previews
from .previews.images import models as image_models
from .previews.images import routes as images
from .previews.tables import routes as tables
from .provenance import routes as provenance
from .provenance.models import HoldingEvent
from .queries import routes as queries
from .runs import routes as runs
from .search import routes as search_routes
from .search.models import SearchEvent
from .used import routes as used
from .vocabulary import routes as vocabulary

__all__ = ["BODIES", "ROUTERS", "STREAMS"]

ROUTERS: tuple[APIRouter, ...] = (
    search_routes.router,
    routes.router,
    footprints.router,
    previews.router,
    provenance.router,
    queries.router,
    vocabulary.router,
    jobs.router,
    images.router,
    tables.router,
    used.router,
    runs.router,
)
"""In the order in which paths are tried."""

STREAMS: dict[tuple[str, str], tuple[str, TypeAdapter[Any]]] = {
    ("get", "/repositories/{kind}/{label}/datasets"): ("DatasetEvent", TypeAdapter(DatasetEvent)),
    ("get", "/repositories/{kind}/{label}/search"): ("SearchEvent", TypeAdapter(SearchEvent)),
    ("post", "/repositories/{kind}/{label}/footprints"): ("FootprintEvent", TypeAdapter(FootprintEvent)),
    ("post", "/repositories/{kind}/{label}/query"): ("DatasetEvent", TypeAdapter(DatasetEvent)),
    ("post", "/jobs/plan"): ("PlanEvent", TypeAdapter(PlanEvent)),
    ("get", "/jobs/{id}/events"): ("ChangeEvent", TypeAdapter(ChangeEvent)),
    ("get", "/changes"): ("ChangeEvent", TypeAdapter(ChangeEvent)),
    ("get", "/repositories/{kind}/{label}/datasets/{id}/collections"): (
        "HoldingEvent",
        TypeAdapter(HoldingEvent),
    ),
}
"""By verb and path: name and type of the events in the lines of the answer."""

BODIES: dict[tuple[str, str], tuple[str, TypeAdapter[Any]]] = {
    ("get", "/repositories/{kind}/{label}/datasets/{id}/image/region"): (
        "ImageRegion",
        TypeAdapter(image_models.ImageRegion),
    ),
}
"""By verb and path: name and type of the document that comes before the bytes of an answer."""
