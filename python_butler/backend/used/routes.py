"""The route of datasets that were used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..routing import Kind, Label, TheService, new_router
from .models import UsedList, UsedQuestion

if TYPE_CHECKING:
    from ..repository import BrowsedRepository

__all__ = ["router"]

router = new_router()


@router.post("/repositories/{kind}/{label}/used")
async def check_used(service: TheService, kind: Kind, label: Label, question: UsedQuestion) -> UsedList:
    """Tell of datasets whether they are still there, and what their collection gives instead."""

    def work(repository: BrowsedRepository) -> UsedList:
        from .checking import check

        return check(repository, question)

    return await service.ask(kind, label, work)
