import os
import subprocess
import sys
from itertools import combinations

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from grokbook.figures import ARMS, PUBLISHED, TEST, TRAIN, arm_style, canvas, style
from grokbook.figures.style import NARROW, OKABE_ITO, QUIET, WIDE, ink

# Okabe and Ito 2008, in their order, as 8-bit RGB.
PUBLISHED_PALETTE = {
    "black": (0, 0, 0),
    "orange": (230, 159, 0),
    "sky blue": (86, 180, 233),
    "bluish green": (0, 158, 115),
    "yellow": (240, 228, 66),
    "blue": (0, 114, 178),
    "vermillion": (213, 94, 0),
    "reddish purple": (204, 121, 167),
}
# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
BLIND = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "normal": np.eye(3).tolist(),
}


def linear(colour: str) -> np.ndarray:
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB (D65) of a linear colour, in which a distance of about 2 is just visible."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.clip(to_xyz @ rgb, 0, None) / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def distance(one: str, other: str, eyes: str) -> float:
    seen = [lab(np.clip(np.array(BLIND[eyes]) @ linear(c), 0, 1)) for c in (one, other)]
    return float(np.linalg.norm(seen[0] - seen[1]))


def test_the_palette_is_okabe_and_itos():
    assert {
        name: tuple(round(255 * part) for part in to_rgb(colour))
        for name, colour in OKABE_ITO.items()
    } == PUBLISHED_PALETTE
    assert {TRAIN, TEST, PUBLISHED, *ARMS} <= set(OKABE_ITO.values())


def test_no_colour_has_two_meanings():
    meanings = [TRAIN, TEST, PUBLISHED, *ARMS]
    assert len(set(meanings)) == len(meanings)


@pytest.mark.parametrize("eyes", BLIND)
def test_colours_that_meet_in_one_picture_differ_for_all_eyes(eyes):
    assert distance(TRAIN, TEST, eyes) > 60
    assert min(distance(a, b, eyes) for a, b in combinations(ARMS, 2)) > 15
    assert min(distance(PUBLISHED, arm, eyes) for arm in ARMS) > 40


def test_the_simulation_of_colour_blindness_sees_red_and_green_alike():
    assert (
        distance("#B00000", "#5A6400", "deutan")
        < 15
        < 60
        < distance("#B00000", "#5A6400", "normal")
    )


def test_twelve_arms_look_different_and_a_thirteenth_is_refused():
    looks = [str(arm_style(place)) for place in range(12)]
    assert len(set(looks)) == 12
    assert [arm_style(place)["color"] for place in range(4)] == list(ARMS)
    for place in (-1, 12):
        with pytest.raises(ValueError, match=f"arm {place} has no style"):
            arm_style(place)


@pytest.mark.parametrize("colour", [TRAIN, TEST, PUBLISHED, QUIET, *ARMS])
def test_text_in_any_colour_reads_on_white(colour):
    luminance = linear(ink(colour)) @ [0.2126, 0.7152, 0.0722]
    assert 1.05 / (luminance + 0.05) >= 4.5


def test_text_keeps_a_colour_that_is_dark_enough():
    assert ink(TEST) == TEST.lower()
    assert ink(ARMS[1]) != ARMS[1].lower()


def test_the_style_ends_with_its_block_even_after_an_error():
    before = dict(matplotlib.rcParams)
    with pytest.raises(RuntimeError, match="inside"), style():
        assert matplotlib.rcParams["axes.spines.top"] is False
        raise RuntimeError("inside")
    assert dict(matplotlib.rcParams) == before


def test_every_size_of_the_style_is_eight_points_or_more():
    with style():
        for name in ("font.size", "axes.labelsize", "xtick.labelsize", "legend.fontsize"):
            assert matplotlib.rcParams[name] >= 8


def test_importing_changes_no_setting_and_brings_no_pyplot():
    code = (
        "import sys, matplotlib; before = dict(matplotlib.rcParams)\n"
        "import grokbook.figures\n"
        "assert dict(matplotlib.rcParams) == before\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert 'docutils' not in sys.modules\n"
    )
    # Where no backend is named, merely reading the settings looks for one through pyplot.
    environment = os.environ | {"MPLBACKEND": "agg"}
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, env=environment)


def test_fonts_come_with_matplotlib():
    own = matplotlib.get_data_path()
    with style():
        for family in matplotlib.rcParams["font.family"]:
            assert matplotlib.font_manager.findfont(family, fallback_to_default=False).startswith(
                own
            )


def test_a_canvas_has_the_margins_it_was_given_in_inches():
    with style():
        figure, panels = canvas(4.0, rows=2, left=0.6, right=0.2, bottom=0.5, top=0.1, gap=0.3)
    assert figure.get_size_inches() == pytest.approx([WIDE, 4.0])
    upper, lower = (panel.get_position() for panel in panels)
    assert lower.x0 * WIDE == pytest.approx(0.6)
    assert (1 - lower.x1) * WIDE == pytest.approx(0.2)
    assert lower.y0 * 4 == pytest.approx(0.5)
    assert (1 - upper.y1) * 4 == pytest.approx(0.1)
    assert (upper.y0 - lower.y1) * 4 == pytest.approx(0.3)
    assert upper.height == pytest.approx(lower.height)


def test_a_narrow_canvas_is_half_a_column():
    with style():
        figure, panels = canvas(2.0, width=NARROW, columns=2)
    assert figure.get_figwidth() == NARROW
    assert len(panels) == 2
