"""The picture of scaling laws: seeds, fit, predictions and slope, read back from its axes."""

import numpy as np
import pytest

from grokbook.figures import PUBLISHED, TEST, Law, power_laws
from grokbook.figures.style import INK
from grokbook.statistics import power_law

DECAYS = np.array([0.1, 0.1, 0.1, 0.3, 1.0, 1.0, 1.0])
SCATTER = np.array([0.9, 1.0, 1.2, 1.0, 0.8, 1.0, 1.1])


def made(exponent: float = -1.0, factor: float = 1_000.0, **more) -> Law:
    """Delays of a power law with a scatter whose median is 1 at each value."""
    given = {"label": "weight decay", "x": DECAYS, "seen": np.full(7, True)} | more
    return Law(delays=factor * given["x"] ** exponent * SCATTER, **given)


def censored(*places: int, **more) -> Law:
    """The same with some delays that were longer than the training."""
    return made(seen=~np.isin(np.arange(7), places), **more)


def points(axes, gid: str) -> list[tuple[float, float]]:
    lines = (line for line in axes.lines if line.get_gid() == gid)
    return [tuple(xy) for line in lines for xy in line.get_xydata()]


def steps(axes, gid: str) -> list[float]:
    return pytest.approx([y for _, y in points(axes, gid)])


FULL = {
    "predicted": {1.0: 700.0, 0.1: 7_000.0},
    "published": {0.3: 4_000.0, 0.1: 12_000.0, 1.0: 990.0},
}


@pytest.mark.parametrize(
    "laws",
    [
        [made()],
        [made(**FULL), made(label="learning rate", x=1e-3 * DECAYS, factor=1.0)],
        [censored(0, 1, 2)],
        [censored(0), made(factor=30_000.0), made(-0.5)],
    ],
    ids=["one", "two", "censored", "three"],
)
def test_every_kind_of_law_makes_a_clean_picture(check, laws):
    check(power_laws(laws))


def test_every_seed_is_a_dot_close_to_its_value():
    (axes,) = power_laws([made()]).figure.axes
    assert steps(axes, "seeds") == [9e3, 10e3, 12e3, 1e3 / 0.3, 800, 1e3, 1.1e3]
    x = np.array([x for x, _ in points(axes, "seeds")])
    assert abs(np.log(x / DECAYS)).max() <= 0.061
    assert len(set(x)) == 7 and x[3] == 0.3  # side by side; one seed stands at its value
    assert points(axes, "censored") == []
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0.1", "0.3", "1"]
    assert "steps" in axes.get_ylabel() and axes.get_xlabel() == "weight decay"


def test_a_delay_beyond_its_budget_is_a_hollow_triangle_at_its_budget():
    (axes,) = power_laws([censored(1, 2)]).figure.axes
    assert steps(axes, "censored") == [10e3, 12e3]
    assert steps(axes, "seeds") == [9e3, 1e3 / 0.3, 800, 1e3, 1.1e3]
    looks = [line for line in axes.lines if line.get_gid() == "censored" and line.get_xdata().size]
    assert {(line.get_marker(), line.get_markerfacecolor()) for line in looks} == {("^", "white")}


def test_the_line_is_the_fitted_law_and_passes_all_values():
    law = censored(1, 2)
    (axes,) = power_laws([law]).figure.axes
    (line,) = [line for line in axes.lines if line.get_gid() == "fit"]
    fit = power_law(law.x, law.delays, law.seen, seed=0)
    np.testing.assert_allclose(line.get_ydata(), fit.at(line.get_xdata()), rtol=1e-12)
    low, high = line.get_xdata()
    assert low < 0.1 < 1.0 < high
    assert line.get_color() == TEST


def test_the_slope_is_written_with_its_interval():
    (axes,) = power_laws([made()]).figure.axes
    (words,) = [text.get_text() for text in axes.texts]
    fit = power_law(DECAYS, made().delays, made().seen, seed=0).exponent
    assert -1.2 < fit.low < fit.value < fit.high < -0.8
    assert words == f"slope −{-fit.value:.3g} (−{-fit.low:.3g} to −{-fit.high:.3g})"
    (axes,) = power_laws([made(2.0)]).figure.axes
    assert axes.texts[0].get_text().startswith("slope 1.97 (1.88 to")  # no sign


def test_censored_delays_bend_the_fit_up():
    slopes = []
    for law in (made(), censored(1, 2)):
        (axes,) = power_laws([law]).figure.axes
        ((x0, y0), (x1, y1)) = points(axes, "fit")
        slopes.append(np.log(y1 / y0) / np.log(x1 / x0))
    assert slopes[1] < slopes[0] - 0.02


def test_predictions_are_crosses_and_published_numbers_hollow_diamonds():
    first, second = power_laws([made(**FULL), made()]).figure.axes
    assert points(first, "predicted") == [(0.1, 7_000), (1.0, 700)]
    assert points(first, "published") == [(0.1, 12_000), (0.3, 4_000), (1.0, 990)]
    drawn = {line.get_gid(): line for line in first.lines}
    assert drawn["predicted"].get_marker() == "x" and drawn["predicted"].get_color() == INK
    assert drawn["published"].get_marker() == "D"
    assert drawn["published"].get_markerfacecolor() == "none"
    assert drawn["published"].get_markeredgecolor() == PUBLISHED
    assert points(second, "predicted") == points(second, "published") == []


def test_the_legend_names_what_is_in_any_panel():
    def named(*laws: Law) -> list[str]:
        figure = power_laws(laws).figure
        assert all(axes.get_legend() is None for axes in figure.axes[1:])
        return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]

    assert named(made()) == ["measured, a seed"]
    assert named(made(), made(**FULL)) == ["measured, a seed", "pure decay", "published"]
    assert named(made(published={0.1: 9e3})) == ["measured, a seed", "published"]


def test_panels_share_the_scale_of_steps():
    rates = made(label="learning rate", x=1e-3 * DECAYS, factor=100.0)
    figure = power_laws([made(), rates]).figure
    first, second = figure.axes
    assert first.get_ylim() == second.get_ylim()
    low, high = first.get_ylim()
    everything = np.concatenate([made().delays, rates.delays])
    assert low < everything.min() and everything.max() < high
    figure.canvas.draw()
    assert [tick.get_text() for tick in second.get_xticklabels()] == ["1e−4", "3e−4", "1e−3"]
    assert any(tick.label1.get_visible() for tick in first.yaxis.get_major_ticks())
    assert not any(tick.label1.get_visible() for tick in second.yaxis.get_major_ticks())
    assert first.get_ylabel() and not second.get_ylabel()


def test_the_text_says_what_is_drawn():
    text = repr(power_laws([censored(1, 2), made(label="learning rate")]))
    assert text.startswith(
        "Delay against weight decay, both log: median 10,000 at 0.1, 3,333 at 0.3, 1,000 at 1, "
        "2 censored; slope −1."
    )
    assert "Delay against learning rate, both log: median 10,000 at 0.1" in text
    assert text.count("censored") == 1


def test_no_panel_and_one_value_are_refused():
    with pytest.raises(ValueError, match="power_laws needs a panel"):
        power_laws([])
    with pytest.raises(ValueError, match="the panel weight decay needs two values or more, not 1"):
        power_laws([made(x=np.full(7, 0.1))])
