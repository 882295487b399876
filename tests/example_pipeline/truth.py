"""What is truly on the demonstration's images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from lsst.daf.butler import DataCoordinate

from python_butler.demo.scene import Scene
from python_butler.demo.sky import Sky
from python_butler.demo.solarsystem import observed_sky
from python_butler.demo.survey import Visit, visits

type Floats = npt.NDArray[np.float64]
type Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Truth:
    """All sources near one image, one an element."""

    visit: Visit
    sky: Sky
    x: Floats
    y: Floats
    flux: Floats
    star: Flags
    isolated: Flags
    inside: Flags
    noise: float


def truth_of(data_id: DataCoordinate) -> Truth:
    """Positions in pixels and fluxes in nJy at the time of the visit; noise of a PSF flux."""
    (visit,) = (visit for visit in visits() if visit.id == data_id["visit"])
    (exposed,) = (each for each in visit.exposed if each.detector.id == data_id["detector"])
    scene = Scene(observed_sky(visit), exposed.projection, exposed.box, visit.sigma)
    flux = scene.sky.flux_at(visit.band, visit.middle)
    apart = np.hypot(scene.x[:, None] - scene.x, scene.y[:, None] - scene.y)
    rival = (apart < 30) & (flux > 0.01 * flux[:, None])
    np.fill_diagonal(rival, False)
    height, width = exposed.box.shape
    margin = 15
    return Truth(
        visit=visit,
        sky=scene.sky,
        x=scene.x + exposed.box.x.start,
        y=scene.y + exposed.box.y.start,
        flux=flux,
        star=scene.sky.radius == 0,
        isolated=~rival.any(axis=1),
        inside=(scene.x > margin)
        & (scene.x < width - margin)
        & (scene.y > margin)
        & (scene.y < height - margin),
        noise=visit.noise * np.sqrt(4 * np.pi) * visit.sigma,
    )
