"""What the pictures of frames share: shares of power, the axis of steps, and refusals."""

import numpy as np
import pytest

from grokbook.figures.frames import StepAxis, key_frequencies, onsets, shares, single, step_axis
from tests.figures.framed import framed


def test_shares_are_those_of_a_fourier_transform():
    run, share = shares(framed(16, (3, 5)).isel(run=0))
    waves = np.abs(np.fft.rfft(run["frame_W_E"].astype(float), axis=1)) ** 2
    energy = waves.sum(axis=2)
    energy[:, 1:8] *= 2  # the transform of real numbers is stored to the half
    expected = energy[:, 1:] / energy[:, 1:].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(share, expected, rtol=1e-10)
    np.testing.assert_allclose(share.sum(axis=1), 1)


def test_frames_that_were_not_reached_are_left_out_and_the_rest_is_in_order():
    run = framed(23, (3, 4)).isel(run=0, frame=slice(None, None, -1))
    ended = run.assign(embedding_power=run["embedding_power"].where(run["frame"] < 3_000))
    kept, share = shares(ended)
    assert kept["frame"].to_numpy().tolist() == [0, 500, 1_000, 1_500, 2_000, 2_500]
    np.testing.assert_array_equal(share, shares(run)[1][:6])


def test_an_embedding_that_died_has_shares_of_0():
    run = framed(23, (3, 4)).isel(run=0)
    dead = run.assign(embedding_power=run["embedding_power"].where(run["frame"] < 3_000, 0.0))
    _, share = shares(dead)
    assert share[5].sum() == pytest.approx(1)
    assert not share[6:].any()


def test_the_constant_is_no_key_frequency():
    run = framed(23, (0, 3, 4)).isel(run=0)
    assert key_frequencies(run).tolist() == [3, 4]
    for stored in (run["key"].astype(np.int8), run["key"].where(run["frequency"] > 0)):
        assert key_frequencies(run.assign(key=stored)).tolist() == [3, 4]


def test_onsets_are_said_in_words():
    run = framed(23, (3,)).isel(run=0).assign(t_mem=1_480, t_grok=np.nan)
    (_, step, memorised), (_, _, grokked) = onsets(run)
    assert (step, memorised, grokked) == (1_480, "memorised: step 1,480", "not grokked")


@pytest.mark.parametrize(
    ("steps", "log"),
    [
        (np.arange(0.0, 40_001.0, 1_000.0), False),
        (np.arange(100.0, 40_001.0, 100.0), False),
        (np.geomspace(10, 40_000, 50), True),
        (np.concatenate([[0.0], np.geomspace(1, 40_000, 20)]), True),
        (np.array([0.0, 9_000.0]), False),
    ],
)
def test_the_axis_is_the_one_on_which_frames_lie_evenly(steps, log):
    axis = step_axis(steps)
    assert axis.log is log
    assert axis.place(axis.first) == 0
    assert axis.place(axis.last) == 10_000
    places = [axis.place(step) for step in steps if step >= axis.first]
    if len(places) > 3:
        assert np.ptp(np.diff(places)) <= 0.1 * np.mean(np.diff(places)) + 2


def test_an_axis_has_a_few_round_ticks():
    assert StepAxis(10, 40_000, log=True).ticks() == [10, 100, 1_000, 10_000]
    assert StepAxis(2_000, 9_000, log=True).ticks() == [2_000, 5_000]
    assert StepAxis(0, 50_000, log=False).ticks() == [0, 20_000, 40_000]


def test_an_axis_without_length_is_refused():
    for first, last, log in ((5, 5, False), (0, 10, True)):
        with pytest.raises(ValueError, match=f"axis of steps cannot go from {first} to {last}"):
            StepAxis(first, last, log=log)


def test_not_one_run_is_refused_by_number():
    runs = framed(23, (3,), seeds=3)
    with pytest.raises(ValueError, match=r"a spectrum shows one run, not 3; choose it by"):
        single(runs, {"key"}, "a spectrum")
    assert "run" not in single(runs.isel(run=[1]), {"key"}, "a spectrum").dims
    with pytest.raises(ValueError, match=r"the runs have no age, key; a spectrum needs them all"):
        single(runs.drop_vars("key"), {"key", "age", "frame"}, "a spectrum")


def test_frequencies_with_a_gap_and_single_frames_are_refused():
    run = framed(23, (3,)).isel(run=0)
    with pytest.raises(ValueError, match=r"without a gap, not \[0, 2, 3"):
        shares(run.drop_sel(frequency=1))
    with pytest.raises(ValueError, match="at least two frames are needed, and the run has 1"):
        shares(run.isel(frame=[0]))
