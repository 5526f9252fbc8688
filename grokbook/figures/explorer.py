"""The figure that a reader can ask: accuracy curves by weight decay and share of the data.

The page needs no kernel: the archived curves stand in the HTML, thinned, and a plain script
(`book/_static/explorer.js`) draws the pair that is chosen. Without it the HTML shows the first
pair and the map of all pairs. Nothing has an `id`, so that several may stand on a page.
"""

import json
from dataclasses import dataclass
from html import escape

import numpy as np
from xarray import Dataset

from .explorer_cells import FIRST, Cell, cell, percent
from .explorer_plot import drawing, plot

LIMIT = 60_000  # bytes of HTML: chapters store it in the repository
_POINTS = (60, 45, 30, 20, 12)  # of a curve, at most; the first that fits is taken


@dataclass(frozen=True, eq=False)
class Explorer:
    """Cells by weight decay and share of the data, shown as HTML that a script brings to life.

    The text form gives the median onset of every cell; nbval compares it.
    """

    cells: tuple[Cell, ...]
    last: float  # optimisation step at the right end of the axis

    @property
    def decays(self) -> tuple[float, ...]:
        """The weight decays that occur, in order."""
        return tuple(sorted({one.decay for one in self.cells}))

    @property
    def shares(self) -> tuple[float, ...]:
        """The shares of the data that occur, in order."""
        return tuple(sorted({one.share for one in self.cells}))

    @property
    def start(self) -> Cell:
        """The cell shown first: weight decay 1 at 30 %, else the one that grokked earliest."""
        usual = [one for one in self.cells if (one.decay, one.share) == (1.0, 0.3)]
        return usual[0] if usual else min(self.cells, key=lambda one: one.grok.median)

    def __repr__(self) -> str:
        low, *_, high = sorted([one.mem.steps.size for one in self.cells] * 2)
        seeds = f"{low} to {high} seeds" if low < high else f"{low} seed{'s' * (low > 1)}"
        rows = [
            f"weight decay {decay:g}, "
            + ", ".join(one.outcome for one in self.cells if one.decay == decay)
            for decay in self.decays
        ]
        return (
            f"Accuracy against optimisation step for {len(self.cells)} "
            f"pair{'s' * (len(self.cells) > 1)} of weight decay and share of the data, {seeds} "
            f"each. Median step of grokking: {'; '.join(rows)}."
        )

    def _repr_html_(self) -> str:
        """The figure, with as many points a curve as its limit of bytes allows.

        Raises ValueError if even the coarsest curves take more than that.
        """
        for points in _POINTS:
            html = self._html([drawing(one, self.last, points) for one in self.cells])
            if (size := len(html.encode())) <= LIMIT:
                return html
        raise ValueError(
            f"the explorer takes {size:,} bytes, more than {LIMIT:,}; show fewer runs."
        )

    def _html(self, drawings: list[dict]) -> str:
        decays, shares = [f"{d:g}" for d in self.decays], [percent(s) for s in self.shares]
        places = [
            [self.decays.index(one.decay), self.shares.index(one.share)] for one in self.cells
        ]
        begin = self.cells.index(self.start)
        data = {
            "first": FIRST,
            "last": round(self.last),
            "start": begin,
            "decays": decays,
            "shares": shares,
            "cells": [{"at": at} | drawn for at, drawn in zip(places, drawings, strict=True)],
        }
        packed = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        row, column = places[begin]
        return (
            '<figure class="explorer" aria-label="Accuracy by weight decay and share of the data">'
            f"{plot(self.start.sentence, drawings[begin], self.last)}"
            '<div class="explorer-panel"><div class="explorer-choice">'
            f'<div class="explorer-controls" hidden>{_slider("weight decay", decays, row)}'
            f"{_slider('share of the data', shares, column)}</div>"
            f'<output aria-live="polite">{escape(self.start.sentence)}</output></div>'
            f'{self._map()}</div><script type="application/json">{packed}</script></figure>'
        )

    def _map(self) -> str:
        """The table of cells: rows are weight decays, columns shares, texts median onsets."""
        where = {(one.decay, one.share): index for index, one in enumerate(self.cells)}
        medians = [one.grok.median for one in self.cells if np.isfinite(one.grok.median)]
        rows = []
        for decay in self.decays:
            cells = [where.get((decay, share)) for share in self.shares]
            row = "".join(
                "<td></td>" if index is None else self._entry(self.cells[index], index, medians)
                for index in cells
            )
            rows.append(f'<tr><th scope="row">{decay:g}</th>{row}</tr>')
        heads = "".join(f'<th scope="col">{percent(share)}</th>' for share in self.shares)
        return (
            '<table class="explorer-map"><caption>Median step of grokking, in thousands: '
            "the stronger the colour, the earlier; &gt; is not yet, an empty place not trained."
            "</caption><thead>"
            f'<tr><th rowspan="2" scope="col">weight decay</th><th colspan="{len(self.shares)}" '
            f'scope="colgroup">share of the data</th></tr><tr>{heads}</tr></thead>'
            f"<tbody>{''.join(rows)}</tbody></table>"
        )

    def _entry(self, one: Cell, index: int, medians: list[float]) -> str:
        """An entry of the map: the median onset, shaded on a log scale, not where it is unknown."""
        shade = 0.0
        if np.isfinite(one.grok.median):
            low, high = np.log(min(medians)), np.log(max(medians))
            late = (np.log(one.grok.median) - low) / (high - low) if high > low else 0.0
            shade = 45 - 35 * late
        chosen = ' class="chosen"' if one is self.start else ""
        look = f'data-cell="{index}"{chosen} style="--shade:{shade:.0f}%"'
        return f"<td {look}>{escape(one.brief)}</td>"


def explorer(runs: Dataset) -> Explorer:
    """Return the figure in which weight decay and share of the data can be moved.

    `runs` holds one or more seeds of every pair that was trained, and need not hold every pair.
    Onsets are `t_mem` and `t_grok`, NaN where the budget ended first.

    Raises ValueError where there is no run, where one lacks what is drawn, where a seed occurs
    twice in a pair, and where no training went beyond step 10.
    """
    needed = {"weight_decay", "train_fraction", "init_seed", "train_accuracy", "test_accuracy"}
    missing = sorted((needed | {"t_mem", "t_grok", "budget"}) - set(runs.variables))
    if missing:
        raise ValueError(f"the runs have no {', '.join(missing)}; the explorer needs them all.")
    if not runs.sizes["run"]:
        raise ValueError("an explorer needs at least one run, and there is none.")
    last = float(runs["budget"].max())
    if not last > FIRST:
        raise ValueError(f"the longest budget is {last:g}; the axis needs more than {FIRST} steps.")
    pairs: dict[tuple[float, float], list[int]] = {}
    coordinates = (runs[key].to_numpy().tolist() for key in ("weight_decay", "train_fraction"))
    for index, (decay, share) in enumerate(zip(*coordinates, strict=True)):
        # Single precision stores 0.3 as 0.30000001.
        pairs.setdefault((float(f"{decay:.6g}"), float(f"{share:.6g}")), []).append(index)
    cells = []
    for pair, where in sorted(pairs.items()):
        cells.append(cell(*pair, runs.isel(run=where)))
        seeds = runs["init_seed"].to_numpy()[where].tolist()
        if twice := sorted({seed for seed in seeds if seeds.count(seed) > 1}):
            raise ValueError(f"{cells[-1].name} holds seed {twice[0]} twice; keep one run of it.")
    return Explorer(tuple(cells), last)


def _slider(label: str, values: list[str], position: int) -> str:
    """A labelled range over the positions of values, with the values below it."""
    marks = "".join(f"<span>{value.removesuffix(' %')}</span>" for value in values)
    return (
        f"<label><span>{label} <b>{values[position]}</b></span>"
        f'<input type="range" min="0" max="{len(values) - 1}" step="1" value="{position}" '
        f'aria-label="{label}" aria-valuetext="{values[position]}">'
        f'<span class="explorer-values" aria-hidden="true">{marks}</span></label>'
    )
