"""The routes about words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

from fastapi import Query

from ...errors import BackendUnavailableError, InvalidRequestError
from ..models import RepositoryKind
from ..routing import Kind, Label, TheService, new_router
from ..service import Service
from .models import CompletionList, CompletionTopic, Vocabulary

if TYPE_CHECKING:
    from ..repository import BrowsedRepository, QueryWatcher
    from ..streaming import Sink

__all__ = ["MAX_COMPLETIONS", "router"]

MAX_COMPLETIONS = 1_000
"""Most words in one answer."""

router = new_router()


@router.get("/repositories/{kind}/{label}/vocabulary")
async def get_vocabulary(service: TheService, kind: Kind, label: Label) -> Vocabulary:
    """Tell of what expressions about a repository may be made."""

    def work(repository: BrowsedRepository, watcher: QueryWatcher) -> Vocabulary:
        from .words import describe_vocabulary

        return describe_vocabulary(repository, watcher)

    return await _politely(service, kind, label, work)


@router.get("/repositories/{kind}/{label}/vocabulary/complete")
async def complete(
    service: TheService,
    kind: Kind,
    label: Label,
    what: CompletionTopic,
    prefix: Annotated[
        str, Query(max_length=200, description="How it begins, or for texts what is in it.")
    ] = "",
    collection: Annotated[
        list[str] | None, Query(description="Of dataset types: only those present in one of these.")
    ] = None,
    column: Annotated[
        str, Query(description="Of values: a dimension, or a field of one such as `visit.target_name`.")
    ] = "",
    data_id: Annotated[
        list[str] | None, Query(description="Of values: what is known already, as `instrument=LSSTCam`.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_COMPLETIONS)] = 100,
) -> CompletionList:
    """Tell what a word begun may become; bounded and remembered."""
    known = dict(_pair(one) for one in data_id or ())

    def short(repository: BrowsedRepository) -> CompletionList:
        from .completions import complete_collection, complete_dataset_type

        if what is CompletionTopic.COLLECTION:
            return complete_collection(repository, prefix, limit)
        return complete_dataset_type(repository, prefix, collection or (), limit)

    def long(repository: BrowsedRepository, watcher: QueryWatcher) -> CompletionList:
        from .completions import complete_value

        return complete_value(repository, watcher, column, prefix, known, limit)

    if what is CompletionTopic.VALUE:
        return await _politely(service, kind, label, long)
    return await service.ask(kind, label, short)


async def _politely[T](
    service: Service, kind: RepositoryKind, label: str, work: Callable[[BrowsedRepository, QueryWatcher], T]
) -> T:
    """Have a question answered that is a streaming query for an official server, when no other one runs."""
    outcome: list[T | Exception] = []

    def produce(repository: BrowsedRepository, sink: Sink) -> None:
        try:
            outcome.append(work(repository, sink))
        except Exception as error:
            outcome.append(error)

    stream = await service.stream(kind, label, produce, polite=True)
    async for _ in stream.lines():
        pass
    if not outcome or stream.superseded:
        raise BackendUnavailableError("A query of yours came first.", "Ask again.")
    (result,) = outcome
    if isinstance(result, Exception):
        raise result
    return result


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidRequestError(f"{text!r} is no value of a dimension.", "Write it as dimension=value.")
    return name, value
