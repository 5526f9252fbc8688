"""The heat map of Fourier power, read back from its axes."""

import numpy as np
import pytest

from grokbook.figures import TEST, TRAIN
from grokbook.figures.spectrum import apart, spectrum
from tests.figures.framed import framed

GEOMETRIC = np.unique(np.geomspace(10, 40_000, 40).round())
KINDS = {
    "linear": framed(),
    "log": framed(frames=GEOMETRIC),
    "never": framed(t_grok=np.nan),
    "small": framed(12, (1, 5)),
    "without keys": framed(23, ()),
    "all keys": framed(61, tuple(range(1, 31))),
    "crowded": framed(113, (1, 2, 3, 4, 54, 55, 56)),
    "many frames": framed(53, (3, 17), frames=np.arange(0.0, 30_001.0, 100.0), width=8),
}


def mesh(axes):
    (found,) = (one for one in axes.collections if one.get_gid() == "shares")
    return found


def onset_lines(axes) -> dict[str, float]:
    return {
        line.get_color(): float(line.get_xdata()[0])
        for line in axes.lines
        if line.get_gid() == "onset"
    }


def keys(axes) -> list:
    return [text for text in axes.texts if text.get_gid() == "key"]


@pytest.mark.parametrize("kind", ["linear", "log", "never", "small", "all keys"])
def test_every_kind_of_run_makes_a_clean_picture(check, kind):
    check(spectrum(KINDS[kind]))


def test_the_map_holds_the_shares_of_the_non_constant_power():
    runs = KINDS["linear"]
    drawn = mesh(spectrum(runs).figure.axes[0])
    energy = np.abs(np.fft.fft(runs["frame_W_E"][0].astype(float), axis=1)) ** 2
    power = energy.sum(axis=2)[:, 1:57]  # frequencies k and 113 − k are equal
    expected = power / power.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(drawn.get_array().T, expected, rtol=1e-9)
    assert drawn.norm.gamma == 0.5
    assert (drawn.norm.vmin, drawn.norm.vmax) == (0, pytest.approx(expected.max()))


def test_noise_stays_pale_where_nothing_else_is():
    drawn = mesh(spectrum(KINDS["never"]).figure.axes[0])
    assert drawn.norm.vmax == 8 / 56
    assert drawn.get_array().max() < 0.2 * drawn.norm.vmax


def test_a_column_reaches_half_way_to_the_next_frame():
    for kind, middle in (
        ("linear", lambda a, b: (a + b) / 2),
        ("log", lambda a, b: np.sqrt(a * b)),
    ):
        runs = KINDS[kind]
        (axes, _) = spectrum(runs).figure.axes
        step = runs["frame"].to_numpy()
        edges = mesh(axes).get_coordinates()[0, :, 0]
        np.testing.assert_allclose(edges, [step[0], *middle(step[1:], step[:-1]), step[-1]])
        assert axes.get_xscale() == kind
        assert axes.get_xlim() == (step[0], step[-1])
        assert axes.get_xlabel() == "optimisation step"


def test_more_frames_than_dots_are_thinned():
    drawn = mesh(spectrum(KINDS["many frames"]).figure.axes[0])
    assert drawn.get_array().shape == (26, 120)


def test_onsets_are_marked_and_written():
    runs = KINDS["linear"].isel(run=0)
    (axes, _) = spectrum(runs).figure.axes
    assert onset_lines(axes) == {TRAIN: float(runs["t_mem"]), TEST: float(runs["t_grok"])}
    written = [text.get_text() for text in axes.texts]
    assert "memorised: step 148" in written
    assert "grokked: step 9,114" in written


def test_an_onset_that_was_not_reached_has_no_line():
    (axes, _) = spectrum(KINDS["never"]).figure.axes
    assert list(onset_lines(axes)) == [TRAIN]
    assert "not grokked" in [text.get_text() for text in axes.texts]


def test_key_frequencies_are_written_beside_their_rows():
    (axes, _) = spectrum(KINDS["crowded"]).figure.axes
    assert [text.get_text() for text in keys(axes)] == ["1", "2", "3", "4", "54", "55", "56"]
    leaders = [line.get_ydata() for line in axes.lines if len(line.get_ydata()) == 4]
    assert [line[0] for line in leaders] == [1, 2, 3, 4, 54, 55, 56]
    assert [line[-1] for line in leaders] == [text.get_position()[1] for text in keys(axes)]


def test_where_there_is_no_room_the_strongest_keys_are_written():
    runs = KINDS["all keys"]
    (axes, _) = spectrum(runs).figure.axes
    written = {int(text.get_text()) for text in keys(axes)}
    assert 10 < len(written) < 30
    power = runs["embedding_power"][0, -1].to_numpy()
    assert written == set(np.argsort(-power[1:])[: len(written)] + 1)


def test_places_move_apart_as_little_as_possible():
    random = np.random.default_rng(0)
    for _ in range(20):
        places = np.sort(random.uniform(0, 10, 4))
        moved = apart(places, 1.5, 0.0, 10.0)
        assert np.diff(moved).min() >= 1.5 - 1e-9
        assert moved.min() >= 0 and moved.max() <= 10
        # No allowed change of one place or of all makes the moves smaller.
        cost = ((moved - places) ** 2).sum()
        for change in (*np.eye(4), np.ones(4), *-np.eye(4), -np.ones(4)):
            other = moved + 0.01 * change
            if np.diff(other).min() >= 1.5 and other.min() >= 0 and other.max() <= 10:
                assert ((other - places) ** 2).sum() > cost - 1e-9
    np.testing.assert_array_equal(apart(np.array([2.0, 5.0]), 1.0, 0.0, 9.0), [2, 5])


def test_the_scale_has_the_colours_and_round_shares():
    (axes, scale) = spectrum(KINDS["linear"]).figure.axes
    assert scale.collections[0].cmap == mesh(axes).cmap
    assert scale.get_ylabel() == "share of non-constant power"
    ticks = [tick.get_text() for tick in scale.get_yticklabels()]
    assert ticks[0] == "0 %" and ticks[-1] == "20 %" and len(ticks) >= 4


def test_the_text_says_what_is_drawn():
    assert repr(spectrum(KINDS["linear"])) == (
        "Fourier power of the embedding at 41 frames from step 0 to 20,000, frequencies 1 to 56. "
        "Key frequencies 14, 35, 41, 42, 52: 8.29 % of the non-constant power at the first frame, "
        "99.8 % at the last. Memorised: step 148; grokked: step 9,114."
    )
    assert "No key frequency; the strongest at the last frame is" in repr(
        spectrum(KINDS["without keys"])
    )


def test_whole_numbers_of_steps_are_as_good():
    runs = KINDS["small"]
    whole = runs.assign_coords(frame=runs["frame"].astype(int))
    one, other = (spectrum(kind) for kind in (whole, runs))
    assert repr(one) == repr(other)
    np.testing.assert_array_equal(*(mesh(p.figure.axes[0]).get_array() for p in (one, other)))


def test_runs_that_cannot_be_drawn_are_refused():
    with pytest.raises(ValueError, match="no embedding_power, t_grok; a spectrum needs them all"):
        spectrum(KINDS["small"].drop_vars(["embedding_power", "t_grok"]))
    with pytest.raises(ValueError, match="at least two frames"):
        spectrum(KINDS["small"].isel(frame=[3]))
