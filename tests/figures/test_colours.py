"""Colour scales: equal steps, contrast, and what eyes without red or green see of them."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from grokbook.figures.colours import oklch, ramp, wheel
from grokbook.figures.style import _luminance
from tests.figures.test_style import BLIND, lab, linear


def seen(colour: str, eyes: str) -> np.ndarray:
    return lab(np.clip(np.array(BLIND[eyes]) @ linear(colour), 0, 1))


def test_known_colours_come_back():
    # Ottosson's own values for the primaries of sRGB, and for white and a middle grey.
    for polar, colour in (
        ((0.62796, 0.25768, 29.234), (1, 0, 0)),
        ((0.86644, 0.29483, 142.495), (0, 1, 0)),
        ((0.45201, 0.31321, 264.052), (0, 0, 1)),
        ((1.0, 0.0, 0.0), (1, 1, 1)),
        ((0.5, 0.0, 0.0), (0.3885, 0.3885, 0.3885)),
    ):
        found = oklch(*(np.array([part]) for part in polar))
        np.testing.assert_allclose(found[0], colour, atol=2e-3)


@pytest.mark.parametrize("eyes", BLIND)
def test_the_ramp_falls_in_equal_steps_of_lightness(eyes):
    light = [seen(colour, eyes)[0] for colour in ramp().colors]
    assert light[0] == pytest.approx(100, abs=0.2)
    assert light[-1] < 15
    steps = -np.diff(light)
    assert steps.min() > 0.7 * steps.mean()
    assert steps.max() < 1.3 * steps.mean()


def test_the_wheel_is_closed_and_goes_round_once():
    for n in (3, 12, 18, 113):
        colours = wheel(n)
        assert len(colours) == n
        assert len(set(colours)) == min(n, 18)
    hues = [seen(colour, "normal") for colour in dict.fromkeys(wheel(113))]
    around = np.linalg.norm(np.array(hues) - np.roll(hues, 1, axis=0), axis=1)
    assert around[0] < 1.6 * around.mean()  # from the last residue back to 0
    assert around.max() < 1.8 * around.mean()


@pytest.mark.parametrize("eyes", BLIND)
def test_opposite_residues_differ_for_all_eyes(eyes):
    colours = [seen(colour, eyes) for colour in wheel(18)]
    assert min(np.linalg.norm(colours[i] - colours[i - 9]) for i in range(18)) > 25


def test_residues_can_be_seen_on_white():
    contrast = [1.05 / (_luminance(np.array(to_rgb(colour))) + 0.05) for colour in wheel(18)]
    assert min(contrast) >= 3
