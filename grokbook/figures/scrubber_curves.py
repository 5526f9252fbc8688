"""How the scrubber draws both accuracies: as the explorer does, with a line at the frame."""

from html import escape

import numpy as np
from jaxtyping import Float

from .explorer_plot import ROOM, above
from .labels import count
from .scrubber_frames import Film
from .scrubber_plot import TEXT, panel
from .style import INK, QUIET, RULE, TEST, TRAIN, ink

OVER, CURVE = 26, 110  # pixels above the axes, and of them


def curves_plot(film: Film) -> str:
    """Return the plot of both accuracies, with a line at the frame."""
    low, here = OVER + CURVE, f"{film.places[-1] / 100:g}%"
    lines = words = curves = dots = ""
    for value in (0, 50, 100):
        y = low - CURVE * value / 100
        lines += f'<line x2="100%" y1="{y:g}" y2="{y:g}" stroke="{RULE}"/>'
        words += f'<text x="-9" y="{y + 4.5:g}" text-anchor="end">{value} %</text>'
    for step in film.axis.ticks():
        x = f"{film.axis.place(step) / 100:g}%"
        lines += f'<line x1="{x}" x2="{x}" y1="{low}" y2="{low + 5}" stroke="{QUIET}"/>'
        words += f'<text x="{x}" y="{low + 19}" text-anchor="middle">{count(step)}</text>'
    words += f'<text x="50%" y="{low + 39}" text-anchor="middle">optimisation step</text>'
    for split, colour in (("train", TRAIN), ("test", TEST)):
        path = " ".join(f"{x},{1000 - y}" for x, y in _corners(film, film.curves[split]))
        curves += (
            f'<polyline points="{path}" stroke="{colour}" stroke-width="2" '
            f'vector-effect="non-scaling-stroke"/>'
        )
        y = level(int(film.permille(split)[-1]))
        dots += f'<circle class="scrubber-at" cx="{here}" cy="{y:g}" r="4.5" fill="{colour}"/>'
    final = film.texts(-1)
    names = "".join(
        f'<span style="color:{ink(colour)}">{split} <b>{text}</b></span>'
        for split, colour, text in (("train", TRAIN, final[1]), ("test", TEST, final[2]))
    )
    return panel(
        "curves",
        f"Accuracy{names}",
        f'<svg role="img" aria-label="{escape(film.words(-1))}" {TEXT} fill="{INK}" '
        f'overflow="visible" width="100%" height="{low + 44}">{lines}{words}{_marks(film)}'
        f'<svg y="{OVER}" width="100%" height="{CURVE}" viewBox="0 0 10000 1000" '
        f'preserveAspectRatio="none" overflow="visible" fill="none" stroke-linejoin="round">'
        f'{curves}</svg><line x2="100%" y1="{low}" y2="{low}" stroke="{QUIET}"/>'
        f'<line class="scrubber-now" x1="{here}" x2="{here}" y1="{OVER - 4}" y2="{low}" '
        f'stroke="{INK}"/>{dots}</svg>',
    )


def level(permille: int) -> float:
    """Return where an accuracy stands, in pixels from the top of the plot of curves."""
    return (1000 * OVER + CURVE * (1000 - permille)) / 1000


def _corners(film: Film, curve: Float[np.ndarray, "points 2"]) -> list[tuple[int, int]]:
    """The points of a curve that its line needs: none inside a level stretch."""
    corners = [
        (film.axis.place(step), round(1000 * accuracy))
        for step, accuracy in curve.tolist()
        if film.axis.first <= step <= film.axis.last
    ]
    inner = [b for a, b, c in zip(corners, corners[1:], corners[2:], strict=False)
             if not a[1] == b[1] == c[1]]  # fmt: skip
    return corners[:1] + inner + corners[-1:]


def _marks(film: Film) -> str:
    """The onsets as dashed lines, with their names above."""
    found, lines, colours = [], "", {}
    for (colour, step, _), (split, name) in zip(
        film.onsets, (("train", "memorised"), ("test", "grokked")), strict=True
    ):
        colours[split] = colour
        if film.axis.first <= step <= film.axis.last:
            at = film.axis.place(step)
            found.append((split, name, at / 10))
            x = f"{at / 100:g}%"
            lines += (
                f'<line x1="{x}" x2="{x}" y1="{OVER}" y2="{OVER + CURVE}" stroke="{colour}" '
                f'stroke-dasharray="4 3"/>'
            )
    names = "".join(
        f'<text x="{x / 10:.2f}%" y="{OVER - 9}" text-anchor="{anchor}" '
        f'fill="{ink(colours[split])}">{name}</text>'
        for split, name, x, _, anchor in _named(found)
    )
    return lines + names


def _named(found: list[tuple[str, str, float]]) -> list[list]:
    """The names of onsets, both beginning at their marks where there is room, with their places."""
    if len(found) == 2:
        (split, name, left), (other, its, right) = sorted(found, key=lambda mark: mark[2])
        right = min(right, 1000 - ROOM[its])
        if left < ROOM[name] < right - left - 20:
            return [[split, name, left, 0, "start"], [other, its, right, 0, "start"]]
    return above(found)
