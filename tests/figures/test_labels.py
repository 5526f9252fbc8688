import itertools

import numpy as np
import pytest

from grokbook.figures import TEST, TRAIN, axis_loss, axis_steps, canvas, label_line, style
from grokbook.figures.labels import fold, number, width_of, write_above


def ticks(axis) -> list[str]:
    low, high = axis.get_view_interval()
    major = axis.get_major_ticks()
    return [tick.label1.get_text() for tick in major if low <= tick.get_loc() <= high]


def test_steps_are_written_out_on_a_log_axis():
    with style():
        figure, (axes,) = canvas(2.0)
        axis_steps(axes, 1, 40_000)
        figure.canvas.draw()
    assert axes.get_xscale() == "log"
    assert axes.get_xlabel() == "optimisation step"
    with style():
        _, (other,) = canvas(2.0)
        axis_steps(other, 1, 40_000, steps_an_epoch=19)
    assert other.get_xlabel() == "optimisation step (19 make an epoch)"
    assert ticks(axes.xaxis) == ["1", "10", "100", "1,000", "10,000"]


def test_a_short_range_of_steps_has_more_ticks():
    with style():
        figure, (axes,) = canvas(2.0)
        axis_steps(axes, 900.0, 6_000.0)
        figure.canvas.draw()
    assert ticks(axes.xaxis) == ["1,000", "2,000", "5,000"]


@pytest.mark.parametrize("ends", [(0, 10), (5, 5), (10, 1)])
def test_steps_that_no_log_axis_holds_are_refused(ends):
    with style():
        _, (axes,) = canvas(2.0)
        with pytest.raises(ValueError, match="0 < first < last"):
            axis_steps(axes, *ends)


def test_losses_are_in_nats_without_small_exponents():
    with style():
        figure, (axes,) = canvas(3.0)
        axis_loss(axes)
        axes.set_ylim(1e-7, 10)
        figure.canvas.draw()
    assert axes.get_ylabel() == "loss (nats)"
    assert "$" not in "".join(ticks(axes.yaxis))
    assert {"1e-7", "1e-3"} <= set(ticks(axes.yaxis)) or {"1e-6", "0.01"} <= set(ticks(axes.yaxis))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (2.0, "2"), (0.00123, "0.00123"), (999.9, "1,000"), (-1e6, "−1,000,000")],
)
def test_numbers_have_three_digits_and_no_exponent(value, text):
    assert number(value) == text


def test_what_is_no_number_is_said_in_words():
    assert number(float("-inf")) == "−∞"
    assert number(float("nan")) == "not a number"


def test_the_width_is_that_of_the_widest_text():
    with style():
        short, long = width_of(["mm"], size=10), width_of(["mmmm"], size=10)
        assert width_of(["mm", "mmmm"], size=10) == long == pytest.approx(2 * short, rel=0.05)
        assert width_of(["mm"], size=20) == pytest.approx(2 * short, rel=0.05)


@pytest.mark.parametrize("drawstyle", ["default", "steps-post"])
@pytest.mark.parametrize("corners", [4, 5, 40])
def test_a_label_stands_beside_its_own_line_and_on_no_line(drawstyle, corners):
    x = np.linspace(0, 1, corners)
    with style():
        figure, (axes,) = canvas(2.5)
        axes.set(xlim=(0, 1), ylim=(0, 1))
        (rising,) = axes.plot(x, 0.1 + 0.8 * x**3, color=TEST, drawstyle=drawstyle)
        (flat,) = axes.plot(x, np.full(corners, 0.1), color=TRAIN, drawstyle=drawstyle)
        labels = [label_line(axes, line, line.get_color()) for line in (rising, flat)]
    renderer = figure.canvas.get_renderer()
    fine = np.linspace(0, 1, 2000)
    curves = {TEST: np.interp(fine, x, 0.1 + 0.8 * x**3), TRAIN: np.full(2000, 0.1)}
    if drawstyle == "steps-post":
        curves[TEST] = (0.1 + 0.8 * x**3)[(fine * (corners - 1)).astype(int)]
    near = {}
    for label in labels:
        box = label.get_window_extent(renderer)
        for colour, y in curves.items():
            points = axes.transData.transform(np.column_stack([fine, y]))
            inside = (points > box.p0) & (points < box.p1)
            assert not inside.all(1).any()
            middle = (box.p0 + box.p1) / 2
            near[label.get_text(), colour] = np.hypot(*(points - middle).T).min()
    assert near[TEST, TEST] < near[TEST, TRAIN]
    assert near[TRAIN, TRAIN] < near[TRAIN, TEST]


def test_labels_of_one_axes_do_not_lie_on_one_another():
    with style():
        figure, (axes,) = canvas(1.5)
        axes.set(xlim=(0, 1), ylim=(0, 1))
        lines = [axes.plot([0, 1], [0.5, 0.5 + d], color=TEST)[0] for d in (0, 0.01, 0.02)]
        boxes = [
            label_line(axes, line, "the same").get_window_extent(figure.canvas.get_renderer())
            for line in lines
        ]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


@pytest.mark.parametrize("steps", [(100.0, 3000.0), (1000.0, 1010.0), (1.0, 1.0), (9e3, 1e4)])
@pytest.mark.parametrize("length", [1, 3])
def test_marks_above_stay_inside_and_apart(steps, length):
    with style():
        figure, (axes,) = canvas(2.5, top=0.5)
        axis_steps(axes, 1, 10_000)
        marks = [(step, "a long label " * length, TEST) for step in steps]
        write_above(axes, marks)
    renderer = figure.canvas.get_renderer()
    one, other = (text.get_window_extent(renderer) for text in axes.texts)
    assert not one.overlaps(other)
    assert min(one.x0, other.x0) >= 0 and max(one.x1, other.x1) <= figure.bbox.x1
    assert min(one.y0, other.y0) > axes.bbox.y1


def test_a_mark_with_room_stands_over_its_step():
    with style():
        figure, (axes,) = canvas(2.5, top=0.5)
        axis_steps(axes, 1, 10_000)
        write_above(axes, [(100.0, "here", TEST)])
    box = axes.texts[0].get_window_extent(figure.canvas.get_renderer())
    assert (box.x0 + box.x1) / 2 == pytest.approx(axes.transData.transform((100, 0))[0], abs=1)


def test_a_text_is_folded_between_words():
    text = "one word after another and anunusuallylongwordbetween them"
    with style():
        lines = fold(text, size=9, width=1.0)
        assert " ".join(lines) == text and len(lines) > 3
        for line, following in itertools.pairwise(lines):
            first = following.split()[0]
            assert width_of([f"{line} {first}"], size=9) > 1.0
            assert width_of([line], size=9) <= 1.0 or " " not in line
        assert fold("", size=9, width=1.0) == []
