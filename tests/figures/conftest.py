"""Synthetic experiments with known onsets, and what every picture must satisfy."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.text import Text

from grokbook.figures import Picture


def synthetic(
    seeds: int = 6,
    *,
    seed: int = 0,
    budget: float = 20_000.0,
    t_mem: float = 140.0,
    t_grok: float = 4_000.0,
    stop: float | None = None,
    every: float = 50.0,
) -> xr.Dataset:
    """Runs whose accuracies are sigmoids in log step; with `stop`, each ends at stop × t_grok."""
    random = np.random.default_rng(seed)
    step = np.arange(0.0, budget + every, every)
    mem = t_mem * np.exp(random.normal(0, 0.15, seeds))
    grok = t_grok * np.exp(random.normal(0, 0.35, seeds))

    def rise(onset: np.ndarray) -> np.ndarray:
        noise = random.normal(0, 0.005, (seeds, step.size))
        curve = 1 / (1 + (0.8 * onset[:, None] / np.maximum(step, 1.0)) ** 8)
        return np.clip(0.01 + 0.99 * curve + noise, 0, 1)

    curves = {"train_accuracy": rise(mem), "test_accuracy": rise(grok)}
    curves |= {"train_loss": 5 * (1.01 - rise(mem)), "test_loss": 5 * (1.01 - rise(grok))}
    onset = np.where(grok > budget, np.nan, grok.round())
    end = np.full(seeds, budget)
    if stop is not None:
        end = np.where(np.isnan(onset), budget, np.minimum(stop * onset, budget).round())
    ended = step[None] > end[:, None]
    scalars = {
        "t_mem": mem.round(),
        "t_grok": onset,
        "budget": end,
        "censored": np.isnan(onset),
        "diverged_at": np.full(seeds, np.nan),
    }
    labels = {
        "protocol": ["nanda23"] * seeds,
        "split_seed": range(seeds),
        "init_seed": range(seeds),
        "batch_seed": [0] * seeds,
        "batch_size": ["full"] * seeds,
        "device": ["cpu"] * seeds,
        "versions": ['{"numpy": "2.4.6", "python": "3.11.7", "torch": "2.13.0"}'] * seeds,
    }
    return xr.Dataset(
        {name: (("run", "step"), np.where(ended, np.nan, c)) for name, c in curves.items()}
        | {name: ("run", values) for name, values in scalars.items()},
        {"step": step} | {name: ("run", list(values)) for name, values in labels.items()},
    )


def words(figure: Figure) -> list[Text]:
    """Every text that the reader sees."""
    figure.canvas.draw()
    seen = [text for legend in figure.legends for text in legend.get_texts()]
    for axes in figure.axes:
        seen += [*axes.texts, axes.title, axes.xaxis.label, axes.yaxis.label]
        for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            low, high = sorted((low, high))
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            seen += [tick.label1 for tick in ticks if low <= tick.get_loc() <= high]
    return [text for text in seen if text.get_visible() and text.get_text()]


def check(picture: Picture) -> None:
    """What holds for every picture: sizes, no text on another or outside, no title, small PNG."""
    figure = picture.figure
    seen = words(figure)
    assert seen
    assert min(text.get_fontsize() for text in seen) >= 8
    renderer = figure.canvas.get_renderer()
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in seen]
    for i, (text, box) in enumerate(boxes):
        assert box.x0 >= 0 and box.y0 >= 0, text
        assert box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1, text
        for other, b in boxes[:i]:
            apart = box.x0 >= b.x1 or b.x0 >= box.x1 or box.y0 >= b.y1 or b.y0 >= box.y1
            assert apart, f"{text!r} lies on {other!r}"
    assert not any(axes.get_title() for axes in figure.axes)
    assert figure.get_suptitle() == ""
    assert figure.get_figwidth() == pytest.approx(6.3)
    assert len(picture.png) <= 30_000
    assert picture.alt and repr(picture) == picture.alt


@pytest.fixture(name="synthetic")
def _synthetic():
    """The factory of synthetic experiments."""
    return synthetic


@pytest.fixture(name="check")
def _check():
    """The check that every picture must pass."""
    return check


@pytest.fixture(name="words")
def _words():
    """The texts that the reader of a figure sees."""
    return words
