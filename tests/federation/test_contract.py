"""One Butler over two repositories answers as one repository that holds everything.

Each question is put to a `DirectButler` with all datasets, and to a `SatelliteButler` for each way to cut
them in two: equal answers, equal exceptions.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.table import Table
from lsst.daf.butler import (
    Butler,
    CollectionInfo,
    DatasetRef,
)
from lsst.resources import ResourcePath

from python_butler.demo.platform import Platform
from tests.effort import ALL_SPLITS

from . import splits
from .changes import WRITING, state
from .conftest import _enter
from .questions import READING, Question
from .splits import SPLITS, Pair, Split


@pytest.fixture(scope="module")
def contract_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    directory = tmp_path_factory.mktemp("contract")
    splits.build_official(directory)
    with Platform(tmp_path_factory.mktemp("platform"), repository=directory) as platform:
        yield platform


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return splits.build_whole(tmp_path_factory.mktemp("contract") / "whole")


@pytest.fixture(scope="module")
def pairs(
    contract_platform: Platform, whole: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Pair]]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        _enter(contract_platform, monkeypatch, tmp_path_factory.mktemp("kernel"))
        yield {
            split.name: splits.build_pair(split, whole, tmp_path_factory.mktemp(split.name))
            for split in SPLITS
        }


@pytest.fixture(params=[split.name for split in SPLITS])
def pair(request: pytest.FixtureRequest, pairs: dict[str, Pair]) -> Pair:
    return pairs[request.param]


@pytest.fixture(scope="module")
def opened(pairs: dict[str, Pair]) -> Iterator[Callable[[Pair], tuple[Butler, Butler]]]:
    """Opens both repositories of a pair for reading, once."""
    with ExitStack() as stack:

        @cache
        def open_both(pair: Pair) -> tuple[Butler, Butler]:
            return stack.enter_context(pair.open_whole()), stack.enter_context(pair.open_cut(writeable=False))

        yield open_both


# Failures whose kinds differ, since upstream's own two kinds of Butler differ in them.
FAILING_IN_ITS_OWN_WAY = {
    # A local one fails file by file, a remote one at once.
    "files: retrieved in an impossible way",
    "files: retrieved of what is nowhere",
    # A remote one never looks for the type.
    "registry: a component",
    # A local one looks for the run before it looks whether it may write.
    "butler: put by reference while read only",
}

# Comparing


def plain(answer: Any) -> Any:
    """An answer as something that can be compared: content instead of objects, no order where none is."""
    match answer:
        case Table():
            return {name: list(answer[name]) for name in answer.colnames}
        case np.ndarray():
            return answer.tolist()
        case CollectionInfo():
            return answer.model_dump()
        case DatasetRef():
            return (answer.id, answer.run, answer.datasetType, answer.dataId, answer.dataId.hasRecords())
        case dict():
            return {plain(key): plain(value) for key, value in answer.items()}
        case list() | tuple():
            return [plain(each) for each in answer]
        case set() | frozenset():
            return {plain(each) for each in answer}
        case ResourcePath():
            return answer.basename()
    return answer


def outcome(question: Question, butler: Butler, split: Split) -> tuple[Any, type[BaseException] | None, list]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            answer, error = plain(question(butler, split)), None
        except Exception as raised:
            answer, error = None, raised
    return answer, error, sorted({each.category.__name__ for each in caught} - {"ResourceWarning"})


def assert_equal(
    question: Question, whole: Butler, cut: Butler, split: Split, any_failure: bool = False
) -> None:
    expected, expected_error, expected_warnings = outcome(question, whole, split)
    answer, error, given_warnings = outcome(question, cut, split)
    if expected_error is None:
        if error is not None:
            raise error
        assert answer == expected
    else:
        assert error is not None, f"{answer} instead of {expected_error!r}"
        if not (any_failure or isinstance(error, type(expected_error))):
            raise AssertionError(f"{error!r} instead of {expected_error!r}") from error
    assert given_warnings == expected_warnings


@pytest.mark.parametrize("question", READING)
def test_reading(question: str, pair: Pair, opened: Callable[[Pair], tuple[Butler, Butler]]) -> None:
    whole, cut = opened(pair)
    assert_equal(READING[question], whole, cut, pair.split, question in FAILING_IN_ITS_OWN_WAY)


WRITTEN = tuple(split.name for split in SPLITS) if ALL_SPLITS else ("official", "by_dataset", "referenced")
"""Where changes are tried: each pair is copied for each change, which takes a while."""


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("change", WRITING)
def test_writing(change: str, name: str, pairs: dict[str, Pair], tmp_path: Path) -> None:
    pair = pairs[name].copy(tmp_path)
    with pair.open_whole(writeable=True) as whole, pair.open_cut() as cut:
        assert_equal(WRITING[change], whole, cut, pair.split)
        assert_equal(state, whole, cut, pair.split)
