"""The slider of weight decay in a browser: its readout and its law, which are Python's."""

import re

import numpy as np
import pytest

from grokbook.figures import delay_slider
from grokbook.figures.delay_slider import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH
from tests.figures.test_delay_slider import CELLS, made
from tests.site.alone import write_both

pytestmark = pytest.mark.timeout(1200)  # for a busy machine; the page itself takes a second

SHOWN = delay_slider(made())
OTHER = delay_slider(made({0.03: ([60_000.0, 70_000.0], 900.0), 2.0: ([900.0], 1_200.0)}))
# The places of the cursor: both ends of its line, and its dot on the law.
CURSOR = """figure => [["line", "x1"], ["line", "x2"], ["circle", "cx"], ["circle", "cy"]].map(
  ([tag, key]) => Number(figure.querySelector(`.cursor ${tag}`).getAttribute(key)))"""


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> dict[bool, str]:
    """Return the addresses of a page with two sliders, with and without their script."""
    folder = tmp_path_factory.mktemp("delay")
    return write_both(folder, "delay", (SHOWN, OTHER))


def first(page):
    return page.locator(".delay-slider").first


def said(figure) -> str:
    """The readout of a slider."""
    return figure.locator("output").inner_text()


def move(figure, position: int) -> None:
    """Put the slider to a position, as a reader does."""
    figure.locator("input").fill(str(position))


def drawn_law(figure, shown=SHOWN) -> float:
    """The steps at which the cursor's dot stands."""
    low, high = shown._range()
    y = figure.evaluate(CURSOR)[3]
    return low * (high / low) ** ((HEIGHT - BOTTOM - y) / (HEIGHT - BOTTOM - TOP))


def drawn_decay(figure, shown=SHOWN) -> float:
    """The weight decay at which the cursor stands."""
    low, high = shown.cells[0].decay, shown.cells[-1].decay
    x1, x2, cx, _ = figure.evaluate(CURSOR)
    assert x1 == x2 == cx
    return low * (high / low) ** ((cx - LEFT) / (WIDTH - RIGHT - LEFT))


def position(decay: float) -> int:
    """The position of a weight decay between 0.1 and 1."""
    return round(120 * np.log10(decay / 0.1))


def test_without_the_script_one_weight_decay_is_shown_and_no_slider(tab, written):
    tab.goto(written[False])
    figure = first(tab)
    assert said(figure) == SHOWN.sentence(0.5)
    assert figure.locator("output").is_visible()
    assert figure.locator("svg[role=img]").is_visible()
    assert not figure.locator("label").is_visible()
    assert tab.get_by_role("slider").count() == 0
    assert drawn_law(figure) == pytest.approx(SHOWN.law(0.5), rel=2e-3)  # to a tenth of a pixel


def test_the_script_starts_with_what_python_wrote(tab, written):
    tab.goto(written[False])
    words = tab.locator(".delay-slider output").all_inner_texts()
    cursors = [figure.evaluate(CURSOR) for figure in tab.locator(".delay-slider").all()]
    tab.goto(written[True])
    assert tab.get_by_role("slider").count() == 2
    assert tab.locator(".delay-slider output").all_inner_texts() == words
    for figure, cursor in zip(tab.locator(".delay-slider").all(), cursors, strict=True):
        assert figure.evaluate(CURSOR) == pytest.approx(cursor, abs=0.051)
    assert words == [SHOWN.sentence(0.5), OTHER.sentence(2.0)]


def test_the_arrow_keys_move_cursor_and_readout(page):
    figure, other = page.locator(".delay-slider").all()
    before, beside = figure.evaluate(CURSOR), (said(other), other.evaluate(CURSOR))
    page.get_by_role("slider", name="weight decay").first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    x, _, _, y = figure.evaluate(CURSOR)
    assert x < before[0] and y < before[3]  # less decay, longer delay
    assert said(figure) == SHOWN.sentence(0.1 * 10 ** (81 / 120))
    assert said(figure).startswith("Weight decay 0.47: decay alone would take 1,7")
    assert figure.locator("label b").inner_text() == "0.47"
    slider = page.get_by_role("slider").first
    assert slider.get_attribute("aria-valuetext") == "0.47"
    assert (said(other), other.evaluate(CURSOR)) == beside
    page.keyboard.press("Home")
    assert said(figure) == SHOWN.sentence(0.1)
    assert figure.evaluate(CURSOR)[0] == pytest.approx(LEFT)
    page.keyboard.press("End")
    assert said(figure) == SHOWN.sentence(1.0)
    assert figure.evaluate(CURSOR)[0] == pytest.approx(WIDTH - RIGHT)


@pytest.mark.parametrize("decay", CELLS)
def test_an_archived_weight_decay_has_python_s_sentence_and_law(page, decay):
    figure = first(page)
    move(figure, position(decay))
    assert said(figure) == SHOWN.sentence(decay)
    assert drawn_decay(figure) == pytest.approx(decay, rel=1e-9)
    assert drawn_law(figure) == pytest.approx(SHOWN.law(decay), rel=1e-6)


def test_script_and_python_agree_on_the_law_between_archived_weight_decays(page):
    figure = first(page)
    for at in (1, 13, 40, 58, 70, 85, 100, 119):
        move(figure, at)
        decay = 0.1 * 10 ** (at / 120)
        assert drawn_decay(figure) == pytest.approx(decay, rel=1e-9)
        assert drawn_law(figure) == pytest.approx(SHOWN.law(decay), rel=1e-6)
        assert said(figure) == SHOWN.sentence(decay)


def test_two_archived_weight_decays_are_enough(page):
    figure = page.locator(".delay-slider").last
    for at in (0, 17, 60, 61, 120):
        move(figure, at)
        decay = 0.03 * (2 / 0.03) ** (at / 120)
        assert drawn_law(figure, OTHER) == pytest.approx(OTHER.law(decay), rel=1e-6)
        assert said(figure) == OTHER.sentence(decay)
    assert said(figure).endswith("takes there.") and "(one seed)" in said(figure)


def test_the_cursor_stays_on_the_drawn_law(page):
    figure = first(page)
    points = figure.locator("polyline").get_attribute("points")
    x, y = np.array(re.findall(r"([\d.]+),([\d.]+)", points), dtype=float).T
    for at in range(0, 121, 12):
        move(figure, at)
        _, _, cx, cy = figure.evaluate(CURSOR)
        assert cy == pytest.approx(np.interp(cx, x, y), abs=0.3)


@pytest.mark.parametrize("width", [360, 1400])
def test_nothing_is_wider_than_the_window_and_the_readout_keeps_its_height(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    heights = set()
    for at in (0, 57, 58, 84, 120):
        move(first(page), at)
        reach = first(page).evaluate(
            "e => Math.max(...[...e.querySelectorAll('*')].map(x => x.getBoundingClientRect())"
            ".filter(box => box.width).map(box => box.right))"
        )
        assert reach <= width
        heights.add(round(first(page).bounding_box()["height"]))
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    assert len(heights) == 1


@pytest.mark.parametrize("width", [360, 1400])
def test_words_do_not_lie_on_each_other(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    boxes = [text.bounding_box() for text in first(page).locator("svg text").all()]
    assert len(boxes) == 10
    for i, one in enumerate(boxes):
        for other in boxes[:i]:
            assert any(
                one[at] + one[size] <= other[at] or other[at] + other[size] <= one[at]
                for at, size in (("x", "width"), ("y", "height"))
            ), (one, other)


def test_the_words_of_the_dots_have_their_colour(page):
    words = first(page).locator("svg text", has_text="measured delay")
    dot = first(page).locator("svg > circle").first
    fills = [each.evaluate("e => getComputedStyle(e).fill") for each in (words, dot)]
    assert fills == ["rgb(0, 114, 178)"] * 2


def test_a_finger_finds_the_slider(chromium, written):
    window = {"width": 360, "height": 800}
    with chromium.new_context(viewport=window, has_touch=True, is_mobile=True) as context:
        tab = context.new_page()
        tab.goto(written[True])
        slider = tab.get_by_role("slider").first
        assert slider.bounding_box()["height"] >= 44
        slider.tap(position={"x": 2, "y": 20})
        assert said(first(tab)) == SHOWN.sentence(0.1)


def test_in_the_dark_the_plot_stands_on_a_light_card(page):
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    card = first(page).locator("svg")
    assert card.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 255, 255)"


def test_paper_has_the_figure_without_its_slider(page):
    page.emulate_media(media="print")
    assert not first(page).locator("label").is_visible()
    assert first(page).locator("svg[role=img]").is_visible()
    assert first(page).locator("output").is_visible()
