"""How a Butler shows itself in a notebook."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from python_butler.demo.platform import Platform
from python_butler.federation import SatelliteButler
from python_butler.federation import open as open_butler

from .conftest import table


def shown(butler: SatelliteButler) -> str:
    html = butler._repr_html_()
    # Well formed, and text only where text is meant.
    return " ".join("".join(ElementTree.fromstring(html.replace("<br>", "<br/>")).itertext()).split())


def test_it_shows_both_repositories_and_what_is_searched(own_run: SatelliteButler, kernel: Platform) -> None:
    own_run.put(table(1), "source", visit=101)
    text = shown(own_run)
    for part in (
        "dp2",
        "read only",
        "can be written",
        "u/me/mine personal",
        "dp2 official",
        "instrument='Cam'",
    ):
        assert part in text
    assert kernel.token not in own_run._repr_html_()


def test_it_asks_no_server(butler: SatelliteButler, own_small_platform: Platform) -> None:
    with open_butler("dp2", collections="dp2") as own:
        own_small_platform.requests(forget=True)
        assert "not there yet" in shown(own)
        own_small_platform.stop_server()
        assert "read only" in shown(own)
        own._sides.shared.reach.note(own._sides.shared.reach.unavailable("It"))
        assert "cannot be reached" in shown(own)


def test_it_follows_the_notebooks_colours(butler: SatelliteButler) -> None:
    html = butler._repr_html_()
    assert not re.search("#[0-9a-fA-F]{3}|rgb|white|black", html)
    assert "color: inherit" in html


def test_names_are_shown_as_they_are(kernel: Platform) -> None:
    with open_butler("dp2") as butler:
        butler.collections.register("u/me/<b>&run")
        with butler.clone(collections=["u/me/<b>&run"], run="u/me/<b>&run") as clone:
            assert "u/me/<b>&run personal" in shown(clone)


def test_many_collections_are_told_in_number(butler: SatelliteButler) -> None:
    names = [f"u/me/{number}" for number in range(20)]
    for name in names:
        butler.collections.register(name)
    assert "and 8 more" in shown(butler.clone(collections=names))


def test_a_closed_one_says_so(butler: SatelliteButler) -> None:
    butler.close()
    assert "closed" in shown(butler)
