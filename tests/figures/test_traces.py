import numpy as np
import pytest

from grokbook.figures import TEST, TRAIN, traces
from grokbook.figures.traces import Onset


def by_gid(axes, gid: str) -> list:
    return [line for line in axes.lines if line.get_gid() == gid]


def dashed(axes, colour: str) -> list[float]:
    vertical = [line for line in axes.lines if len(set(line.get_xdata())) == 1]
    return [
        float(line.get_xdata()[0])
        for line in vertical
        if line.get_color() == colour and len(line.get_xdata()) == 2
    ]


@pytest.mark.parametrize(("seeds", "loss"), [(1, True), (2, False), (20, False), (20, True)])
def test_every_number_of_seeds_makes_a_clean_picture(synthetic, check, seeds, loss):
    check(traces(synthetic(seeds), loss=loss))


@pytest.mark.parametrize(
    "setting",
    [
        {"t_grok": 20_000.0},
        {"t_grok": 90_000.0},
        {"t_mem": 3_000.0, "t_grok": 3_100.0},
        {"t_mem": 10_000.0, "t_grok": 90_000.0},
        {"t_grok": 3_000.0, "stop": 1.3},
    ],
)
def test_censored_late_early_and_stopped_runs_make_clean_pictures(synthetic, check, setting):
    check(traces(synthetic(5, **setting), loss=True))


def test_the_strong_line_is_the_median_over_seeds(synthetic):
    runs = synthetic(5)
    (axes,) = traces(runs).figure.axes
    for split, colour in (("train", TRAIN), ("test", TEST)):
        (line,) = by_gid(axes, f"median {split}")
        after = runs[f"{split}_accuracy"].sel(step=runs["step"] > 0)
        np.testing.assert_array_equal(line.get_ydata(), np.nanmedian(after, axis=0))
        np.testing.assert_array_equal(line.get_xdata(), after["step"])
        assert line.get_color() == colour


def test_a_run_that_ended_keeps_its_last_value_in_the_median(synthetic):
    runs = synthetic(5, t_grok=3_000.0, stop=1.5)
    assert runs["test_accuracy"].isnull().any()
    (axes,) = traces(runs).figure.axes
    (line,) = by_gid(axes, "median test")
    after = runs["test_accuracy"].sel(step=runs["step"] > 0).to_pandas().T
    expected = after.ffill().median(axis=1).loc[line.get_xdata()[0] :]
    np.testing.assert_allclose(line.get_ydata(), expected[: len(line.get_ydata())])
    # The median of those still alive would fall back to the late seeds.
    assert np.diff(line.get_ydata()).min() > -0.05


def test_each_seed_is_one_faint_line_without_its_padding(synthetic):
    runs = synthetic(4, stop=1.2)
    (axes,) = traces(runs).figure.axes
    for run in range(4):
        train, test = by_gid(axes, f"run {run}")
        assert (train.get_color(), test.get_color()) == (TRAIN, TEST)
        for line in (train, test):
            assert line.get_alpha() < 0.5
            assert line.get_xdata().max() <= float(runs["budget"][run])
            assert np.isfinite(line.get_ydata()).all()


def test_the_axes_name_their_quantities_and_units(synthetic):
    accuracy, loss = traces(synthetic(), loss=True).figure.axes
    assert accuracy.get_ylabel() == "accuracy"
    assert loss.get_ylabel() == "loss (nats)"
    assert loss.get_xlabel() == "optimisation step"
    assert accuracy.get_xscale() == loss.get_xscale() == loss.get_yscale() == "log"
    _, loss = traces(synthetic(), loss=True, steps_an_epoch=19).figure.axes
    assert loss.get_xlabel() == "optimisation step (19 make an epoch)"


def test_the_axis_begins_with_the_first_step_after_0_and_ends_with_the_last(synthetic):
    (axes,) = traces(synthetic(budget=4_000.0, every=50.0)).figure.axes
    assert axes.get_xlim() == (50, 4_000)


def test_onsets_are_marked_at_their_medians_and_at_each_seed(synthetic):
    runs = synthetic(5)
    (axes,) = traces(runs).figure.axes
    assert dashed(axes, TRAIN) == [float(runs["t_mem"].median())]
    assert dashed(axes, TEST) == [float(runs["t_grok"].median())]
    rugs = [c for c in axes.collections if c.get_gid() == "onsets"]
    for rug, name in zip(rugs, ("t_mem", "t_grok"), strict=True):
        ticks = [segment[0, 0] for segment in rug.get_segments()]
        np.testing.assert_array_equal(ticks, runs[name])


def test_a_censored_seed_is_infinitely_late_in_the_median(synthetic):
    runs = synthetic(5)
    runs["t_grok"] = ("run", [np.nan, 3_000.0, 1_000.0, np.nan, 2_000.0])
    picture = traces(runs)
    (axes,) = picture.figure.axes
    assert dashed(axes, TEST) == [3_000]  # and not 2,000, the median of the three
    assert "grokked: step 3,000 (3 of 5 seeds)" in [text.get_text() for text in axes.texts]
    assert "in 3 of 5, at median step 3,000" in picture.alt


def test_without_a_finite_median_no_mark_is_drawn(synthetic):
    runs = synthetic(4)
    runs["t_grok"] = ("run", [np.nan, np.nan, 1_000.0, 2_000.0])
    picture = traces(runs)
    (axes,) = picture.figure.axes
    assert dashed(axes, TEST) == []
    assert "not grokked (2 of 4 seeds)" in [text.get_text() for text in axes.texts]
    assert "Test accuracy reaches its level in 2 of 4. " in picture.alt


def test_a_triangle_stands_where_a_censored_seed_ended(synthetic):
    runs = synthetic(3)
    runs["t_grok"] = ("run", [np.nan, 3_000.0, np.nan])
    runs["budget"] = ("run", [9_000.0, 20_000.0, 20_000.0])
    (axes,) = traces(runs).figure.axes
    memorised, grokked = by_gid(axes, "censored")
    assert memorised.get_xdata().size == 0
    assert grokked.get_xdata().tolist() == [9_000, 20_000]


def test_a_run_that_diverged_ends_in_a_cross(synthetic):
    runs = synthetic(3)
    runs["diverged_at"] = ("run", [np.nan, 700.0, np.nan])
    runs["test_accuracy"] = runs["test_accuracy"].where((runs["step"] <= 700) | (runs.run != 1))
    picture = traces(runs)
    (axes,) = picture.figure.axes
    assert [line.get_xdata() for line in by_gid(axes, "diverged")][1] == [700]
    assert "Diverged: 1." in picture.alt


def test_a_loss_of_0_is_left_out_of_the_log_axis(synthetic):
    runs = synthetic(3)
    runs["train_loss"] = runs["train_loss"].where(runs["step"] < 5_000, 0.0)
    figure = traces(runs, loss=True).figure
    lines = by_gid(figure.axes[1], "run 0")
    assert lines[0].get_ydata().min() > 0
    assert lines[0].get_xdata().max() < 5_000


def test_other_onset_rules_can_be_shown(synthetic):
    runs = synthetic(3)
    runs["t_grok_90"] = runs["t_grok"] / 2
    (axes,) = traces(runs, grok="t_grok_90").figure.axes
    assert dashed(axes, TEST) == [float(runs["t_grok_90"].median())]


def test_train_and_test_are_named_in_their_colours(synthetic):
    (axes,) = traces(synthetic()).figure.axes
    assert axes.get_legend() is None
    texts = [text.get_text() for text in axes.texts]
    assert {"train", "test"} <= set(texts)
    assert any(text.startswith("memorised: step ") for text in texts)
    assert any(text.startswith("grokked: step ") for text in texts)


def test_the_same_runs_give_the_same_bytes(synthetic):
    assert traces(synthetic(3)).png == traces(synthetic(3)).png


def test_runs_that_cannot_be_drawn_are_refused(synthetic):
    runs = synthetic(2)
    for broken in (runs.isel(run=[]), runs.isel(step=[0, 1])):
        with pytest.raises(ValueError, match="need a run and two evaluations after step 0"):
            traces(broken)


def test_the_median_of_an_onset_equals_the_sorted_middle():
    steps = np.array([5.0, np.nan, 1.0, 3.0])
    assert Onset(steps).median == 4.0
    assert Onset(np.array([np.nan, 1.0])).median == np.inf
    assert Onset(steps).reached == 3
    assert Onset(np.array([2.0])).words("grokked") == "grokked: step 2"
