"""Objects find a storage class, and come back as they were."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import astropy.table
import astropy.units as u
import lsst.images
import numpy as np
import pandas as pd
import pyarrow as pa
import pydantic
import pytest
from astropy.time import Time
from lsst.daf.butler import DatasetType, DimensionUniverse
from lsst.daf.butler.direct_butler import DirectButler
from matplotlib.figure import Figure

from python_butler.datastore.chain import personal_of
from python_butler.errors import InvalidRequestError
from python_butler.satellite import Satellite
from python_butler.saving.storage import fit, fit_type


class Fit(pydantic.BaseModel):
    slope: float
    errors: list[float]
    made: datetime.datetime


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DirectButler]:
    satellite = Satellite.create(
        "dp2", tmp_path_factory.mktemp("storage") / "dp2", universe=DimensionUniverse()
    )
    with satellite.writer() as writer:
        writer.collections.register("u/me/run")
        yield writer


@pytest.fixture
def there_and_back(writer: DirectButler, request: pytest.FixtureRequest) -> Callable[[Any], tuple[str, Any]]:
    def go(obj: Any) -> tuple[str, Any]:
        fitting = fit(obj, personal_of(writer).formatterFactory)
        name = "t" + str(abs(hash(request.node.nodeid)))
        writer.registry.registerDatasetType(
            DatasetType(name, (), fitting.storage_class, universe=writer.dimensions)
        )
        ref = writer.put(fitting.obj, name, run="u/me/run")
        return fitting.storage_class.name, writer.get(ref)

    return go


TABLE = astropy.table.Table({"id": [1, 2], "name": ["a", "b"], "flux": [[1.0, 2.0], [3.0, 4.0]]})
STRUCTURED = np.array([(1, 2.5), (2, 3.5)], dtype=[("id", int), ("flux", float)])


def test_a_table_of_numbers_and_texts_goes_to_parquet(there_and_back: Callable) -> None:
    table = TABLE.copy()
    table["flux"].unit = u.nJy
    name, back = there_and_back(table)
    assert name == "ArrowAstropy"
    assert (back == table).all()
    assert back["flux"].unit == u.nJy


def test_a_table_with_quantities_keeps_them(there_and_back: Callable) -> None:
    name, back = there_and_back(astropy.table.QTable({"d": [1.0, 2.0] * u.kpc}))
    assert name == "AstropyQTable"
    assert back["d"].unit == u.kpc
    assert back["d"][1] == 2.0 * u.kpc


def test_a_table_with_times_keeps_them(there_and_back: Callable) -> None:
    name, back = there_and_back(
        astropy.table.Table({"t": Time([60000.0, 60001.5], format="mjd", scale="tai")})
    )
    assert name == "AstropyTable"
    assert isinstance(back["t"], Time)
    assert back["t"].mjd[1] == 60001.5


def test_data_frames_and_arrow_tables(there_and_back: Callable) -> None:
    frame = pd.DataFrame({"id": [1, 2], "flux": [0.5, None]}).set_index("id")
    name, back = there_and_back(frame)
    assert name == "DataFrame"
    pd.testing.assert_frame_equal(back, frame)


def test_arrow_tables(there_and_back: Callable) -> None:
    name, back = there_and_back(pa.table({"id": [1, 2]}))
    assert name == "ArrowTable"
    assert back["id"].to_pylist() == [1, 2]


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.ma.array([1, 2], mask=[False, True]),
        np.array([1.0, 2.0]) * u.m,
        STRUCTURED.reshape(2, 1),
        np.array(["a", None], dtype=object),
    ],
    ids=["plain", "masked", "quantity", "table of two dimensions", "objects"],
)
def test_arrays_come_back_as_what_they_were(there_and_back: Callable, array: Any) -> None:
    name, back = there_and_back(array)
    assert name == "NumpyArray"
    assert type(back) is type(array)
    assert back.dtype == array.dtype
    assert np.all(back == array)


def test_a_structured_array_is_a_table(there_and_back: Callable) -> None:
    name, back = there_and_back(STRUCTURED)
    assert name == "ArrowNumpy"
    assert back.dtype.names == ("id", "flux")
    assert list(back["flux"]) == [2.5, 3.5]


def test_a_dictionary_of_columns_is_a_table(there_and_back: Callable) -> None:
    name, back = there_and_back({"id": np.arange(3), "flux": np.zeros(3)})
    assert name == "ArrowNumpyDict"
    assert list(back["id"]) == [0, 1, 2]


@pytest.mark.parametrize(
    ("obj", "storage_class"),
    [
        ({"n": np.int64(3), "list": [1, {"x": np.float32(0.5)}], "none": None}, "StructuredDataDict"),
        ([1, "two", [3.5]], "StructuredDataList"),
        ("text with ümlauts\nand lines", "str"),
        (3, "int"),
        (2.5, "float"),
        (True, "bool"),
        (np.float64(2.5), "float"),
    ],
    ids=["dict", "list", "text", "int", "float", "bool", "number of numpy"],
)
def test_plain_values(there_and_back: Callable, obj: Any, storage_class: str) -> None:
    name, back = there_and_back(obj)
    assert name == storage_class
    assert back == obj


def test_a_figure_comes_back_as_a_picture_of_the_same_size(
    there_and_back: Callable, writer: DirectButler
) -> None:
    figure = Figure(figsize=(4, 3), dpi=100)
    figure.subplots().plot([1, 2, 3])
    name, back = there_and_back(figure)
    assert name == "Plot"
    assert isinstance(back, Figure)
    assert tuple(back.get_size_inches() * back.dpi) == (400, 300)
    (picture,) = back.images
    assert np.asarray(picture.get_array()).std() > 0


def test_a_model_comes_back_as_its_class(there_and_back: Callable) -> None:
    model = Fit(slope=1.5, errors=[0.1], made=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
    name, back = there_and_back(model)
    assert name == "PydanticModel"
    assert back == model


def test_a_model_whose_class_is_elsewhere_comes_back_with_its_values(
    there_and_back: Callable, monkeypatch: pytest.MonkeyPatch, writer: DirectButler
) -> None:
    local = pydantic.create_model("Local", slope=(float, ...), parts=(list[int], ...))
    with pytest.warns(UserWarning, match="Local cannot be found here"):
        _, back = there_and_back(local(slope=2.0, parts=[1, 2]))
    assert back.slope == 2.0
    assert back.parts == [1, 2]


def test_images_of_lsst(there_and_back: Callable) -> None:
    image = lsst.images.Image(np.arange(20.0, dtype=np.float32).reshape(4, 5))
    name, back = there_and_back(image)
    assert name == "ImageV2"
    assert np.array_equal(back.array, image.array)


@pytest.mark.parametrize("obj", [object(), {1, 2}, (1, 2), b"bytes", lsst.images.Box.factory[0:2, 0:3]])
def test_what_cannot_be_saved_is_told_what_can(writer: DirectButler, obj: Any) -> None:
    with pytest.raises(InvalidRequestError, match=r"no storage class for objects of type .*astropy Table"):
        fit(obj, personal_of(writer).formatterFactory)


def test_arrays_among_plain_values_are_refused(writer: DirectButler) -> None:
    with pytest.raises(InvalidRequestError, match="holds an array"):
        fit({"a": np.zeros(3), "b": 1}, personal_of(writer).formatterFactory)


def test_a_storage_class_may_be_named(writer: DirectButler) -> None:
    formatters = personal_of(writer).formatterFactory
    assert fit(TABLE, formatters, "DataFrame").storage_class.name == "DataFrame"
    with pytest.raises(InvalidRequestError, match="cannot be stored as Plot"):
        fit(TABLE, formatters, "Plot")
    with pytest.raises(InvalidRequestError, match="which is not installed"):
        fit(TABLE, formatters, "ExposureF")


def test_a_storage_class_that_the_type_cannot_take_is_refused(writer: DirectButler) -> None:
    dataset_type = DatasetType("any", (), "Plot", universe=writer.dimensions)
    with pytest.raises(InvalidRequestError, match="Plot, which ArrowAstropy cannot be converted to"):
        fit_type(TABLE, None, dataset_type, "ArrowAstropy")


def test_the_file_of_a_model_is_plain_json(
    writer: DirectButler, there_and_back: Callable, tmp_path: Path
) -> None:
    model = Fit(slope=1.5, errors=[], made=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
    there_and_back(model)
    (path,) = [
        path
        for path in Path(personal_of(writer).root.ospath).rglob("*.json")
        if path.stat().st_mtime >= max(p.stat().st_mtime for p in path.parent.parent.rglob("*.json"))
    ][-1:]
    document = json.loads(path.read_text())
    assert document["data"]["slope"] == 1.5
    assert document["model"].endswith(":Fit")
