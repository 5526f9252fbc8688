"""The figure in which a reader drags weight decay: the law's delay, and the measured ones.

The page needs no kernel: archived numbers stand in the HTML, and a plain script
(`book/_static/delay.js`) moves the cursor. Without it the HTML shows one weight decay.
"""

import json
from dataclasses import dataclass
from html import escape

import numpy as np
from xarray import Dataset

from ..claims.delays import delayed, delays, squared_norm_at
from ..theory.contraction import delay as delay_of
from .labels import count
from .style import INK, TEST, ink

WIDTH, HEIGHT = 640, 340
LEFT, RIGHT, TOP, BOTTOM = 74, 18, 16, 64
STEPS = 120  # positions of the slider
TICKS = (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)


@dataclass(frozen=True)
class Cell:
    """One archived weight decay: its delays in steps, and the median of log(V_mem / V(t_grok))."""

    decay: float
    delays: tuple[float, ...]
    log_ratio: float

    @property
    def median(self) -> float:
        """Median delay, in steps."""
        return float(np.median(self.delays))


@dataclass(frozen=True)
class DelaySlider:
    """Archived cells by weight decay at one learning rate, shown as HTML that a script moves.

    The text form gives every cell; nbval compares it.
    """

    cells: tuple[Cell, ...]
    learning_rate: float

    def law(self, decay: float) -> float:
        """The law with decay alone at any weight decay, log V ratios joined by straight lines."""
        at = np.log([cell.decay for cell in self.cells])
        ratio = np.interp(np.log(decay), at, [cell.log_ratio for cell in self.cells])
        return float(delay_of(np.exp(ratio), 1.0, self.learning_rate, decay))

    def nearest(self, decay: float) -> Cell:
        """The archived cell closest to a weight decay, on a log scale."""
        return min(self.cells, key=lambda cell: abs(np.log(cell.decay / decay)))

    def sentence(self, decay: float) -> str:
        """What the readout says at a weight decay."""
        cell = self.nearest(decay)
        seeds = "one seed" if len(cell.delays) == 1 else f"median of {len(cell.delays)} seeds"
        return (
            f"Weight decay {decay:.2g}: decay alone would take {count(self.law(decay))} steps. "
            f"Measured at {cell.decay:g}: {count(cell.median)} steps ({seeds}), "
            f"{cell.median / self.law(cell.decay):.2f} times what decay alone takes there."
        )

    def __repr__(self) -> str:
        rows = "; ".join(
            f"{cell.decay:g}: {count(cell.median)} measured, {count(self.law(cell.decay))} by decay"
            for cell in self.cells
        )
        return f"Delay in steps by weight decay, {len(self.cells)} archived: {rows}."

    def _repr_html_(self) -> str:
        start = self.cells[len(self.cells) // 2].decay
        low, high = self.cells[0].decay, self.cells[-1].decay
        data = {
            "low": low,
            "high": high,
            "rate": self.learning_rate,
            "cells": [[cell.decay, cell.median, len(cell.delays)] for cell in self.cells],
            "ratios": [round(cell.log_ratio, 6) for cell in self.cells],
            "box": [LEFT, WIDTH - RIGHT, TOP, HEIGHT - BOTTOM],
            "steps": self._range(),
        }
        position = round(STEPS * np.log(start / low) / np.log(high / low))
        packed = json.dumps(data, separators=(",", ":"))
        return (
            '<figure class="delay-slider" aria-label="Delay by weight decay">'
            f"{self._svg(start)}"
            f"<label hidden><span>weight decay <b>{start:.2g}</b></span>"
            f'<input type="range" min="0" max="{STEPS}" step="1" value="{position}" '
            f'aria-label="weight decay" aria-valuetext="{start:.2g}"></label>'
            f'<output aria-live="polite">{escape(self.sentence(start))}</output>'
            f'<script type="application/json">{packed}</script></figure>'
        )

    def _range(self) -> tuple[float, float]:
        steps = [each for cell in self.cells for each in cell.delays]
        steps += [self.law(cell.decay) for cell in self.cells]
        return min(steps) / 1.3, max(steps) * 1.3

    def _x(self, decay: float) -> float:
        low, high = self.cells[0].decay, self.cells[-1].decay
        share = np.log(decay / low) / np.log(high / low)
        return round(float(LEFT + share * (WIDTH - RIGHT - LEFT)), 1)

    def _y(self, steps: float | int) -> float:
        low, high = self._range()
        share = np.log(steps / low) / np.log(high / low)
        return round(float(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)), 1)

    def _svg(self, start: float) -> str:
        low, high = self._range()
        grid = "".join(
            f'<line class="rule" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{self._y(tick)}" '
            f'y2="{self._y(tick)}"/><text x="{LEFT - 8}" y="{self._y(tick) + 5}" '
            f'text-anchor="end">{count(tick)}</text>'
            for tick in TICKS
            if low <= tick <= high
        )
        names = "".join(
            f'<text x="{self._x(cell.decay)}" y="{HEIGHT - BOTTOM + 20}" '
            f'text-anchor="middle">{cell.decay:g}</text>'
            for cell in self.cells
        )
        ends = self.cells[0].decay, self.cells[-1].decay
        line = " ".join(
            f"{self._x(decay)},{self._y(self.law(decay))}" for decay in np.geomspace(*ends, 40)
        )
        dots = "".join(
            f'<circle cx="{self._x(cell.decay)}" cy="{self._y(each)}" r="4.5" fill="{TEST}"/>'
            for cell in self.cells
            for each in cell.delays
        )
        middle = self.cells[len(self.cells) // 2].decay
        return (
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{escape(repr(self))}">{grid}{names}'
            f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 9}" text-anchor="middle">'
            f'weight decay λ</text><polyline points="{line}" fill="none" stroke="{INK}" '
            f'stroke-width="1.6" stroke-dasharray="6 4"/>{dots}'
            f'<g class="cursor"><line x1="{self._x(start)}" x2="{self._x(start)}" y1="{TOP}" '
            f'y2="{HEIGHT - BOTTOM}"/><circle cx="{self._x(start)}" '
            f'cy="{self._y(self.law(start))}" r="5"/></g>'
            # After the cursor, whose line would otherwise run through the words.
            f'<g class="legend"><text x="{WIDTH - RIGHT}" y="{TOP + 16}" text-anchor="end" '
            f'style="fill:{ink(TEST)}">measured delay, a dot a seed</text>'
            f'<text x="{WIDTH - RIGHT}" y="{TOP + 60}" text-anchor="end">decay alone (dashed)'
            f"</text></g>"
            f"<title>{escape(self.sentence(middle))}</title></svg>"
        )


def delay_slider(runs: Dataset) -> DelaySlider:
    """Return the figure in which the weight decay can be dragged.

    `runs` are followed runs of one learning rate at two weight decays or more; those without a
    delay, or that did not grok, are left out. Raises ValueError where that leaves fewer, or where
    learning rates differ.
    """
    runs = delayed(runs)
    decays = np.unique(runs["weight_decay"].values)
    rates = np.unique(runs["learning_rate"].values)
    if len(decays) < 2 or len(rates) > 1:
        raise ValueError(
            f"a delay slider needs two weight decays and one learning rate, not {len(decays)} and "
            f"{len(rates)}."
        )
    steps = delays(runs)[0]
    ratio = np.log(squared_norm_at(runs, "t_mem") / squared_norm_at(runs, "t_grok"))
    cells = []
    for decay in decays:
        of = runs["weight_decay"].values == decay
        cells.append(Cell(float(decay), tuple(steps[of].tolist()), float(np.median(ratio[of]))))
    return DelaySlider(tuple(cells), float(rates[0]))
