"""How the scrubber draws power and plane: SVGs whose widths are shares of the page's.

`book/_static/scrubber.js` moves the marked parts to the other frames in the same way; the tests
hold the two together. Texts have the page's sizes at every width.
"""

import numpy as np
from jaxtyping import Int

from .colours import wheel
from .plane_axes import nice
from .planes import rings
from .scrubber_frames import Film
from .style import ARMS, INK, QUIET, RULE, ink

KEY, OTHER = ARMS[0], "#a9a9a9"
TOP, HIGH = 18, 170  # pixels above the bars' axes, and of them
_TALL = 230  # of the two upper plots
_SQUARE = 208  # of it for the plane, which is at most as wide
TEXT = 'font-size="13.5"'


def bars_plot(film: Film) -> str:
    """Return the plot of power by frequency."""
    number, frame = film.share.shape[1], film.bars[-1]
    low, lines, words = TOP + HIGH, "", ""
    tick = nice(100 * film.most) / 100
    for value in (0.0, tick / 2, tick):
        y = low - HIGH * value / film.most
        lines += f'<line x2="100%" y1="{y:g}" y2="{y:g}" stroke="{RULE}"/>'
        words += f'<text x="-7" y="{y + 4.5:.1f}" text-anchor="end">{100 * value:g} %</text>'
    for k in _labelled(number):
        x = f"{_across(k, number):g}%"
        words += f'<text x="{x}" y="{low + 18}" text-anchor="middle">{k}</text>'
    words += f'<text x="50%" y="{low + 38}" text-anchor="middle">frequency</text>'
    groups = "".join(
        f'<path class="scrubber-{kind}" fill="{colour}" d="{bars_path(chosen, frame)}"/>'
        for kind, colour, chosen in (
            ("other", OTHER, [k for k in range(1, number + 1) if k not in film.keys]),
            ("key", KEY, list(film.keys)),
        )
    )
    label = (
        f'<text class="scrubber-peak" x="{_across(film.frequency, number):g}%" '
        f'y="{peak(int(frame[film.frequency - 1])):g}" text-anchor="middle" '
        f'fill="{ink(KEY)}" font-weight="600">{film.frequency}</text>'
    )
    held = f"<b>{film.texts(-1)[3]}</b> in key frequencies" if film.keys else "no key frequency"
    return panel(
        "bars",
        f'Power by frequency<span style="color:{ink(KEY)}">{held}</span>',
        f'<svg role="img" aria-label="Share of the power by frequency" {TEXT} fill="{INK}" '
        f'overflow="visible" width="100%" height="{_TALL}">'
        f'{lines}<svg y="{TOP}" width="100%" height="{HIGH}" viewBox="0 0 {10 * number} 1000" '
        f'preserveAspectRatio="none">{groups}</svg>'
        f'<line x2="100%" y1="{low}" y2="{low}" stroke="{QUIET}"/>{words}{label}</svg>',
    )


def bars_path(chosen: list[int], heights: Int[np.ndarray, "frequencies"]) -> str:
    """Return the outline of the bars of some frequencies, ten units of width each.

    >>> bars_path([2], np.array([5, 700]))
    'M11,1000V300h8V1000z'
    """
    return "".join(f"M{10 * k - 9},1000V{1000 - heights[k - 1]}h8V1000z" for k in chosen)


def peak(height: int) -> float:
    """Return where the label of a bar stands, in pixels from the top of the plot."""
    return (1000 * (TOP - 5) + HIGH * (1000 - height)) / 1000


def _across(k: int, number: int) -> float:
    """The middle of a bar, in per cent of the width."""
    return float(f"{100 * (k - 0.5) / number:.2f}")


def _labelled(number: int) -> list[int]:
    """Frequencies to write at the axis, about five."""
    apart = next(d for d in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if number / d < 7)
    return list(range(apart, number + 1, apart))


def circle_plot(film: Film) -> str:
    """Return the plot of the residues in the plane of one frequency."""
    points, p = film.points[-1][film.order], film.p
    ring = rings(p, film.frequency).shape[1]
    colours = np.array(wheel(p))[film.order]
    size = min(max(round(3500 / p), 16), 45)
    dots = "".join(
        f'<circle cx="{x}" cy="{y}" r="{size}" fill="{colour}"/>'
        for (x, y), colour in zip(points.tolist(), colours, strict=True)
    )
    stops = ",".join([*wheel(18), *wheel(18)[:1]])
    strip = f'<i style="background:linear-gradient(90deg,{stops})"></i>'
    # The plane spans 1100 / 1000 of the largest coordinate either way, and the whole width.
    tick = nice(0.8 * film.reach)
    half, y = 50 * tick / (2.2 * film.reach), _SQUARE + 11
    left, right = f"{50 - half:.2f}%", f"{50 + half:.2f}%"
    scale = (
        f'<line x1="{left}" x2="{right}" y1="{y}" y2="{y}" stroke="{INK}"/>'
        f'<text x="{right}" y="{y}" dx="6" dy="4.5">{tick:g}</text>'
    )
    return panel(
        "circle",
        f'Plane of frequency {film.frequency}<span class="scrubber-hues">residue 0 {strip} '
        f"{p - 1}</span>",
        f'<svg role="img" aria-label="The residues in the plane of frequency {film.frequency}" '
        f'{TEXT} fill="{INK}" width="100%" height="{_TALL}">'
        f'<svg viewBox="-1100 -1100 2200 2200" width="100%" height="{_SQUARE}">'
        f'<path d="M-1100,0H1100M0,-1100V1100" stroke="{RULE}" '
        f'vector-effect="non-scaling-stroke"/>'
        f'<path class="scrubber-round" data-ring="{ring}" d="{round_path(points, ring)}" '
        f'stroke="{QUIET}" stroke-width="0.8" opacity="0.6" fill="none" '
        f'vector-effect="non-scaling-stroke"/>'
        f'<g class="scrubber-dots">{dots}</g></svg>{scale}</svg>',
    )


def round_path(points: Int[np.ndarray, "p 2"], ring: int) -> str:
    """Return the closed lines through points, `ring` of them a round.

    >>> round_path(np.array([[0, 1], [2, 3], [4, 5], [6, 7]]), 2)
    'M0,1L2,3zM4,5L6,7z'
    """
    path = ""
    for i, (x, y) in enumerate(points.tolist()):
        path += f"{'L' if i % ring else 'M'}{x},{y}{'z' if i % ring == ring - 1 else ''}"
    return path


def panel(name: str, head: str, svg: str) -> str:
    """Return one plot with its head."""
    return f'<div class="scrubber-{name}"><p>{head}</p>{svg}</div>'
