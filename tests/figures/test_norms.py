"""The pictures of the norm, read back from their axes: V beside pure decay, and κ of steps."""

import numpy as np
import pytest
import xarray as xr

from grokbook.figures import ARMS, TEST, TRAIN, kappas, norms
from grokbook.figures.norms import kappa_of_steps
from grokbook.figures.style import INK

RATE, DECAY = 1e-3, 1.0
KEPT = 1 - RATE * DECAY  # what a step of decay alone leaves of θ
STEP = np.arange(0.0, 5_001.0, 50.0)
STARTS = {"W_E": 8_000.0, "W_pos": 2_000.0, "W_out": 3_000.0}
SHARES = {"W_E": 0.9, "W_pos": 0.9, "W_out": 0.4}  # of pure decay, in each matrix


def made(
    seeds: int = 3,
    *,
    kappa: float = 0.7,
    square: float = 0.0,
    ends: tuple[float, ...] = (5_000.0,),
    t_mem: float = 700.0,
    t_grok: float = 1_900.0,
) -> xr.Dataset:
    """Runs whose matrices shrink by their shares of pure decay, and κ of a step as given."""
    sizes = np.exp(0.1 * (np.arange(seeds) - seeds // 2))
    falls = np.stack([STARTS[name] * KEPT ** (2 * SHARES[name] * STEP) for name in STARTS], axis=-1)
    before = sizes[:, None, None] * falls
    end = np.resize(np.array(ends), seeds)
    before[STEP[None] > end[:, None]] = np.nan
    curves = "run", "step", "parameter"
    return xr.Dataset(
        {
            "squared_norm": (curves, before),
            "squared_norm_after": (curves, before * KEPT ** (2 * kappa)),
            "theta_dot_gradient": (curves, 0 * before),
            "gradient_squared_norm": (curves, square + 0 * before),
            "t_mem": ("run", t_mem + 100 * np.arange(seeds)),
            "t_grok": ("run", t_grok + 100 * np.arange(seeds)),
        },
        {
            "step": STEP,
            "parameter": list(STARTS),
            "learning_rate": ("run", np.full(seeds, RATE)),
            "weight_decay": ("run", np.full(seeds, DECAY)),
        },
    )


def strong(axes) -> dict:
    """The median curves by colour."""
    return {line.get_color(): line for line in axes.lines if line.get_linewidth() == 1.9}


def faint(axes, colour: str) -> list:
    """One line a seed."""
    return [line for line in axes.lines if line.get_alpha() == 0.3 and line.get_color() == colour]


def marks(axes) -> dict[str, float]:
    """Places of the vertical lines by colour."""
    lines = (line for line in axes.lines if list(line.get_ydata()) == [0, 1])
    return {line.get_color(): float(line.get_xdata()[0]) for line in lines}


@pytest.mark.parametrize("picture", [norms, kappas])
@pytest.mark.parametrize(
    "runs",
    [made(), made(1), made(5, ends=(3_000.0, 4_000.0)), made(t_mem=30.0, t_grok=250.0)],
    ids=["three", "one", "ended", "early"],
)
def test_every_kind_of_run_makes_a_clean_picture(check, picture, runs):
    check(picture(runs))


def test_strong_lines_are_medians_of_all_weights_and_of_the_embeddings():
    runs = made()
    (axes,) = norms(runs).figure.axes
    V = runs["squared_norm"].transpose("parameter", "run", "step").values
    for colour, curves in ((TEST, V.sum(0)), (ARMS[1], V[:2].sum(0))):
        np.testing.assert_array_equal(strong(axes)[colour].get_xdata(), STEP)
        np.testing.assert_allclose(strong(axes)[colour].get_ydata(), curves[1], rtol=1e-12)
        drawn = [line.get_ydata() for line in faint(axes, colour)]
        np.testing.assert_allclose(drawn, curves, rtol=1e-12)
    assert axes.get_yscale() == "log" and axes.get_xlabel() == "optimisation step"
    texts = {text.get_text() for text in axes.texts}
    assert texts == {"all weights", "embeddings", "decay alone", "memorised", "grokked"}


def test_decay_alone_starts_at_the_onset_of_memorisation_and_falls_by_the_factor_of_a_step():
    (axes,) = norms(made()).figure.axes
    (line,) = [line for line in axes.lines if line.get_color() == INK]
    x, y = line.get_data()
    whole = strong(axes)[TEST]
    assert x[0] == 800  # t_mem of the middle seed
    assert y[0] == pytest.approx(whole.get_ydata()[list(STEP).index(800)], rel=1e-12)
    np.testing.assert_allclose(np.diff(np.log(y)) / np.diff(x), 2 * np.log(KEPT), rtol=1e-9)
    assert y[5] < np.interp(x[5], *whole.get_data())  # the weights are slower
    assert y.min() >= axes.get_ylim()[0] > 0


def test_onsets_are_marked_at_their_medians():
    for picture in (norms, kappas):
        (axes,) = picture(made()).figure.axes
        assert marks(axes) == {TRAIN: 800.0, TEST: 2_000.0}


def test_the_strong_line_ends_where_half_of_the_seeds_do():
    runs = made(3, ends=(2_000.0, 3_000.0, 4_000.0))
    (axes,) = norms(runs).figure.axes
    assert strong(axes)[TEST].get_xdata()[-1] == 3_000
    assert [line.get_xdata()[-1] for line in faint(axes, TEST)] == [2_000, 3_000, 4_000]
    late = strong(axes)[TEST].get_ydata()[-1]
    V = runs["squared_norm"].sum("parameter").sel(step=3_000).values
    assert late == pytest.approx(np.median(V[1:]))


@pytest.mark.parametrize("picture", [norms, kappas])
def test_steps_that_only_other_runs_reached_are_left_out(picture):
    """The axis of a sweep goes on to its longest run, which may not be among these."""
    (axes,) = picture(made(ends=(3_000.0,))).figure.axes
    assert axes.get_xlim() == (0, 3_000)


def test_kappa_is_the_share_of_pure_decay_of_a_step():
    found = kappa_of_steps(made(kappa=0.7))
    assert found.shape == (2, 3, len(STEP))
    np.testing.assert_allclose(found[0], 0.7, rtol=1e-9)
    np.testing.assert_allclose(found[1], 1.0, rtol=1e-9)  # a gradient of 0: decay alone
    runs = made(square=1e4)
    V = runs["squared_norm"].sum("parameter").transpose("run", "step").values
    moved = KEPT**2 * V + RATE**2 * 3e4  # three matrices
    expected = np.log(V / moved) / (-2 * np.log(KEPT))
    np.testing.assert_allclose(kappa_of_steps(runs)[1], expected, rtol=1e-9)
    dotted = made().assign(theta_dot_gradient=0.01 * made()["squared_norm"])
    slower = -np.log(KEPT**2 - 2 * RATE * KEPT * 0.01) / (-2 * np.log(KEPT))
    np.testing.assert_allclose(kappa_of_steps(dotted)[1], slower, rtol=1e-9)
    assert slower > 1  # a gradient along θ shrinks it


def test_the_picture_of_kappa_draws_both_beside_decay_alone():
    (axes,) = kappas(made(square=1e5)).figure.axes
    np.testing.assert_allclose(strong(axes)[TEST].get_ydata(), 0.7, rtol=1e-9)
    gradient = kappa_of_steps(made(square=1e5))[1]
    np.testing.assert_allclose(strong(axes)[ARMS[2]].get_ydata(), np.median(gradient, axis=0))
    assert len(faint(axes, TEST)) == len(faint(axes, ARMS[2])) == 3
    levels = [line for line in axes.lines if list(line.get_ydata()) == [1, 1]]
    assert [line.get_color() for line in levels] == [INK]
    texts = {text.get_text() for text in axes.texts}
    assert texts == {"measured", "with g in the place of u", "memorised", "grokked"}


def test_the_texts_say_what_is_drawn():
    runs = made()
    middle = runs["squared_norm"].sum("parameter").isel(run=1)
    at_mem, at_grok, last = (float(middle.sel(step=step)) for step in (800, 2_000, 5_000))
    alone = np.log(at_mem / at_grok) / (-2 * np.log(KEPT))
    assert 500 < alone < 1_200
    assert repr(norms(runs)).endswith(
        f"3 seeds. Median V 13,000 at the start, {at_mem:,.0f} at t_mem = 800, {at_grok:,.0f} at "
        f"t_grok = 2,000, {last:,.0f} at the end; decay alone would reach the value at t_grok "
        f"after {alone:,.0f} steps."
    )
    late = (runs["step"] > 800) & (runs["step"] <= 2_000)  # the delay alone is summed up
    runs["squared_norm_after"] = runs["squared_norm_after"].where(late, runs["squared_norm"])
    assert "3 seeds; 1 is weight decay alone" in repr(kappas(runs))
    assert "Median over the delay: 0.70 measured, 1.000 if" in repr(kappas(runs))


@pytest.mark.parametrize("picture", [norms, kappas])
def test_runs_that_share_no_rate_or_are_none_are_refused(picture):
    with pytest.raises(ValueError, match="needs a run, and there is none"):
        picture(made().isel(run=[]))
    mixed = made().assign_coords(weight_decay=("run", [1.0, 1.0, 0.3]))
    with pytest.raises(ValueError, match="one learning rate and weight decay at a time, not 2"):
        picture(mixed)
    mixed = made().assign_coords(learning_rate=("run", [1e-3, 1e-4, 1e-5]))
    with pytest.raises(ValueError, match="not 3 pairs"):
        picture(mixed)
