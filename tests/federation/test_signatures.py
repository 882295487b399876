"""Every method and property of upstream's Butler is there, and is called as upstream's is."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from lsst.daf.butler import Butler, ButlerCollections
from lsst.daf.butler.registry import Registry
from lsst.daf.butler.remote_butler._registry import RemoteButlerRegistry

from python_butler.federation import SatelliteButler
from python_butler.federation.collections import SatelliteCollections
from python_butler.federation.registry import SatelliteRegistry

OURS = {Butler: SatelliteButler, ButlerCollections: SatelliteCollections, Registry: SatelliteRegistry}

# What upstream's base class does itself, in terms of the rest.
UPSTREAMS_OWN = {
    Butler: {
        "GENERATION",
        "from_config",
        "getURI",
        "get_datastore_names",
        "get_datastore_roots",
        "get_known_repos",
        "get_repo_uri",
        "has_repo_config",
        "makeRepo",
        "markInputUnused",
        "parse_dataset_uri",
        "query_all_datasets",
        "query_data_ids",
        "query_datasets",
        "query_dimension_records",
        "stored",
    },
    ButlerCollections: {"count", "index"},
    # There is no such table in a satellite.
    Registry: {"obsCoreTableManager"},
}


def members(base: type) -> list[str]:
    return sorted(name for name in dir(base) if not name.startswith("_"))


CASES = [(base, name) for base in OURS for name in members(base)]


def parameters(function: Any) -> list[tuple[str, Any, Any]]:
    return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize(("base", "name"), CASES, ids=[f"{b.__name__}.{n}" for b, n in CASES])
def test_it_is_called_as_upstreams(base: type, name: str) -> None:
    ours = OURS[base]
    upstream, own = inspect.getattr_static(base, name), inspect.getattr_static(ours, name)
    if isinstance(upstream, property):
        assert isinstance(own, property)
    elif callable(getattr(base, name)):
        wanted = parameters(getattr(base, name))
        given = parameters(getattr(ours, name))
        # Upstream's remote registry accepts one more, which it ignores; ours is a subclass of it.
        remote = getattr(RemoteButlerRegistry, name, None) if base is Registry else None
        assert given in ([wanted, parameters(remote)] if remote else [wanted])


@pytest.mark.parametrize(("base", "name"), CASES, ids=[f"{b.__name__}.{n}" for b, n in CASES])
def test_it_is_not_left_to_upstreams_base_class(base: type, name: str) -> None:
    inherited = inspect.getattr_static(base, name) is inspect.getattr_static(OURS[base], name)
    assert inherited is (name in UPSTREAMS_OWN[base])


@pytest.mark.parametrize("ours", OURS.values())
def test_nothing_is_abstract_or_not_implemented(ours: type) -> None:
    assert not inspect.isabstract(ours)
    for name in members(ours):
        function = inspect.getattr_static(ours, name)
        function = getattr(function, "fget", None) or getattr(function, "__func__", function)
        code = getattr(inspect.unwrap(function), "__code__", None)
        if code is not None:
            assert "NotImplementedError" not in code.co_names, name
