"""The slider of weight decay: which runs it holds, what it says, and where its HTML draws them."""

import json
import re

import numpy as np
import pytest
import xarray as xr

from grokbook.figures import DelaySlider, delay_slider
from grokbook.figures.delay_slider import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH
from tests.figures.test_explorer import Tags, data_of

# Weight decay: the delay of each seed in steps (NaN: censored), and V(t_grok) for a V_mem of 4,000.
CELLS = {
    0.1: ([11_850.0, 14_050.0, 10_150.0], 700.0),
    0.3: ([3_800.0, 4_550.0, 3_550.0], 760.0),
    0.5: ([2_150.0, np.nan, 1_950.0], 800.0),
    1.0: ([1_000.0], 1_100.0),
}
RATE = 1e-3


def made(cells=CELLS, *, rate: float = RATE, t_mem: float = 700.0) -> xr.Dataset:
    """Followed runs, the largest weight decay first; V stands in two matrices."""
    rows = [
        (decay, delay, V, 1 + 0.2 * (seed - len(delays) // 2))
        for decay, (delays, V) in reversed(cells.items())
        for seed, delay in enumerate(delays)
    ]
    decay, delay, V, size = (np.array(column) for column in zip(*rows, strict=True))
    # The seeds differ in V(t_grok): the median of their ratios is that of the middle one.
    V_grok = np.where(np.isnan(delay), np.nan, V * size)
    norms = np.stack([np.full(len(V), 4_000.0), V_grok], axis=1)[:, :, None] * [0.75, 0.25]
    return xr.Dataset(
        {
            "t_mem": ("run", np.full(len(V), t_mem)),
            "t_grok": ("run", t_mem + delay),
            "budget": ("run", np.full(len(V), 20_000.0)),
            "squared_norm_at_onset": (("run", "onset", "parameter"), norms),
        },
        {
            "onset": ["t_mem", "t_grok"],
            "parameter": ["W_E", "W_out"],
            "weight_decay": ("run", decay),
            "learning_rate": ("run", np.full(len(V), rate)),
        },
    )


def steps_of(V: float, decay: float) -> float:
    """How long decay alone takes from 4,000 to V."""
    return float(np.log(4_000 / V) / (-2 * np.log1p(-RATE * decay)))


@pytest.fixture(scope="module")
def shown() -> DelaySlider:
    """A slider over four weight decays."""
    return delay_slider(made())


@pytest.fixture(scope="module")
def html(shown: DelaySlider) -> str:
    """Its HTML."""
    return shown._repr_html_()


# ---------------------------------------------------------------------------------- the cells


def test_cells_are_in_order_and_hold_the_delays_that_were_seen(shown):
    assert [cell.decay for cell in shown.cells] == list(CELLS)
    assert [cell.delays for cell in shown.cells] == [
        (11_850, 14_050, 10_150), (3_800, 4_550, 3_550), (2_150, 1_950), (1_000,),
    ]  # fmt: skip
    assert [cell.median for cell in shown.cells] == [11_850, 3_800, 2_050, 1_000]
    assert shown.learning_rate == RATE
    ratios = [cell.log_ratio for cell in shown.cells]
    assert ratios[:2] == pytest.approx([np.log(4_000 / 700), np.log(4_000 / 760)])
    assert ratios[2] == pytest.approx(np.log(4_000 / 800) - np.log(0.8 * 1.2) / 2)
    assert ratios[3] == pytest.approx(np.log(4_000 / 1_100))


def test_runs_that_did_not_memorise_or_grokked_before_are_left_out():
    early = made()
    early["t_mem"] = ("run", [*early["t_mem"].values[:-2], np.nan, 1e5])
    (first, *rest) = delay_slider(early).cells
    assert first.delays == (11_850,)
    assert rest == list(delay_slider(made()).cells[1:])


def test_the_law_is_that_of_decay_alone_and_straight_between_archived_weight_decays(shown):
    assert shown.law(0.1) == pytest.approx(steps_of(700, 0.1), rel=1e-12)
    assert shown.law(1.0) == pytest.approx(steps_of(1_100, 1.0), rel=1e-12)
    middle = np.sqrt(0.1 * 0.3)  # half way on a log scale: the geometric mean of the norms
    assert shown.law(middle) == pytest.approx(steps_of(np.sqrt(700 * 760), middle), rel=1e-12)
    assert shown.law(0.01) == pytest.approx(steps_of(700, 0.01), rel=1e-12)
    assert shown.law(0.1) > shown.law(middle) > shown.law(0.3) > shown.law(1.0) > 0


def test_the_nearest_cell_is_nearest_on_a_log_scale(shown):
    assert [shown.nearest(decay).decay for decay in (0.05, 0.17, 0.18, 0.7, 0.71, 9.0)] == [
        0.1, 0.1, 0.3, 0.5, 1.0, 1.0,
    ]  # fmt: skip


# ---------------------------------------------------------------------------------- the words


def test_the_sentence_says_what_decay_would_take_and_what_was_measured(shown):
    law = steps_of(760, 0.3)
    assert shown.sentence(0.3) == (
        f"Weight decay 0.3: decay alone would take {law:,.0f} steps. Measured at 0.3: 3,800 steps "
        f"(median of 3 seeds), {3_800 / law:.2f} times what decay alone takes there."
    )
    between = shown.sentence(0.8)
    assert between.startswith(f"Weight decay 0.8: decay alone would take {shown.law(0.8):,.0f} ")
    assert "Measured at 1: 1,000 steps (one seed)" in between
    assert between.endswith(
        f"{1_000 / steps_of(1_100, 1.0):.2f} times what decay alone takes there."
    )
    assert "2,050 steps (median of 2 seeds)" in shown.sentence(0.5)


def test_the_text_form_holds_every_cell(shown):
    assert repr(shown).startswith(
        "Delay in steps by weight decay, 4 archived: 0.1: 11,850 measured, "
        f"{steps_of(700, 0.1):,.0f} by decay; 0.3: 3,800 measured, "
    )
    assert repr(shown).endswith(f"; 1: 1,000 measured, {steps_of(1_100, 1.0):,.0f} by decay.")
    assert len(repr(shown).split("; ")) == 4


# ---------------------------------------------------------------------------------- the HTML


def place(low: float, high: float, value: float) -> float:
    return np.log(value / low) / np.log(high / low)


def test_every_delay_is_a_dot_at_its_place(html, shown):
    low, high = data_of(html)["steps"]
    delays = [each for cell in shown.cells for each in cell.delays]
    assert high == pytest.approx(1.3 * 14_050)
    assert low == pytest.approx(shown.law(1.0) / 1.3)
    dots = [given for tag, given in Tags(html).tags if tag == "circle" and "fill" in given]
    assert len(dots) == 9 == len(delays)
    decays = [cell.decay for cell in shown.cells for _ in cell.delays]
    for dot, decay, steps in zip(dots, decays, delays, strict=True):
        x = LEFT + place(0.1, 1.0, decay) * (WIDTH - RIGHT - LEFT)
        y = HEIGHT - BOTTOM - place(low, high, steps) * (HEIGHT - BOTTOM - TOP)
        assert (float(dot["cx"]), float(dot["cy"])) == pytest.approx((x, y), abs=0.051)
    assert float(dots[0]["cy"]) < float(dots[-1]["cy"])  # longer is higher


def test_the_curve_is_the_law_from_end_to_end(html, shown):
    low, high = data_of(html)["steps"]
    (points,) = (given["points"] for tag, given in Tags(html).tags if tag == "polyline")
    xy = np.array([each.split(",") for each in points.split()], dtype=float)
    assert xy[0, 0] == LEFT and xy[-1, 0] == WIDTH - RIGHT
    for x, y in xy[[0, 7, 20, 33, -1]]:
        decay = 0.1 * 10 ** ((x - LEFT) / (WIDTH - RIGHT - LEFT))
        up = place(low, high, shown.law(decay)) * (HEIGHT - BOTTOM - TOP)
        assert y == pytest.approx(HEIGHT - BOTTOM - up, abs=0.3)
    assert (np.diff(xy[:, 1]) > 0).all()


def test_it_starts_at_a_middle_weight_decay_and_says_its_sentence(html, shown):
    page = Tags(html)
    (slider,) = [given for tag, given in page.tags if tag == "input"]
    assert slider["aria-valuetext"] == "0.5" and slider["max"] == "120"
    assert int(slider["value"]) == round(120 * np.log10(5)) == 84
    assert ("output", shown.sentence(0.5)) in page.texts
    assert ("title", shown.sentence(0.5)) in page.texts
    (label,) = [given for tag, given in page.tags if tag == "label"]
    assert "hidden" in label  # the script shows it
    (svg,) = [given for tag, given in page.tags if tag == "svg"]
    assert svg["aria-label"] == repr(shown)
    (live,) = [given for tag, given in page.tags if tag == "output"]
    assert live["aria-live"] == "polite"
    cursor = [given for tag, given in page.tags if tag == "line" and "class" not in given]
    assert float(cursor[0]["x1"]) == pytest.approx(
        LEFT + np.log10(5) * (WIDTH - RIGHT - LEFT), abs=0.06
    )


def test_the_axes_name_round_steps_and_every_weight_decay(html):
    texts = [text for tag, text in Tags(html).texts if tag == "text"]
    assert texts[:6] == ["1,000", "3,000", "10,000", "0.1", "0.3", "0.5"]
    assert {"1", "weight decay λ", "measured delay, a dot a seed", "decay alone (dashed)"} <= set(
        texts
    )


def test_the_script_gets_what_python_knows(html, shown):
    data = data_of(html)
    assert data["cells"] == [[0.1, 11_850, 3], [0.3, 3_800, 3], [0.5, 2_050, 2], [1.0, 1_000, 1]]
    assert data["ratios"] == pytest.approx([cell.log_ratio for cell in shown.cells], abs=1e-6)
    assert (data["low"], data["high"], data["rate"]) == (0.1, 1.0, RATE)
    assert data["box"] == [LEFT, WIDTH - RIGHT, TOP, HEIGHT - BOTTOM]


def test_the_html_is_the_same_each_time_small_and_fetches_nothing(html):
    assert delay_slider(made())._repr_html_() == html
    names = {name for _, given in Tags(html + html).tags for name in given}
    assert not names & {"id", "name", "for", "href", "src", "xmlns"}
    assert "//" not in html and len(html.encode()) < 6_000
    (packed,) = re.findall(r'<script type="application/json">(.*?)</script>', html)
    assert not set("<>&") & set(packed) and json.loads(packed)


# ---------------------------------------------------------------------------------- refusals


def test_fewer_than_two_weight_decays_are_refused():
    with pytest.raises(ValueError, match="not 1 and 1"):
        delay_slider(made({0.3: CELLS[0.3]}))
    with pytest.raises(ValueError, match="two weight decays and one learning rate, not 1 and 1"):
        delay_slider(made({0.3: CELLS[0.3], 1.0: ([np.nan, np.nan], 1_000.0)}))
    with pytest.raises(ValueError, match="not 0 and 0"):
        delay_slider(made().isel(run=[]))


def test_several_learning_rates_are_refused():
    runs = made()
    rates = ("run", np.where(np.arange(runs.sizes["run"]) % 2, 1e-3, 1e-4))
    with pytest.raises(ValueError, match="not 4 and 2"):
        delay_slider(runs.assign_coords(learning_rate=rates))
