"""The picture of the phases: four losses, read back from its axes."""

import numpy as np
import pytest

from grokbook.figures import ARMS, TEST, TRAIN
from grokbook.figures.progress import LOSSES, progress
from tests.figures.framed import framed

FIVE = framed(11, (2, 3), seeds=5, width=8)


def by_gid(axes, gid: str) -> list:
    return [line for line in axes.lines if line.get_gid() == gid]


def dashed(axes) -> dict[str, float]:
    lines = (line for line in axes.lines if len(line.get_xdata()) == 2)
    return {line.get_color(): float(line.get_xdata()[0]) for line in lines}


@pytest.mark.parametrize("kind", ["five", "log", "never", "early"])
def test_every_kind_of_run_makes_a_clean_picture(check, kind):
    small = {"p": 11, "keys": (2, 3), "width": 8}
    check(
        progress(
            {
                "five": lambda: FIVE,
                "log": lambda: framed(frames=np.geomspace(10, 40_000, 50).round(), **small),
                "never": lambda: framed(t_grok=np.nan, **small),
                "early": lambda: framed(t_grok=1_500.0, seeds=20, **small),
            }[kind]()
        )
    )


def test_the_strong_lines_are_medians_over_seeds_in_their_colours():
    (axes,) = progress(FIVE).figure.axes
    for name, colour in zip(LOSSES, (TRAIN, TEST, ARMS[0], ARMS[2]), strict=True):
        (line,) = by_gid(axes, f"median {name}")
        variable = f"frame_{name}_loss" if name in ("train", "test") else f"{name}_loss"
        np.testing.assert_array_equal(line.get_ydata(), np.median(FIVE[variable], axis=0))
        np.testing.assert_array_equal(line.get_xdata(), FIVE["frame"])
        assert line.get_color() == colour
    texts = {text.get_text() for text in axes.texts}
    assert {"train", "test", "restricted", "excluded"} <= texts
    assert axes.get_yscale() == "log" and axes.get_ylabel() == "loss (nats)"
    assert axes.get_xlabel() == "optimisation step"


def test_each_seed_is_one_faint_line_a_loss():
    (axes,) = progress(FIVE).figure.axes
    for run in range(5):
        lines = by_gid(axes, f"run {run}")
        assert len(lines) == 4
        assert max(line.get_alpha() for line in lines) < 0.5
        np.testing.assert_array_equal(lines[2].get_ydata(), FIVE["restricted_loss"][run])


def test_onsets_are_marked_at_their_medians_over_all_seeds():
    (axes,) = progress(FIVE).figure.axes
    assert dashed(axes) == {
        TRAIN: float(np.median(FIVE["t_mem"])),
        TEST: float(np.median(FIVE["t_grok"])),
    }
    some = FIVE.assign(t_grok=("run", [np.nan, 3_000.0, 1_000.0, np.nan, 2_000.0]))
    picture = progress(some)
    assert dashed(picture.figure.axes[0])[TEST] == 3_000  # not 2,000, the median of the three
    assert "grokked: step 3,000 (3 of 5 seeds)" in repr(picture)
    most = FIVE.assign(t_grok=("run", [np.nan, 3_000.0, np.nan, np.nan, 2_000.0]))
    assert list(dashed(progress(most).figure.axes[0])) == [TRAIN]


def test_a_run_that_ended_keeps_its_last_value_in_the_median():
    ended = FIVE.copy()
    for variable, _ in LOSSES.values():
        ended[variable] = ended[variable].where((ended["frame"] < 5_000) | (ended["run"] > 1))
    (axes,) = progress(ended).figure.axes
    for name, (variable, _) in LOSSES.items():
        (line,) = by_gid(axes, f"median {name}")
        held = ended[variable].transpose("run", "frame").to_pandas().ffill(axis=1)
        np.testing.assert_allclose(line.get_ydata(), held.median(axis=0), rtol=1e-12)
        assert by_gid(axes, "run 0")[0].get_xdata().max() < 5_000


def test_seeds_with_other_frames_do_not_bend_the_median():
    sparse = FIVE.copy()
    for variable, _ in LOSSES.values():
        kept = (sparse["frame"] % 1_000 == 0) | (sparse["run"] == 2)
        sparse[variable] = sparse[variable].where(kept)
    (axes,) = progress(sparse).figure.axes
    whole = {name: np.median(FIVE[variable], axis=0) for name, (variable, _) in LOSSES.items()}
    for name in LOSSES:
        late = slice(5, None)  # before it memorisation is too fast for any line
        drawn = by_gid(axes, f"median {name}")[0].get_ydata()[late]
        np.testing.assert_allclose(drawn, whole[name][late], rtol=0.3)


def test_a_loss_of_0_is_left_out_of_the_log_axis():
    none = FIVE.assign(frame_train_loss=FIVE["frame_train_loss"].where(FIVE["frame"] < 5_000, 0.0))
    (axes,) = progress(none).figure.axes
    assert by_gid(axes, "run 0")[0].get_xdata().max() < 5_000


def test_step_0_is_left_out_of_a_log_axis():
    frames = np.concatenate([[0.0], np.geomspace(10, 20_000, 30)])
    (axes,) = progress(framed(11, (2,), frames=frames, width=8)).figure.axes
    assert axes.get_xscale() == "log"
    assert by_gid(axes, "median test")[0].get_xdata()[0] == 10


def test_one_run_without_its_dimension_is_a_seed():
    assert repr(progress(FIVE.isel(run=0))) == repr(progress(FIVE.isel(run=[0])))


def test_the_text_says_what_is_drawn():
    ends = {name: np.median(FIVE[v], axis=0)[[0, -1]] for name, (v, _) in LOSSES.items()}
    text = repr(progress(FIVE))
    assert "5 seeds, 41 frames to step 20,000." in text
    assert "train 4.7 to 3e−7" in text and ends["train"][1] == pytest.approx(3e-7, rel=0.15)
    assert f"restricted 4.7 to {ends['restricted'][1]:.2g}" in text
    assert "Memorised: step 1" in text


def test_runs_that_cannot_be_drawn_are_refused():
    with pytest.raises(ValueError, match="no excluded_loss, t_mem; progress needs them all"):
        progress(FIVE.drop_vars(["excluded_loss", "t_mem"]))
    for broken in (FIVE.isel(run=[]), FIVE.isel(frame=[0])):
        with pytest.raises(ValueError, match="progress needs a run and two frames, not"):
            progress(broken)
