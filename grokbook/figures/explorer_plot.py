"""How the explorer draws a cell: an SVG whose widths are shares of the page's, its texts not.

`book/_static/explorer.js` draws the other cells from `drawing` in the same way; the tests hold
the two together. Positions along the axis are per mille of it.
"""

import json
import math
from html import escape

import numpy as np

from .explorer_cells import FIRST, Cell, Real, thin
from .labels import count
from .style import INK, QUIET, RULE, TEST, TRAIN, ink

_TOP, _HIGH = 28, 210  # pixels above the axes, and of them
_COLOURS = {"train": TRAIN, "test": TEST}
ROOM = {"memorised": 260, "grokked": 210}  # of a telephone's axis, for the words above it
_AIR = 14  # between a curve and its label


def drawing(cell: Cell, last: Real, points: int) -> dict:
    """Return what is drawn of a cell, as JSON takes it: its sentence, curves, marks and texts.

    A curve is its split, 1 if strong, and step, per mille, step, per mille …, at most `points`
    of them; a mark is a split and the step of the median onset; a text is a split, its words,
    its place along the axis, its height in pixels and its anchor.
    """
    onsets = (("train", "memorised", cell.mem.median), ("test", "grokked", cell.grok.median))
    marks = [(split, word, round(at)) for split, word, at in onsets if FIRST <= at <= last]
    return {
        "sentence": cell.sentence,
        "curves": [[c.split, int(c.strong), thin(c, points).ravel().tolist()] for c in cell.curves],
        "marks": [[split, at] for split, _, at in marks],
        "texts": _beside(cell, last) + above([(s, w, place(at, last)) for s, w, at in marks]),
    }


def place(step: Real, last: Real) -> float:
    """Return where a step stands on the log axis, in per mille of its length.

    >>> place(100, 1000)
    500.0
    """
    return round(1000 * math.log(step / FIRST) / math.log(last / FIRST), 1)


def above(marks: list[tuple[str, str, float]]) -> list[list]:
    """The onsets' words above the axes: the earlier ends at its mark, the later begins there."""
    if len(marks) == 1:
        ((split, word, at),) = marks
        end = at > 500
        return [[split, word, at, _TOP - 9, "end" if end else "start"]]
    texts: list[list] = []
    if marks:
        (split, word, left), (other, its, right) = sorted(marks, key=lambda mark: mark[2])
        right = min(right, 1000 - ROOM[its])
        left = max(min(left, right - _AIR), ROOM[word])
        right = max(right, left + _AIR)
        texts = [[split, word, left, _TOP - 9, "end"], [other, its, right, _TOP - 9, "start"]]
    return texts


def _beside(cell: Cell, last: Real) -> list[list]:
    """The names of the curves where these are half way up: left of the rise if there is room.

    A curve that never is has its name above it, the training curve's farther left.
    """
    texts, free, height = [], 0.0, _TOP + _HIGH // 2
    for split, spot in (("train", 600.0), ("test", 1000.0)):
        curves = [curve for curve in cell.curves if curve.split == split]
        halves = [half for curve in curves if math.isfinite(half := curve.half_way())]
        at = [place(half, last) for half in halves]
        if at and min(at) - free > 130:
            texts.append([split, split, round(min(at) - _AIR, 1), height, "end"])
        elif at:
            texts.append([split, split, round(max(at) + _AIR, 1), height, "start"])
        elif curves:
            # The strong curve comes last.
            xs = [place(step, last) for step in curves[-1].step]
            under = np.interp(spot, xs, curves[-1].permille)
            texts.append([split, split, spot, _TOP + round(_HIGH * (1 - under / 1000)) - 10, "end"])
        free = max(at, default=0.0)
    return texts


def plot(words: str, drawn: dict, last: Real) -> str:
    """Return the SVG of a cell; `words` is its text for those who do not see it."""
    curves, marks, texts = {"train": "", "test": ""}, "", ""
    for split, strong, flat in drawn["curves"]:
        points = " ".join(
            f"{place(step, last):g},{1000 - permille}"
            for step, permille in zip(flat[::2], flat[1::2], strict=True)
        )
        look = 'stroke-width="2"' if strong else 'stroke-width="1" opacity="0.4"'
        curves[split] += f'<polyline points="{points}" {look} vector-effect="non-scaling-stroke"/>'
    for split, step in drawn["marks"]:
        x = f"{place(step, last) / 10:.2f}%"
        marks += (
            f'<line x1="{x}" x2="{x}" y1="{_TOP}" y2="{_TOP + _HIGH}" '
            f'stroke="{_COLOURS[split]}" stroke-dasharray="4 3"/>'
        )
    for split, word, x, y, anchor in drawn["texts"]:
        texts += (
            f'<text x="{x / 10:.2f}%" y="{y}" text-anchor="{anchor}" '
            f'fill="{ink(_COLOURS[split])}">{word}</text>'
        )
    groups = "".join(
        f'<g data-split="{split}" stroke="{_COLOURS[split]}">{lines}</g>'
        for split, lines in curves.items()
    )
    tones = json.dumps({split: [tone, ink(tone)] for split, tone in _COLOURS.items()})
    return (
        f'<div class="explorer-plot" style="padding:4px 22px 0 52px"><svg role="img" '
        f'data-tones="{escape(tones)}" aria-label="{escape(words)}" overflow="visible" '
        f'width="100%" height="{_TOP + _HIGH + 48}" font-size="14" fill="{INK}">{_axes(last)}'
        f'<g class="explorer-marks">{marks}</g>'
        f'<svg y="{_TOP}" width="100%" height="{_HIGH}" viewBox="0 0 1000 1000" '
        f'preserveAspectRatio="none" overflow="visible" fill="none" '
        f'stroke-linejoin="round">{groups}</svg>'
        f'<g class="explorer-texts" stroke="#fff" stroke-width="3" paint-order="stroke" '
        f'stroke-linejoin="round">{texts}</g></svg></div>'
    )


def _axes(last: Real) -> str:
    """Ticks and labels of both axes, which are the same for all cells."""
    low, lines, words = _TOP + _HIGH, "", ""
    for value in (0, 0.5, 1):
        y = low - _HIGH * value
        lines += f'<line x2="100%" y1="{y:g}" y2="{y:g}" stroke="{RULE}"/>'
        words += f'<text x="-10" y="{y + 5:g}" text-anchor="end">{value:g}</text>'
    power = FIRST
    while power <= last:
        for digit in range(1, 10):
            if (step := digit * power) <= last:
                x = f"{place(step, last) / 10:.2f}%"
                length = 6 if digit == 1 else 3
                lines += (
                    f'<line x1="{x}" x2="{x}" y1="{low}" y2="{low + length}" stroke="{QUIET}"/>'
                )
        words += (
            f'<text x="{place(power, last) / 10:.2f}%" y="{low + 20}" '
            f'text-anchor="middle">{count(power)}</text>'
        )
        power *= 10
    words += f'<text x="50%" y="{low + 41}" text-anchor="middle">optimisation step</text>'
    middle = low - _HIGH // 2
    turned = f'transform="translate(-40 {middle}) rotate(-90)"'
    words += f'<text {turned} text-anchor="middle">accuracy</text>'
    return f'{lines}<line x2="100%" y1="{low}" y2="{low}" stroke="{QUIET}"/>{words}'
