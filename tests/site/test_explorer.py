"""The explorer in a browser: its sliders, its map and what it says, on a page of its own."""

import pytest

from grokbook.figures import explorer
from tests.figures.test_explorer import ONSETS, sweep
from tests.site.alone import write_both

pytestmark = pytest.mark.timeout(1200)  # for a busy machine; the page itself takes a second

# What a plot shows: points of the curves, ends of the marks, texts with their places.
DRAWN = """svg => [...svg.querySelectorAll("polyline, .explorer-marks line, text")].map(e =>
  [e.tagName, e.textContent, e.parentElement.dataset.split ?? "",
   ...["points", "stroke", "stroke-width", "opacity", "stroke-dasharray", "x", "y", "x1", "x2",
       "y1", "y2", "fill", "text-anchor", "vector-effect"].map(key => e.getAttribute(key))])"""


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> dict[bool, str]:
    """Return the addresses of a page with two explorers, with and without their script."""
    one = {pair: seeds for pair, seeds in ONSETS.items() if pair[0] == 1.0}
    figures = [explorer(sweep(each)) for each in (ONSETS, one)]
    folder = tmp_path_factory.mktemp("explorer")
    return write_both(folder, "explorer", figures)


def said(figure) -> str:
    """The readout of an explorer."""
    return figure.locator("output").inner_text()


def curves(figure) -> list[str]:
    """The points of every curve that an explorer shows."""
    return figure.locator("polyline").evaluate_all("all => all.map(e => e.getAttribute('points'))")


def values(figure) -> list[str]:
    """What the two sliders say of themselves."""
    sliders = figure.get_by_role("slider")
    return sliders.evaluate_all("all => all.map(e => e.getAttribute('aria-valuetext'))")


def test_the_script_draws_the_first_pair_as_python_does(tab, written):
    plot = ".explorer-plot > svg"
    tab.goto(written[False])
    assert tab.get_by_role("slider").count() == 0
    assert tab.locator("td button").count() == 0
    still = tab.locator(plot).first.evaluate(DRAWN)
    words = said(tab.locator(".explorer").first)
    tab.goto(written[True])
    assert tab.locator("td button").count() == len(ONSETS) + 3
    assert tab.locator(plot).first.evaluate(DRAWN) == still
    assert len(still) > 15
    assert said(tab.locator(".explorer").first) == words
    assert words.startswith("Weight decay 1, 30 % of the pairs: memorised at step 150, grokked at")


def test_the_arrow_keys_change_curve_and_readout(page):
    figure, other = page.locator(".explorer").all()
    before, beside = curves(figure), curves(other)
    page.get_by_role("slider", name="share of the data").first.focus()
    page.keyboard.press("ArrowLeft")
    assert values(figure) == ["1", "25 %"]
    assert said(figure) == (
        "Weight decay 1, 25 % of the pairs: memorised at step 150, grokked at 9,950 (one seed)."
    )
    assert figure.locator("svg[role=img]").get_attribute("aria-label") == said(figure)
    after = curves(figure)
    assert len(after) == 2
    assert set(after).isdisjoint(before)
    assert figure.locator("label b").all_inner_texts() == ["1", "25 %"]
    assert curves(other) == beside
    page.keyboard.press("ArrowRight")
    assert curves(figure) == before


def test_a_pair_that_was_not_trained_says_so(page):
    figure = page.locator(".explorer").first
    page.get_by_role("slider", name="weight decay").first.focus()
    page.keyboard.press("End")
    assert said(figure).startswith("Weight decay 3, 30 % of the pairs: neither memorised nor")
    page.get_by_role("slider", name="share of the data").first.focus()
    page.keyboard.press("Home")
    assert said(figure) == "Weight decay 3, 25 % of the pairs: not trained."
    words = figure.locator(".explorer-texts text").all_text_contents()
    assert words == ["not trained:", "weight decay 3, 25 % of the pairs"]
    assert curves(figure) == []
    assert figure.locator(".explorer-marks line").count() == 0
    assert figure.locator("[aria-pressed=true]").count() == 0
    chosen = figure.locator("td.chosen")
    assert chosen.count() == 1
    assert chosen.inner_text() == ""


def test_a_place_of_the_map_moves_the_sliders(page):
    figure = page.locator(".explorer").first
    assert figure.locator("td.chosen").inner_text() == "6.8k"
    figure.get_by_role("button", name="0.42k: weight decay 1, 60 %").click()
    assert values(figure) == ["1", "60 %"]
    positions = figure.get_by_role("slider").evaluate_all("all => all.map(e => e.value)")
    assert positions == ["3", "3"]
    assert said(figure).startswith("Weight decay 1, 60 % of the pairs: memorised at step 160")
    assert figure.locator("td.chosen").inner_text() == "0.42k"
    assert figure.locator("[aria-pressed=true]").count() == 1


def test_the_map_can_be_touched(chromium, written):
    window = {"width": 360, "height": 800}
    with chromium.new_context(viewport=window, has_touch=True, is_mobile=True) as context:
        tab = context.new_page()
        tab.goto(written[True])
        figure = tab.locator(".explorer").first
        figure.get_by_role("button", name="11k: weight decay 0.3, 30 %").tap()
        assert said(figure).startswith("Weight decay 0.3, 30 %")
        boxes = [button.bounding_box() for button in figure.locator("td button, input").all()]
        assert len(boxes) == len(ONSETS) + 2
        assert min(box["width"] for box in boxes) >= 36
        assert min(box["height"] for box in boxes) >= 44


@pytest.mark.parametrize("width", [360, 1400])
def test_nothing_is_wider_than_the_window(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    for figure in page.locator(".explorer").all():
        for button in figure.locator("td button").all():
            button.click()
            reach = figure.evaluate(
                "e => Math.max(...[...e.querySelectorAll('*')].map(x => x.getBoundingClientRect())"
                ".filter(box => box.width).map(box => box.right))"
            )
            assert reach <= width
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [360, 1400])
def test_words_do_not_lie_on_each_other(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    figure = page.locator(".explorer").first
    for button in figure.locator("td button").all():
        button.click()
        boxes = [text.bounding_box() for text in figure.locator("svg text").all()]
        for i, one in enumerate(boxes):
            for other in boxes[:i]:
                apart = any(
                    one[at] + one[size] <= other[at] or other[at] + other[size] <= one[at]
                    for at, size in (("x", "width"), ("y", "height"))
                )
                assert apart, (said(figure), one, other)


def test_in_the_dark_the_plot_stands_on_a_light_card(page):
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    card = page.locator(".explorer-plot").first
    assert card.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 255, 255)"


def test_paper_has_the_figure_without_its_sliders(page):
    page.emulate_media(media="print")
    figure = page.locator(".explorer").first
    assert not figure.locator(".explorer-controls").is_visible()
    assert figure.locator("svg[role=img]").is_visible()
    assert figure.locator("output").is_visible()
