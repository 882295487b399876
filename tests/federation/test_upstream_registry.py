"""Upstream's own registry tests, with all that they load in one of the repositories."""

from __future__ import annotations

import unittest

from lsst.daf.butler import Butler

from . import upstream_registry


class AllOfficialTestCase(upstream_registry.FederatedRegistryTests, unittest.TestCase):
    """What is loaded is official; what a test adds goes to the satellite."""

    def homes(self, filename: str) -> list[Butler]:
        return [self.server.direct_butler]

    def testCollections(self) -> None:
        raise unittest.SkipTest("It documents and removes a run that was loaded, which is official here.")

    def test_collection_summary(self) -> None:
        raise unittest.SkipTest("It inserts datasets into a run that was loaded, which is official here.")

    def test_expanded_data_id_queries(self) -> None:
        raise unittest.SkipTest("It inserts datasets into a run that was loaded, which is official here.")

    def testRemoveDatasetTypeSuccess(self) -> None:
        raise unittest.SkipTest("It removes a dataset type that was loaded, which is official here.")


class AllPersonalTestCase(upstream_registry.FederatedRegistryTests, unittest.TestCase):
    """The official repository is empty."""

    def homes(self, filename: str) -> list[Butler]:
        return [self.butler]
