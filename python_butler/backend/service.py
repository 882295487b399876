"""What the routes ask for. Loads no lsst package before it has to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from .models import (
    BackendStatus,
    CollectionPage,
    DatasetCount,
    DatasetDetails,
    DatasetTypeList,
    Repository,
    RepositoryKind,
    RepositoryList,
    VersionList,
)

__all__ = ["Service"]


class Service:
    """Answers to the routes."""

    async def status(self) -> BackendStatus:
        raise NotImplementedError

    async def repositories(self) -> RepositoryList:
        raise NotImplementedError

    async def repository(self, kind: RepositoryKind, label: str) -> Repository:
        raise NotImplementedError

    async def collections(
        self, kind: RepositoryKind, label: str, parent: str | None, limit: int
    ) -> CollectionPage:
        raise NotImplementedError

    async def dataset_types(self, kind: RepositoryKind, label: str, collection: str) -> DatasetTypeList:
        raise NotImplementedError

    async def count(
        self, kind: RepositoryKind, label: str, collection: str, dataset_type: str
    ) -> DatasetCount:
        raise NotImplementedError

    async def datasets(
        self,
        kind: RepositoryKind,
        label: str,
        collection: str,
        dataset_type: str,
        limit: int,
        cursor: str | None,
    ) -> AsyncIterator[bytes]:
        raise NotImplementedError

    async def dataset(self, kind: RepositoryKind, label: str, dataset_id: UUID) -> DatasetDetails:
        raise NotImplementedError

    async def versions(self) -> VersionList:
        raise NotImplementedError
