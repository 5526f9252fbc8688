"""The scrubber in a browser: slider, keys, finger, playing, themes, on a page of its own."""

import numpy as np
import pytest

from grokbook.figures.scrubber import scrubber
from tests.figures.framed import framed
from tests.site.alone import write_both

pytestmark = pytest.mark.timeout(1200)  # for a busy machine; the page itself takes a second

# What is drawn: every part that moves, every text, and what the controls say.
DRAWN = """figure => [...figure.querySelectorAll("svg [d], circle, line, svg text, p, label")]
  .filter(e => !e.matches(".scrubber-still, button *"))
  .map(e => [e.tagName, e.children.length ? "" : e.textContent, e.innerText ?? "",
    ...["d", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "fill"]
      .map(key => e.getAttribute(key))])"""
MOVING = """figure => ["key", "other", "round"].map(name =>
  figure.querySelector(`.scrubber-${name}`).getAttribute("d"))"""

GROKKED = framed()
OTHERS = (
    framed(23, (3, 9), frames=np.geomspace(10, 30_000, 20).round(), t_grok=np.nan, width=12),
    framed(12, (), width=6),  # an even number of residues, and no key frequency
)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> dict[bool, str]:
    """Return the addresses of a page with three scrubbers, with and without their script."""
    figures = [scrubber(run) for run in (GROKKED, *OTHERS)]
    folder = tmp_path_factory.mktemp("scrubber")
    return write_both(folder, "scrubber", figures)


def said(figure) -> str:
    """What the slider says of itself."""
    return figure.get_by_role("slider").get_attribute("aria-valuetext")


def hold(page) -> None:
    """Stop the page's clock; only `run_for` moves it."""
    page.clock.install(time=0)
    page.clock.pause_at(3_600_000)


def frame(figure) -> int:
    """The frame that is shown."""
    return figure.get_by_role("slider").evaluate("e => e.valueAsNumber")


def heads(figure) -> list[str]:
    """The numbers that the plots have in their heads: key frequencies, train, test."""
    return figure.locator(".scrubber-plots b").all_inner_texts()


def test_the_script_draws_the_last_frame_as_python_does(tab, written):
    tab.goto(written[False])
    assert tab.get_by_role("slider").count() == 0
    assert tab.get_by_role("button").count() == 0
    assert tab.locator(".scrubber-still").first.is_visible()
    still = [figure.evaluate(DRAWN) for figure in tab.locator(".scrubber").all()]
    tab.goto(written[True])
    assert tab.get_by_role("slider").count() == 3
    assert not tab.locator(".scrubber-still").first.is_visible()
    for figure, drawn in zip(tab.locator(".scrubber").all(), still, strict=True):
        figure.get_by_role("slider").press("Home")
        assert [e[3:] for e in figure.evaluate(DRAWN)] != [e[3:] for e in drawn]
        figure.get_by_role("slider").press("End")
        moved = figure.evaluate(DRAWN)
        # The words of the hidden label are not shown without a script.
        assert [e for e in moved if e[0] != "LABEL"] == [e for e in drawn if e[0] != "LABEL"]
        assert len(drawn) > 30


def test_keys_move_every_part(page):
    figure, other, _ = page.locator(".scrubber").all()
    slider = figure.get_by_role("slider")
    last, beside = figure.evaluate(MOVING), other.evaluate(DRAWN)
    assert said(figure) == "step 20,000: train accuracy 100 %, test accuracy 100 %"
    slider.focus()
    page.keyboard.press("Home")
    assert said(figure) == "step 0: train accuracy 1 %, test accuracy 1 %"
    assert heads(figure) == ["8 %", "1 %", "1 %"]
    first = figure.evaluate(MOVING)
    assert all(now != then for now, then in zip(first, last, strict=True))
    assert figure.locator(".scrubber-now").get_attribute("x1") == "0%"
    for _ in range(16):
        page.keyboard.press("ArrowRight")
    accuracy = float(GROKKED["test_accuracy"][0].sel(step=8_000))
    words = f"step 8,000: train accuracy 100 %, test accuracy {100 * accuracy:.0f} %"
    assert said(figure) == words
    assert figure.locator("label b").inner_text() == "8,000"
    assert figure.locator(".scrubber-now").get_attribute("x2") == "40%"
    image = figure.locator(".scrubber-curves svg[role=img]")
    assert image.get_attribute("aria-label") == said(figure)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    assert frame(figure) == 16
    page.keyboard.press("End")
    assert figure.evaluate(MOVING) == last
    assert other.evaluate(DRAWN) == beside


def test_without_key_frequencies_nothing_is_said_of_their_share(page):
    figure = page.locator(".scrubber").nth(2)
    figure.get_by_role("slider").press("Home")
    assert heads(figure) == ["1 %", "1 %"]
    assert figure.locator(".scrubber-bars p").inner_text().endswith("no key frequency")


def test_playing_goes_from_the_first_frame_to_the_last_and_stops(page):
    hold(page)
    figure = page.locator(".scrubber").first
    figure.get_by_role("button", name="play the training").click()
    assert frame(figure) == 0
    page.clock.run_for(3_600)
    middle = frame(figure)
    assert 10 < middle < 30
    figure.get_by_role("button", name="pause").click()
    page.clock.run_for(2_000)
    assert frame(figure) == middle
    figure.get_by_role("button", name="play the training").click()
    assert frame(figure) == middle
    page.clock.run_for(8_000)
    assert frame(figure) == 40
    assert figure.get_by_role("button", name="play the training").is_visible()
    page.clock.run_for(1_000)
    assert frame(figure) == 40


def test_a_hand_on_the_slider_stops_the_playing(page):
    hold(page)
    figure = page.locator(".scrubber").first
    figure.get_by_role("button").click()
    page.clock.run_for(1_000)
    figure.get_by_role("slider").press("ArrowRight")
    here = frame(figure)
    page.clock.run_for(1_000)
    assert frame(figure) == here
    assert figure.get_by_role("button", name="play the training").is_visible()


def test_nothing_plays_for_those_who_asked_for_less_motion(page):
    hold(page)
    figure = page.locator(".scrubber").first
    figure.get_by_role("button").click()
    page.clock.run_for(1_000)
    page.emulate_media(reduced_motion="reduce")
    page.wait_for_function("matchMedia('(prefers-reduced-motion: reduce)').matches")
    assert figure.get_by_role("button").count() == 0
    here = frame(figure)
    page.clock.run_for(1_000)
    assert frame(figure) == here
    figure.get_by_role("slider").press("Home")
    assert said(figure).startswith("step 0:")
    page.reload()
    assert page.get_by_role("button").count() == 0
    assert page.get_by_role("slider").count() == 3


def test_the_mouse_drags_the_line_of_the_curves(page):
    figure = page.locator(".scrubber").first
    plot = figure.locator(".scrubber-curves svg[role=img]")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    middle = box["y"] + 60
    page.mouse.move(box["x"] + 0.2 * box["width"], middle)
    assert frame(figure) == 40
    page.mouse.down()
    page.mouse.move(box["x"] + 0.3 * box["width"], middle)
    assert frame(figure) == 12
    page.mouse.move(box["x"] + 0.501 * box["width"], middle)
    page.mouse.up()
    assert frame(figure) == 20
    page.mouse.move(box["x"] + 0.9 * box["width"], middle)
    assert frame(figure) == 20


def test_a_finger_drags_the_slider_and_taps_the_curves(chromium, written):
    window = {"width": 360, "height": 800}
    with chromium.new_context(viewport=window, has_touch=True, is_mobile=True) as context:
        tab = context.new_page()
        tab.goto(written[True])
        figure = tab.locator(".scrubber").first
        slider = figure.get_by_role("slider")
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        assert box["height"] >= 44
        assert (
            min(figure.get_by_role("button").bounding_box()[s] for s in ("width", "height")) >= 44
        )
        finger = context.new_cdp_session(tab)
        y = box["y"] + box["height"] / 2

        def touch(kind: str, at: float) -> None:
            points = [] if kind == "touchEnd" else [{"x": box["x"] + at * box["width"], "y": y}]
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        touch("touchStart", 0.97)
        for at in (0.9, 0.8, 0.65, 0.5):
            touch("touchMove", at)
        assert frame(figure) == 20
        touch("touchMove", 0.1)
        touch("touchEnd", 0.1)
        assert frame(figure) < 5
        plot = figure.locator(".scrubber-curves svg[role=img]")
        plot.scroll_into_view_if_needed()
        plot.tap(position={"x": 0.751 * plot.bounding_box()["width"], "y": 60})
        assert frame(figure) == 30


@pytest.mark.parametrize("width", [360, 1400])
def test_nothing_is_wider_than_the_window(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    for figure in page.locator(".scrubber").all():
        for key in ("Home", "End"):
            figure.get_by_role("slider").press(key)
            reach = figure.evaluate(
                "e => Math.max(...[...e.querySelectorAll('*')].map(x => x.getBoundingClientRect())"
                ".filter(box => box.width).map(box => box.right))"
            )
            assert reach <= width
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [360, 1400])
def test_words_do_not_lie_on_each_other(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    for figure in page.locator(".scrubber").all():
        for key in ("Home", "PageUp", "End"):
            figure.get_by_role("slider").press(key)
            texts = figure.locator(".scrubber-plots :is(text, p > *)").all()
            boxes = [text.bounding_box() for text in texts]
            for i, one in enumerate(boxes):
                for other in boxes[:i]:
                    apart = any(
                        one[at] + one[size] <= other[at] or other[at] + other[size] <= one[at]
                        for at, size in (("x", "width"), ("y", "height"))
                    )
                    assert apart, (said(figure), one, other)


def test_power_and_plane_stand_side_by_side_at_every_width(page):
    for width in (360, 700):
        page.set_viewport_size({"width": width, "height": 800})
        bars, plane, curves = (
            page.locator(f".scrubber-{name}").first.bounding_box()
            for name in ("bars", "circle", "curves")
        )
        assert bars["y"] == plane["y"]
        assert bars["x"] + bars["width"] < plane["x"]
        assert curves["y"] >= plane["y"] + plane["height"]


def test_the_circle_is_round_and_letters_are_large_enough(page):
    for width in (360, 700):
        page.set_viewport_size({"width": width, "height": 800})
        figure = page.locator(".scrubber").first
        dots = figure.locator(".scrubber-dots").bounding_box()
        assert dots["width"] == pytest.approx(dots["height"], rel=0.03)
        sizes = figure.locator("text, p, label, b, span").evaluate_all(
            "all => all.map(e => parseFloat(getComputedStyle(e).fontSize))"
        )
        assert min(sizes) >= 8 * 96 / 72


def test_in_the_dark_the_plots_stand_on_a_light_card(page):
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    card = page.locator(".scrubber-plots").first
    assert card.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 255, 255)"
    head = card.locator("p").first
    assert head.evaluate("e => getComputedStyle(e).color") == "rgb(34, 32, 28)"


def test_paper_has_the_figure_without_its_controls(page):
    page.emulate_media(media="print")
    figure = page.locator(".scrubber").first
    assert not figure.locator(".scrubber-controls").is_visible()
    assert figure.locator(".scrubber-dots").is_visible()
