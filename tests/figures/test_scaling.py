"""What the picture of sweeps draws, read back from its axes."""

import numpy as np
import pytest

from grokbook.figures.scaling import Panel, scaling
from tests.claims.made import sweep

NEVER = [np.nan, np.nan, np.nan]
DECAY = sweep((0.0, 0.3, NEVER), (1.0, 0.3, [7e3, 6e3, np.nan]), (3.0, 0.3, [2e3, 3e3, 4e3]))


def decay(runs=DECAY, **more) -> Panel:
    return Panel("weight_decay", "weight decay", {"grokked": runs}, **more)


def drawn(axes, gid: str):
    return [line for line in axes.lines if line.get_gid() == gid]


def points(axes, gid: str) -> list[tuple[float, float]]:
    return [tuple(xy) for line in drawn(axes, gid) for xy in line.get_xydata()]


def test_every_seed_is_a_point_and_a_censored_one_a_triangle_at_its_budget():
    (axes,) = scaling([decay()]).figure.axes
    assert points(axes, "seeds") == [(1, 7e3), (1, 6e3), (2, 2e3), (2, 3e3), (2, 4e3)]
    assert points(axes, "censored") == [(0, 15e3)] * 3 + [(1, 15e3)]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0", "1", "3"]
    assert axes.get_yscale() == "log" and "steps" in axes.get_ylabel()


def test_the_line_joins_medians_that_were_reached():
    (axes,) = scaling([decay()]).figure.axes
    ((line),) = drawn(axes, "median")
    np.testing.assert_array_equal(line.get_ydata(), [np.nan, 7e3, 3e3])
    assert line.get_visible()
    (axes,) = scaling([decay(joined=False)]).figure.axes
    assert not drawn(axes, "median")[0].get_visible()


def test_the_interval_is_that_of_the_median_and_ends_at_the_budget():
    (axes,) = scaling([decay()]).figure.axes
    bars = [bar.get_segments()[0] for bar in axes.collections if bar.get_gid() == "interval"]
    assert [[y for _, y in bar] for bar in bars] == [[15e3, 15e3], [6e3, 15e3], [2e3, 4e3]]


def test_memorisation_is_drawn_once_a_place():
    (axes,) = scaling([decay()]).figure.axes
    assert points(axes, "memorised") == [(0, 100), (1, 100), (2, 100)]


def test_panels_share_the_scale_and_arms_keep_their_colours():
    data = Panel(
        "train_fraction",
        "share (%)",
        {"with": sweep((1.0, 0.25, NEVER), (1.0, 0.3, [7e3])), "without": None,
         "more": sweep((0.0, 0.4, [9e3]))},
        percent=True,
    )  # fmt: skip
    figure = scaling([decay(), data]).figure
    first, second = figure.axes
    assert first.get_ylim() == second.get_ylim()
    assert [tick.get_text() for tick in second.get_xticklabels()] == ["25", "30", "40"]
    colours = [line.get_color() for axes in (first, second) for line in drawn(axes, "median")]
    assert len(set(colours)) == 3
    place = {y: x for x, y in points(second, "seeds")}
    assert place[7e3] < 1 and place[9e3] > 2  # arms of one place stand side by side


def test_an_arm_that_never_grokked_is_named_by_its_triangles():
    (axes,) = scaling([decay(sweep((0.0, 0.3, NEVER), (1.0, 0.3, NEVER)))]).figure.axes
    assert not drawn(axes, "median")[0].get_visible()
    assert {text.get_text() for text in axes.texts} == {"grokked", "memorised"}


def test_the_text_says_what_is_drawn():
    picture = scaling([decay(), Panel("train_fraction", "share", {"other": None})])
    assert "not reached (0 of 3) at 0, 7,000 at 1, 3,000 at 3" in repr(picture)
    assert "other: not yet run." in repr(picture)


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="scaling needs a sweep with runs"):
        scaling([decay(None)])


def test_a_scale_of_less_than_a_decade_has_more_than_one_number():
    def numbers(onsets):
        runs = sweep((1.0, 0.3, onsets))
        runs = runs.assign(t_mem=runs["t_grok"] / 1.5)
        (axes,) = scaling([decay(runs)]).figure.axes
        axes.figure.canvas.draw()
        low, high = axes.get_ylim()
        ticks = axes.yaxis.get_major_ticks()
        return [tick.label1.get_text() for tick in ticks if low <= tick.get_loc() <= high]

    assert numbers([900.0, 1_400.0, 2_000.0]) == ["1,000", "1,500", "2,000"]
    assert numbers([900.0, 12_000.0, 14_000.0]) == ["1,000", "3,000", "10,000"]
