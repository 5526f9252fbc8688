"""The moving activations in a browser: every frame is where Python puts it."""

import numpy as np
import pytest

from grokbook.figures.motion import FINE
from tests.figures.test_motion import made
from tests.site.alone import write_both

pytestmark = pytest.mark.timeout(1200)  # for a busy machine; the page itself takes a second

SHOWN = made()
LAST = len(SHOWN.steps) - 1
DOTS = """figure => [...figure.querySelectorAll("svg")].map((plot) =>
  [...plot.querySelectorAll(".dots circle")].map((dot) =>
    ["cx", "cy"].map((key) => Number(dot.getAttribute(key)))))"""
TRAILS = """figure => [...figure.querySelectorAll(".trails path")].map((way) =>
  way.getAttribute("d"))"""


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> dict[bool, str]:
    """Return the addresses of a page with two figures, with and without their script."""
    folder = tmp_path_factory.mktemp("motion")
    return write_both(folder, "motion", (SHOWN, SHOWN))


def first(page):
    return page.locator(".motion").first


def expected(frame: int) -> np.ndarray:
    """The dots of both arms at a frame."""
    return np.stack([SHOWN.places(name)[frame] for name in SHOWN.radius]) / FINE


def points(way: str) -> list[list[float]]:
    return [[float(x) for x in point.split(",")] for point in way.removeprefix("M").split("L")]


def test_without_the_script_the_last_frame_is_shown_and_no_slider(tab, written):
    tab.goto(written[False])
    figure = first(tab)
    assert figure.locator("output").inner_text() == SHOWN.sentence(LAST)
    assert not figure.locator("label").is_visible()
    assert tab.get_by_role("slider").count() == 0
    np.testing.assert_allclose(figure.evaluate(DOTS), expected(LAST))


def test_the_script_starts_with_what_python_drew(tab, written):
    tab.goto(written[False])
    drawn = first(tab).evaluate(DOTS), first(tab).evaluate(TRAILS)
    tab.goto(written[True])
    assert (first(tab).evaluate(DOTS), first(tab).evaluate(TRAILS)) == drawn
    assert tab.get_by_role("slider").count() == 2


@pytest.mark.parametrize("frame", range(LAST + 1))
def test_each_frame_has_its_dots_its_trails_and_its_words(page, frame):
    figure = first(page)
    figure.locator("input").fill(str(frame))
    np.testing.assert_allclose(figure.evaluate(DOTS), expected(frame))
    ways = np.array([points(way) for way in figure.evaluate(TRAILS)])
    so_far = np.stack([expected(each) for each in range(frame + 1)])  # frame arm example two
    np.testing.assert_allclose(ways, np.moveaxis(so_far, 0, 2).reshape(ways.shape))
    assert figure.locator("output").inner_text() == SHOWN.sentence(frame)
    assert figure.locator("label b").inner_text() == f"{SHOWN.steps[frame]:,}"
    assert figure.locator("input").get_attribute("aria-valuetext") == SHOWN.sentence(frame)


def test_the_other_figure_stays(page):
    before = page.locator(".motion").last.evaluate(DOTS)
    first(page).locator("input").fill("0")
    assert page.locator(".motion").last.evaluate(DOTS) == before


@pytest.mark.parametrize(("width", "columns"), [(360, 1), (1000, 2)])
def test_the_plots_stand_side_by_side_where_there_is_room(page, width, columns):
    page.set_viewport_size({"width": width, "height": 800})
    tops = {round(box.bounding_box()["y"]) for box in first(page).locator("svg").all()}
    assert len(tops) == 3 - columns
    assert page.evaluate("document.documentElement.scrollWidth") <= width
