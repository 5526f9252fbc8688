"""The picture of a torus: an embedding that needs two characters to tell its elements apart."""

import math

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes

from grokbook.theory import cyclic
from grokbook.theory.cyclic.products import Character, Moduli

from .colours import wheel
from .labels import number
from .picture import Picture
from .plane_axes import plane_axes
from .planes import flat, plane_of
from .style import RULE, WIDE, canvas, style

_SIDE, _LEFT, _BOTTOM, _TOP, _GAP = 2.2, 0.72, 0.52, 0.26, 0.95  # inches


def torus(
    embedding: Float[np.ndarray, "n d"],
    characters: tuple[Character, Character],
    moduli: Moduli,
) -> Picture:
    r"""Draw an embedding of $\mathbb Z_{n_1} \times \dots$ in the planes of two characters.

    Left the plane of the first, where elements that it does not tell apart stand together; right
    the angle in this plane against that in the other's, with lines where a perfect torus has its
    elements. The hue is what the second character says of an element.

    Raises ValueError for a character whose circle has fewer than three points, which spans no
    plane, and for an embedding with another number of rows than the group has elements.
    """
    if len(embedding) != math.prod(moduli):
        raise ValueError(f"{len(embedding)} rows are no embedding of {math.prod(moduli)} elements.")
    for one in characters:
        if (points := cyclic.order(one, moduli)) < 3:
            raise ValueError(f"character {one} has {points} points on its circle, and no plane.")
    turn = math.lcm(*moduli)
    phases = cyclic.phases(characters, moduli)
    places = [
        flat(embedding, plane_of(embedding, 2 * np.pi / turn * phase, f"character {one}"))
        for one, phase in zip(characters, phases, strict=True)
    ]
    angles = [_turns(points, phase / turn) for points, phase in zip(places, phases, strict=True)]
    orders = [cyclic.order(one, moduli) for one in characters]
    colours = np.array(wheel(turn))[phases[1]]
    with style():
        figure, (circle, lattice) = canvas(
            _SIDE + _BOTTOM + _TOP,
            columns=2,
            left=_LEFT,
            right=WIDE - _LEFT - 2 * _SIDE - _GAP,
            bottom=_BOTTOM,
            top=_TOP,
            gap=_GAP,
        )
        plane_axes(circle, 1.08 * float(np.linalg.norm(places[0], axis=1).max()))
        circle.scatter(*places[0].T, s=16, c=colours, linewidths=0, gid="elements")
        circle.text(0, 1.02, _name(characters[0]), transform=circle.transAxes, va="bottom")
        _lattice(lattice, characters, orders)
        lattice.scatter(*angles, s=16, c=colours, linewidths=0, zorder=2, gid="elements")
    return Picture(figure, _alt(characters, orders, phases, angles, turn))


def _turns(
    points: Float[np.ndarray, "n 2"], ideal: Float[np.ndarray, "n"]
) -> Float[np.ndarray, "n"]:
    """Measured angles in turns, each on the branch that is nearest to where it ought to be."""
    off = np.arctan2(points[:, 1], points[:, 0]) / (2 * np.pi) - ideal
    return ideal + (off + 0.5) % 1 - 0.5


def _lattice(axes: Axes, characters: tuple[Character, Character], orders: list[int]) -> None:
    for draw, order in zip((axes.axvline, axes.axhline), orders, strict=True):
        for step in range(order):
            draw(step / order, color=RULE, lw=0.7, zorder=0)
    room = 0.6 / min(orders)
    axes.set(xlim=(-room, 1), ylim=(-room, 1), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    axes.set(
        xlabel=f"angle of {_name(characters[0])} (turns)",
        ylabel=f"angle of {_name(characters[1])} (turns)",
    )


def _name(character: Character) -> str:
    return rf"$\chi_{{{', '.join(map(str, character))}}}$"


def _alt(
    characters: tuple[Character, Character],
    orders: list[int],
    phases: Int[np.ndarray, "2 n"],
    angles: list[Float[np.ndarray, "n"]],
    turn: int,
) -> str:
    text = [f"The embedding of {phases.shape[1]} elements in the planes of two characters."]
    for one, order, phase, angle in zip(characters, orders, phases, angles, strict=True):
        off = number(round(360 * float(np.abs(angle - phase / turn).max()), 1))
        text.append(
            f"Character {one} has {order} points on its circle; "
            f"no element is farther than {off} degrees from its own."
        )
    told = len({tuple(column) for column in phases.T.tolist()})
    return " ".join([*text, f"Together they tell {told} of {phases.shape[1]} elements apart."])
