"""Upstream's own query tests, run on one Butler over two repositories.

The official side is upstream's own server application, called in this process: each of these tests
wants a repository of its own, and a server process for each would take minutes.
"""

from __future__ import annotations

import unittest
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from lsst.daf.butler import Butler
from lsst.daf.butler.registry import RegistryDefaults
from lsst.daf.butler.tests.butler_queries import ButlerQueryTests
from lsst.daf.butler.tests.server import TestServerInstance, create_test_server

from python_butler.federation import SatelliteButler
from python_butler.federation.shared import Shared

SERVER_CONFIG = "datastore:\n  root: s3://mutable-bucket/\n"


@contextmanager
def server() -> Iterator[TestServerInstance]:
    with TemporaryDirectory() as directory:
        config = Path(directory) / "config" / "basic" / "server.yaml"
        config.parent.mkdir(parents=True)
        config.write_text(SERVER_CONFIG)
        with create_test_server(directory) as instance:
            yield instance


class FederatedQueryTests(ButlerQueryTests):
    """Runs upstream's tests; subclasses say where the data is."""

    data_dir: ClassVar[str] = ""

    def setUp(self) -> None:
        self.stack = ExitStack()
        self.addCleanup(self.stack.close)
        self.server = self.stack.enter_context(server())
        root = Path(self.stack.enter_context(TemporaryDirectory())) / "dp2"
        self.shared = Shared("dp2", self.server.remote_butler, root, memory_seconds=600)
        self.butler = SatelliteButler(self.shared, defaults=RegistryDefaults(), writeable=True)
        self.stack.enter_context(self.butler)

    def make_butler(self, *args: str) -> Butler:
        for filename in args:
            for home in self.homes(filename):
                self.load_data(home, filename)
        self.shared.forget_official()
        self.butler.registry.refresh()
        return self.butler

    def homes(self, filename: str) -> list[Butler]:
        raise NotImplementedError


class AllOfficialTestCase(FederatedQueryTests, unittest.TestCase):
    """What is loaded is official; what a test adds goes to the satellite."""

    def homes(self, filename: str) -> list[Butler]:
        return [self.server.direct_butler]


class AllPersonalTestCase(FederatedQueryTests, unittest.TestCase):
    """The official repository is empty."""

    def homes(self, filename: str) -> list[Butler]:
        return [self.butler]


class SplitTestCase(FederatedQueryTests, unittest.TestCase):
    """Datasets are personal, dimension records are on both sides."""

    def homes(self, filename: str) -> list[Butler]:
        if "datasets" in filename:
            return [self.butler]
        return [self.server.direct_butler, self.butler]


class PartialSplitTestCase(FederatedQueryTests, unittest.TestCase):
    """Datasets are personal, and the satellite has only the dimension records that they brought."""

    def homes(self, filename: str) -> list[Butler]:
        if "datasets" not in filename:
            return [self.server.direct_butler]
        # An import is one transaction, in which dataset types cannot be brought.
        for dataset_type in self.server.direct_butler.registry.queryDatasetTypes():
            self.butler.registry.registerDatasetType(dataset_type)
        return [self.butler]


del FederatedQueryTests, ButlerQueryTests
