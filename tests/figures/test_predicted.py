"""The picture of predictions, read back from its panels."""

import numpy as np
import pytest

from grokbook.figures import arm_style, predicted
from grokbook.figures.style import QUIET

MEASURED = np.array([1_000.0, 2_000.0, 4_000.0, 8_000.0])
RULES = {
    "published rule": MEASURED * np.array([1.3, 1.3, 0.7, 1.1]),
    "corrected law": MEASURED * np.array([0.9, 1.1, 0.9, 1.1]),
    "a constant": np.full(4, 3_000.0),
}


def line_of_agreement(axes):
    (line,) = [line for line in axes.lines if line.get_color() == QUIET]
    return line


def dots(axes):
    (line,) = [line for line in axes.lines if line.get_marker() == "o"]
    return line


@pytest.mark.parametrize("rules", [1, 2, 3])
def test_every_number_of_rules_makes_a_clean_picture(words, rules):
    picture = predicted(MEASURED, dict(list(RULES.items())[:rules]))
    assert len(picture.figure.axes) == rules
    assert len(picture.png) <= 30_000
    seen = words(picture.figure)
    assert min(text.get_fontsize() for text in seen) >= 8
    edge = picture.figure.bbox
    boxes = [text.get_window_extent() for text in seen]
    assert all(box.x0 >= 0 and box.y0 >= 0 for box in boxes)
    assert all(box.x1 <= edge.x1 and box.y1 <= edge.y1 for box in boxes)
    assert not any(box.overlaps(other) for i, box in enumerate(boxes) for other in boxes[:i])


def test_every_run_is_a_dot_at_what_was_measured_and_what_was_said():
    panels = predicted(MEASURED, RULES).figure.axes
    for place, (axes, said) in enumerate(zip(panels, RULES.values(), strict=True)):
        np.testing.assert_array_equal(dots(axes).get_xdata(), MEASURED)
        np.testing.assert_array_equal(dots(axes).get_ydata(), said)
        assert dots(axes).get_color() == arm_style(place)["color"]
    assert [axes.get_title() for axes in panels] == list(RULES)


def test_dots_on_the_line_agree_and_all_panels_share_its_square():
    panels = predicted(MEASURED, RULES).figure.axes
    high = 1.08 * 8_800  # the largest prediction is larger than any delay
    for axes in panels:
        line = line_of_agreement(axes)
        np.testing.assert_array_equal(line.get_xdata(), line.get_ydata())
        assert axes.get_xlim() == axes.get_ylim() == pytest.approx((0, high))
        assert line.get_xdata()[-1] == pytest.approx(high)
    (axes,) = predicted(MEASURED, {"a constant": RULES["a constant"]}).figure.axes
    assert axes.get_ylim()[1] == pytest.approx(1.08 * 8_000)


def test_the_mean_absolute_error_stands_in_each_panel():
    panels = predicted(MEASURED, RULES).figure.axes
    errors = [text.get_text() for axes in panels for text in axes.texts]
    # (0.3 + 0.3 + 0.3 + 0.1)/4, 0.1, and (2 + 0.5 + 0.25 + 0.625)/4: signs do not cancel.
    assert errors == ["error 25%", "error 10%", "error 84%"]


def test_only_the_outer_axes_are_labelled():
    panels = predicted(MEASURED, RULES).figure.axes
    assert [axes.get_ylabel() for axes in panels] == ["predicted delay (steps)", "", ""]
    assert [axes.get_xlabel() for axes in panels] == ["", "measured delay (steps)", ""]
    panels[0].figure.canvas.draw()
    shown = [axes.yaxis.get_major_ticks()[0].label1.get_visible() for axes in panels]
    assert shown == [True, False, False]
    assert "8,000" in {tick.get_text() for tick in panels[0].get_xticklabels()}


def test_the_text_says_what_is_drawn():
    assert repr(predicted(MEASURED, RULES)) == (
        "Predicted against measured delay of 4 runs. Mean absolute error: published rule 25%, "
        "corrected law 10%, a constant 84%."
    )


def test_nothing_to_compare_is_refused():
    with pytest.raises(ValueError, match="predicted needs a rule and a run"):
        predicted(MEASURED, {})
    with pytest.raises(ValueError, match="predicted needs a rule and a run"):
        predicted(np.zeros(0), {"a constant": np.zeros(0)})


KINDS = {"two tokens": np.array([True, False, True, False])}
KINDS["three tokens"] = ~KINDS["two tokens"]


def test_kinds_of_runs_have_marks_and_errors_of_their_own(words):
    picture = predicted(MEASURED, RULES, KINDS)
    first = picture.figure.axes[0]
    for (kind, of), mark in zip(KINDS.items(), "o^", strict=True):
        (line,) = [line for line in first.lines if line.get_label() == kind]
        assert line.get_marker() == mark
        np.testing.assert_array_equal(line.get_xdata(), MEASURED[of])
        np.testing.assert_array_equal(line.get_ydata(), RULES["published rule"][of])
    assert [text.get_text() for text in first.get_legend().get_texts()] == list(KINDS)
    assert all(axes.get_legend() is None for axes in picture.figure.axes[1:])
    # Errors of the published rule are .3, .3, .3, .1; of the corrected law .1 each.
    assert "published rule 25% (two tokens 30%, three tokens 20%)" in repr(picture)
    assert "corrected law 10% (two tokens 10%, three tokens 10%)" in repr(picture)
    assert len(picture.png) <= 30_000
    boxes = [text.get_window_extent() for text in words(picture.figure)]
    assert not any(box.overlaps(other) for i, box in enumerate(boxes) for other in boxes[:i])


@pytest.mark.parametrize(
    "kinds",
    [
        {"two tokens": KINDS["two tokens"]},
        {"two tokens": KINDS["two tokens"], "all": np.ones(4, dtype=bool)},
        {str(i): np.arange(4) == i for i in range(4)} | {"none": np.zeros(4, dtype=bool)},
    ],
)
def test_a_run_of_no_kind_or_of_two_is_refused(kinds):
    with pytest.raises(ValueError, match="each run needs to be of one kind"):
        predicted(MEASURED, RULES, kinds)
