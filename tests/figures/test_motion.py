"""The figure of moving activations: where its dots lie, what it says, and what it refuses."""

import dataclasses
import math
import re

import numpy as np
import pytest
import xarray as xr

from grokbook.figures import Motion, motion
from grokbook.figures.motion import CENTRE, FINE, REACH
from tests.figures.test_explorer import Tags, data_of


def run(frames, radius, angle):
    """One run with two examples at one site: lists by frame."""
    shape = (1, len(frames), 1, 2)
    dims = ("run", "frame", "site", "sample")
    return xr.Dataset(
        {
            "frame_radius": (dims, np.array(radius, dtype=np.float32).reshape(shape)),
            "frame_angle": (dims, np.array(angle, dtype=np.float32).reshape(shape)),
        },
        {"frame": frames, "site": ["pre_2"], "sample": [0, 1]},
    )


def made() -> Motion:
    """Two arms, of which the second has no frame at step 38, nor the first at step 57."""
    gap = [math.nan, math.nan]  # a frame of another run that was read with it
    penalty = run([0, 19, 38, 57], [[0.5, 0.5], [0.8, 1.0], [1.0, 1.0], gap],
                  [[math.pi, math.pi / 2], [1.0, 0.5], [0.0, 0.0], gap])  # fmt: skip
    none = run([0, 19], [[0.5, 0.7], [2.0, 2.0]], [[math.pi / 2, 1.0], [0.0, 0.0]])
    return motion({"penalty": penalty, "none": none}, "pre_2", steps_an_epoch=19)


@pytest.fixture(scope="module")
def shown() -> Motion:
    """The figure of both."""
    return made()


@pytest.fixture(scope="module")
def html(shown: Motion) -> str:
    """Its HTML."""
    return shown._repr_html_()


def test_arms_share_the_frames_and_wait_where_they_have_none(shown):
    assert shown.steps.tolist() == [0, 19, 38]
    np.testing.assert_allclose(shown.radius["none"], [[0.5, 0.7], [2, 2], [2, 2]], rtol=1e-6)
    assert shown.scale == pytest.approx(REACH / 2)


def test_a_dot_lies_at_its_radius_and_angle(shown):
    places = shown.places("penalty") / FINE
    np.testing.assert_allclose(places[0, 0], [CENTRE[0] - REACH / 4, CENTRE[1]], atol=0.06)
    np.testing.assert_allclose(places[0, 1], [CENTRE[0], CENTRE[1] - REACH / 4], atol=0.06)
    np.testing.assert_allclose(places[2, 0], [CENTRE[0] + REACH / 2, CENTRE[1]], atol=0.06)


def test_the_words_are_the_medians_of_a_frame(shown):
    assert shown.sentence(1) == (
        "Step 19 (epoch 1): penalty ‖h‖ is 0.90 √d, 43° from its last direction; none ‖h‖ is "
        "2.00 √d, 0° from its last direction."
    )
    assert repr(shown).startswith("2 activations at pre_2, 3 frames, medians. Step 0 (epoch 0): ")
    assert repr(shown).endswith(shown.sentence(-1))
    by_step = dataclasses.replace(shown, steps_an_epoch=1)
    assert by_step.sentence(0).startswith("Step 0: penalty")


def test_the_page_shows_the_last_frame_without_a_script(html, shown):
    page = Tags(html)
    dots = [given for tag, given in page.tags if tag == "circle" and "fill" not in given]
    expected = np.concatenate([shown.places(name)[-1] for name in ("penalty", "none")]) / FINE
    found = [(float(dot["cx"]), float(dot["cy"])) for dot in dots]
    np.testing.assert_allclose(found, expected)
    (slider,) = [given for tag, given in page.tags if tag == "input"]
    assert (slider["max"], slider["value"]) == ("2", "2")
    assert slider["aria-valuetext"] == shown.sentence(-1)
    assert ("output", shown.sentence(-1)) in page.texts
    (label,) = [given for tag, given in page.tags if tag == "label"]
    assert "hidden" in label


def test_trails_go_through_every_frame(html, shown):
    trails = re.findall(r'<g class="trails"[^>]*>(.*?)</g>', html)
    assert len(trails) == 2
    for name, group in zip(("penalty", "none"), trails, strict=True):
        ways = re.findall(r'd="M([^"]*)"', group)
        points = [[[float(x) for x in p.split(",")] for p in way.split("L")] for way in ways]
        np.testing.assert_allclose(np.swapaxes(points, 0, 1) * FINE, shown.places(name))


def test_the_script_gets_what_python_knows(html, shown):
    data = data_of(html)
    assert data["fine"] == FINE
    assert data["texts"] == [shown.sentence(frame) for frame in range(3)]
    assert data["arms"] == [shown.places(n).reshape(3, 4).tolist() for n in ("penalty", "none")]


def test_what_is_no_single_run_with_frames_is_refused(shown):
    one = run([0, 1], [[1, 1], [1, 1]], [[0, 0], [0, 0]])
    for wrong in (xr.concat([one, one], "run"), one.drop_vars("frame_radius")):
        with pytest.raises(ValueError, match="arm 'x' is not one run with frames"):
            motion({"x": wrong}, "pre_2")
    frames = list(range(4_000))
    many = run(frames, [[1, 1]] * 4_000, [[0, 0]] * 4_000)
    with pytest.raises(ValueError, match="more than 60,000: show less"):
        motion({"x": many}, "pre_2")._repr_html_()
