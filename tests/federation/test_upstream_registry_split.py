"""Upstream's own registry tests, with what they load in both repositories."""

from __future__ import annotations

import unittest

from lsst.daf.butler import Butler

from . import upstream_registry


class SplitTestCase(upstream_registry.FederatedRegistryTests, unittest.TestCase):
    """Datasets are personal, dimension records are on both sides."""

    def homes(self, filename: str) -> list[Butler]:
        if "datasets" in filename:
            return [self.butler]
        return [self.server.direct_butler, self.butler]

    def testRemoveDatasetTypeSuccess(self) -> None:
        raise unittest.SkipTest("It removes a dataset type that was loaded, which is official here.")


class PartialTestCase(upstream_registry.FederatedRegistryTests, unittest.TestCase):
    """Datasets are personal, with only the dimension records that they need."""

    def homes(self, filename: str) -> list[Butler]:
        return [self.butler if "datasets" in filename else self.server.direct_butler]

    def testRemoveDatasetTypeSuccess(self) -> None:
        raise unittest.SkipTest("It removes a dataset type that was loaded, which is official here.")
