"""Upstream's own registry tests, for the registry of one Butler over two repositories.

The official side is upstream's own server application, called in this process: each of these tests
wants a repository of its own, and a server process for each would take minutes.
"""

from __future__ import annotations

import time
import unittest
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier
from typing import Any

from lsst.daf.butler import Butler, CollectionType
from lsst.daf.butler.registry import RegistryDefaults
from lsst.daf.butler.registry.tests import RegistryTests
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


class FederatedRegistryTests(RegistryTests):
    """Runs upstream's tests; subclasses say where the data is."""

    def setUp(self) -> None:
        self.stack = ExitStack()
        self.addCleanup(self.stack.close)
        self.server = self.stack.enter_context(server())
        root = Path(self.stack.enter_context(TemporaryDirectory())) / "dp2"
        self.shared = Shared("dp2", self.server.remote_butler, root, memory_seconds=600)
        self.butler = SatelliteButler(self.shared, defaults=RegistryDefaults(), writeable=True)
        self.stack.enter_context(self.butler)

    def make_butler(self, registry_config: Any = None) -> Butler:
        return self.butler

    def load_data(self, butler: Butler, *filenames: str) -> None:
        for filename in filenames:
            for home in self.homes(filename):
                super().load_data(home, filename)
        self.shared.forget_official()
        self.butler.registry.refresh()

    def homes(self, filename: str) -> list[Butler]:
        raise NotImplementedError

    def testOpaque(self) -> None:
        raise unittest.SkipTest("Tables for datastores are a matter of a database registry alone.")

    def testAttributeManager(self) -> None:
        raise unittest.SkipTest("Schema versions are a matter of a database registry alone.")

    def _do_collection_concurrency_test(
        self, blocked_thread_func: Callable[[Butler], None], unblocked_thread_func: Callable[[Butler], None]
    ) -> Any:
        """As upstream's own, which insists on a database registry: here it is that of the satellite."""
        first = self.make_butler()
        assert isinstance(first, SatelliteButler)
        with first.clone() as second:
            first.collections.register("chain", CollectionType.CHAINED)
            for name in ("a", "b"):
                first.registry.registerCollection(name)
            inside, go_on = Barrier(2, timeout=60), Barrier(2, timeout=60)

            def block() -> None:
                inside.wait()
                go_on.wait()

            def begin(butler: SatelliteButler) -> None:
                # Each thread writes with a Butler of its own.
                collections = butler._sides.writer._registry._managers.collections
                collections._block_for_concurrency_test = block
                blocked_thread_func(butler)

            with ThreadPoolExecutor(max_workers=2) as pool:
                blocked = pool.submit(begin, first)
                inside.wait()
                unblocked = pool.submit(unblocked_thread_func, second)
                # Upstream's test sleeps as well: that a thread waits in the database cannot be seen.
                time.sleep(0.2)
                go_on.wait()
                blocked.result()
                unblocked.result()
        return first.registry
