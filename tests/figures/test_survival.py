import numpy as np
import pytest

from grokbook.figures import ARMS, survival
from grokbook.statistics import kaplan_meier, right_censored


def arms_of(synthetic, **settings: float) -> dict:
    return {
        name: synthetic(8, seed=seed, t_grok=t_grok)
        for seed, (name, t_grok) in enumerate(settings.items())
    }


def solid(axes) -> list:
    return [line for line in axes.lines if line.get_drawstyle() == "steps-post"]


@pytest.mark.parametrize("number", [1, 3, 6, 9])
def test_every_number_of_arms_makes_a_clean_picture(synthetic, check, number):
    names = {f"weight decay {i}": 1_500.0 * 1.5**i for i in range(number)}
    check(survival(arms_of(synthetic, **names)))


def test_arms_without_onsets_and_single_seeds_make_clean_pictures(synthetic, check):
    check(survival({"never": synthetic(5, t_grok=1e6), "one seed": synthetic(1)}))


def test_the_curve_is_kaplan_and_meiers_with_its_band(synthetic):
    runs = synthetic(9, t_grok=20_000.0)
    assert runs["censored"].any()
    curve = kaplan_meier(*right_censored(runs["t_grok"].values, runs["budget"].values))
    (axes,) = survival({"arm": runs}).figure.axes
    (line,) = solid(axes)
    np.testing.assert_array_equal(line.get_ydata(), curve.survival)
    np.testing.assert_array_equal(line.get_xdata()[1:], curve.times[1:])
    (band,) = axes.collections
    corners = band.get_paths()[0].vertices
    for step, low, high in zip(curve.times[2:-1], curve.low[2:-1], curve.high[2:-1], strict=True):
        heights = corners[corners[:, 0] == step, 1]
        assert np.isclose(heights, low).any() and np.isclose(heights, high).any()


def test_without_censoring_the_curve_is_the_share_of_later_onsets(synthetic):
    runs = synthetic(7, t_grok=1_000.0)
    onsets = runs["t_grok"].values
    (axes,) = survival({"arm": runs}).figure.axes
    (line,) = solid(axes)
    for step, share in zip(line.get_xdata()[1:], line.get_ydata()[1:], strict=True):
        assert share == pytest.approx((onsets > step).mean())


def test_an_arm_without_onsets_shows_its_band_all_along(synthetic):
    (axes,) = survival({"never": synthetic(5, t_grok=1e6)}).figure.axes
    (band,) = axes.collections
    corners = band.get_paths()[0].vertices
    assert corners[:, 0].min() == axes.get_xlim()[0]
    assert corners[:, 1].min() == pytest.approx(0.025 ** (1 / 5))


def test_a_tick_on_the_curve_is_a_seed_that_ended_first(synthetic):
    runs = synthetic(5)
    runs["t_grok"] = ("run", [np.nan, 3_000.0, 4_000.0, np.nan, 9_000.0])
    runs["budget"] = ("run", [3_500.0, 3_000.0, 4_000.0, 20_000.0, 9_000.0])
    (axes,) = survival({"arm": runs}).figure.axes
    (ticks,) = [line for line in axes.lines if line.get_gid() == "censored"]
    assert ticks.get_xdata().tolist() == [3_500, 20_000]
    left = 4 / 5 * 2 / 3 * 1 / 2
    np.testing.assert_allclose(ticks.get_ydata(), [4 / 5, left])


def test_the_table_counts_the_seeds_still_at_risk(synthetic):
    arms = arms_of(synthetic, early=1_500.0, late=9_000.0)
    figure = survival(arms).figure
    figure.canvas.draw()
    (axes,) = figure.axes
    low, high = axes.get_xlim()
    steps = [step for step in axes.xaxis.get_majorticklocs() if low <= step <= high]
    shown = [text.get_text() for text in axes.texts if text.get_text().isdigit()]
    expected = [
        str(sum(not (onset < step) for onset in runs["t_grok"].values))
        for runs in arms.values()
        for step in steps
    ]
    assert shown == expected
    assert len(steps) >= 3


def test_many_arms_have_no_table(synthetic):
    names = {f"arm {i}": 1_500.0 * 1.4**i for i in range(7)}
    (axes,) = survival(arms_of(synthetic, **names)).figure.axes
    assert sorted(text.get_text() for text in axes.texts) == list(names)


def test_an_arm_that_was_not_run_keeps_its_place_and_colour(synthetic):
    runs = synthetic(4)
    (axes,) = survival({"first": None, "second": runs}).figure.axes
    (line,) = solid(axes)
    assert line.get_color() == ARMS[1]
    assert "first" not in [text.get_text() for text in axes.texts]


def test_axes_say_what_they_show(synthetic):
    runs = synthetic(3)
    (axes,) = survival({"arm": runs}).figure.axes
    assert axes.get_xlabel() == "optimisation step"
    assert axes.get_ylabel() == "share not yet grokked"
    assert axes.get_xscale() == "log"
    assert axes.get_xlim()[0] < runs["t_grok"].min()
    (axes,) = survival({"arm": runs}, steps_an_epoch=19).figure.axes
    assert axes.get_xlabel() == "optimisation step (19 make an epoch)"
    (axes,) = survival({"arm": runs}, rule="t_mem").figure.axes
    assert axes.get_ylabel() == "share not yet memorised"
    (line,) = solid(axes)
    assert line.get_xdata()[1] == runs["t_mem"].min()


def test_the_text_tells_every_arm(synthetic):
    runs = synthetic(3)
    runs["t_grok"] = ("run", [1_000.0, 2_000.0, np.nan])
    never = synthetic(2, t_grok=1e6)
    text = survival({"a": runs, "b": never}).alt
    assert "a: 2 of 3 seeds grokked, median step 2,000." in text
    assert "b: 0 of 2 seeds grokked, median not reached." in text


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match=r"none of \['a'\] has any"):
        survival({"a": None})


def test_the_same_runs_give_the_same_bytes(synthetic):
    assert survival({"a": synthetic(3)}).png == survival({"a": synthetic(3)}).png
