"""The picture of watched activations: which lines it draws, and what it says of them."""

import numpy as np
import pytest

from grokbook.figures import activations
from grokbook.figures.style import ARMS
from tests.claims.radial_runs import arm, dataset


def arms():
    return {
        "penalty": dataset(arm(norm_ratio={"pre_1": (0.1, 1.0), "pre_2": (0.5, 1.0)})),
        "none": dataset(arm(norm_ratio=(0.1, 4.0), budget=47_500.0)),
    }


def test_each_site_has_a_panel_with_seeds_and_medians_of_every_arm():
    figure = activations(arms(), "norm_ratio", "‖h‖ / √d", reference="sphere").figure
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["layer 1", "layer 2"]
    for axes in figure.axes:
        curves = [line for line in axes.lines if len(line.get_xdata()) > 2]
        strong = [line for line in curves if line.get_linewidth() > 1.5]
        assert len(curves) == 8 and [line.get_color() for line in strong] == list(ARMS[:2])
        assert axes.get_xscale() == axes.get_yscale() == "log"
        assert {text.get_text() for text in axes.texts} == {"penalty", "none", "sphere"}
        assert strong[1].get_xdata()[-1] == 47_500 < strong[0].get_xdata()[-1]
    first = figure.axes[0].lines[3]
    np.testing.assert_allclose(first.get_ydata(), 0.1 + 0.9 * first.get_xdata() / 95_000)


def test_the_null_of_an_arm_is_dotted_in_its_colour():
    given = {"penalty": dataset(arm(radial_null=1.2))}
    figure = activations(given, "radial_energy", "Φ̃", null="radial_null").figure
    for axes in figure.axes:
        dotted = [line for line in axes.lines if line.get_linewidth() == 1.1]
        assert [line.get_color() for line in dotted] == [ARMS[0]]
        np.testing.assert_allclose(dotted[0].get_ydata(), 1.2)


def test_the_text_says_where_each_arm_begins_and_ends():
    text = activations(arms(), "norm_ratio", "‖h‖ / √d").alt
    assert text.startswith(
        "‖h‖ / √d against step up to 95,000, medians over seeds. layer 1: penalty"
    )
    assert "none 0.116 at first, 4 at last" in text
    assert "layer 2: penalty 0.501 at first, 1 at last" in text


def test_the_axes_have_numbers_and_say_what_an_epoch_is():
    given = {"penalty": dataset(arm(norm_ratio=(0.9, 4.0)))}
    figure = activations(given, "norm_ratio", "‖h‖ / √d", steps_an_epoch=19).figure
    figure.canvas.draw()
    for axes in figure.axes:
        low, high = axes.get_ylim()
        shown = [float(t.get_text()) for t in axes.get_yticklabels() if t.get_text()]
        assert len([value for value in shown if low <= value <= high]) >= 3
    assert figure.axes[1].get_xlabel() == "optimisation step (19 make an epoch)"
    assert not figure.axes[0].get_xlabel()


def test_arms_of_other_sites_are_refused():
    given = arms()
    given["none"] = given["none"].isel(site=[0])
    with pytest.raises(ValueError, match="share their sites; there are 2 kinds"):
        activations(given, "norm_ratio", "‖h‖ / √d")
