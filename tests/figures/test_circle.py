"""The plane of a frequency, and what the picture of circles draws in it."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from grokbook.figures.circle import circle
from grokbook.figures.colours import wheel
from grokbook.figures.plane_axes import nice
from grokbook.figures.planes import flat, plane, rings
from tests.figures.framed import framed

RUN = framed(frames=np.arange(0.0, 20_001.0, 2_500.0)).isel(run=0)
LAST = RUN["frame_W_E"][-1].to_numpy()
MIDDLE = RUN["frame_W_E"][3].to_numpy()


def ideal(p: int, k: int, d: int = 8, *, seed: int = 0) -> np.ndarray:
    """A perfect circle of frequency k and radius 1 in a random plane."""
    planes = np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]
    angle = 2 * np.pi * k * np.arange(p) / p
    return np.cos(angle)[:, None] * planes[0] + np.sin(angle)[:, None] * planes[1]


def drawn(axes, gid: str):
    (found,) = (one for one in axes.collections if one.get_gid() == gid)
    return found


def names(axes) -> list[str]:
    return [text.get_text() for text in axes.texts if text.get_gid() == "residue"]


# -------------------------------------------------------------------------------------- the plane


@pytest.mark.parametrize(("p", "k"), [(7, 1), (7, 3), (12, 5), (113, 56)])
def test_a_circle_comes_back_with_its_angles(p, k):
    directions = plane(ideal(p, k), k)
    np.testing.assert_allclose(directions.T @ directions, np.eye(2), atol=1e-12)
    angle = 2 * np.pi * k * np.arange(p) / p
    expected = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    np.testing.assert_allclose(flat(ideal(p, k) + 3.0, directions), expected, atol=1e-12)


def test_no_other_orthonormal_pair_is_closer_to_the_waves():
    random = np.random.default_rng(0)
    W = random.normal(size=(23, 6))
    angle = 2 * np.pi * 4 * np.arange(23) / 23
    waves = np.stack([np.cos(angle) @ W, np.sin(angle) @ W], axis=1)
    best = np.linalg.norm(plane(W, 4) - waves)
    for size in (0.01, 0.3, 3.0):
        for _ in range(30):
            other = np.linalg.qr(plane(W, 4) + size * random.normal(size=(6, 2)))[0]
            flips = [other * signs for signs in ([1, 1], [1, -1], [-1, 1], [-1, -1])]
            assert min(np.linalg.norm(flip - waves) for flip in flips) > best


@pytest.mark.parametrize(("n", "k", "rounds"), [(7, 3, 1), (113, 42, 1), (12, 5, 1), (12, 8, 4)])
def test_a_round_visits_the_angles_in_order(n, k, rounds):
    order = rings(n, k)
    assert order.shape == (rounds, n // rounds)
    assert sorted(order.ravel()) == list(range(n))
    steps = (np.roll(order, -1, axis=1) - order) * k % n
    assert set(steps.ravel()) == {rounds}  # one step of the angle, in units of 2π / n


def test_a_frequency_without_a_plane_is_refused():
    W = ideal(12, 5)
    for k in (0, 6, 7, -1):
        with pytest.raises(ValueError, match=f"frequency {k} has no plane; give 1 to 5 for 12"):
            plane(W, k)
    with pytest.raises(ValueError, match="no plane of frequency 2: no power in it"):
        plane(W, 2)
    with pytest.raises(ValueError, match="no plane of frequency 5: no power in it"):
        plane(W * [1, 0, 0, 0, 0, 0, 0, 0], 5)  # a line is no plane


# ------------------------------------------------------------------------------------ the picture


@pytest.mark.parametrize("number", [1, 2, 4, 5, 12])
def test_every_number_of_panels_makes_a_clean_picture(check, number):
    chosen = [14, 35, 41, 42, 52, 1, 2, 3, 4, 5, 6, 7][:number]
    check(circle(LAST, chosen))


def test_noise_and_small_groups_make_clean_pictures(check):
    check(circle(MIDDLE, [14, 20, 35]))
    check(circle(framed(12, (1, 2, 3))["frame_W_E"][0, -1].to_numpy(), [1, 2, 3, 4]))


def test_dots_are_the_residues_and_keep_their_hues():
    for axes, k in zip(circle(LAST, [14, 35, 41]).figure.axes, [14, 35, 41], strict=False):
        dots = drawn(axes, "residues")
        np.testing.assert_allclose(dots.get_offsets(), flat(LAST, plane(LAST, k)))
        assert [to_hex(colour) for colour in dots.get_facecolors()] == wheel(113)
        (line,) = drawn(axes, "rings").get_segments()
        order = sorted(range(113), key=lambda a, k=k: a * k % 113)
        np.testing.assert_allclose(line, dots.get_offsets()[[*order, 0]])


def test_all_panels_have_one_scale_and_square_units():
    *panels, _ = circle(MIDDLE, [14, 35, 41, 42, 52]).figure.axes
    assert len(panels) == 5
    assert len({axes.get_xlim() for axes in panels} | {axes.get_ylim() for axes in panels}) == 1
    for axes in panels:
        box = axes.get_window_extent()
        assert box.width == pytest.approx(box.height)
        assert axes.get_aspect() == 1
        inside = np.abs(drawn(axes, "residues").get_offsets()) < axes.get_xlim()[1]
        assert inside.all()


def test_the_first_residues_are_named_where_they_stand():
    (axes, _) = circle(LAST, 14).figure.axes
    assert names(axes) == ["0", "1", "2", "3"]
    points = flat(LAST, plane(LAST, 14))
    for text in axes.texts:
        if text.get_gid() == "residue":
            away = np.array(text.xyann) @ points[int(text.get_text())]
            assert away / np.linalg.norm(text.xyann) > 0.99 * np.linalg.norm(
                points[int(text.get_text())]
            )


def test_shares_are_those_of_the_stored_power():
    runs = framed(frames=np.arange(0.0, 20_001.0, 2_500.0)).isel(run=0)
    power = runs["embedding_power"][-1].to_numpy()
    picture = circle(LAST, [14, 35])
    for k in (14, 35):
        share = 100 * power[k] / power[1:].sum()
        assert f"Frequency {k}: {share:.3g} % of the non-constant power" in repr(picture)
        assert f"{share:.3g} %" in {t.get_text() for a in picture.figure.axes for t in a.texts}


def test_the_text_gives_radius_and_spread():
    text = repr(circle(2.5 * ideal(23, 4), 4))
    assert text == (
        "The embedding of 23 residues in the plane of frequency 4. "
        "Frequency 4: 100 % of the non-constant power, radius 2.5 with a spread of 0 %."
    )


def test_frequencies_may_come_from_an_array():
    keys = np.flatnonzero(RUN["key"].to_numpy())[:2]
    assert repr(circle(LAST, keys)) == repr(circle(LAST, [14, 35]))


def test_round_numbers():
    assert [nice(most) for most in (0.9, 1.0, 0.0351, 0.6, 250)] == [0.9, 1, 0.03, 0.6, 200]


def test_no_frequency_and_too_many_are_refused():
    for chosen in ([], list(range(1, 14))):
        with pytest.raises(ValueError, match=f"for 1 to 12 frequencies, not {len(chosen)}"):
            circle(LAST, chosen)
