"""A curve per seed, faint, and their median, strong."""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.lines import Line2D


def draw_seeds(
    axes: Axes,
    steps: Float[np.ndarray, " n"],
    curves: Float[np.ndarray, "run n"],
    **look: object,
) -> Line2D:
    """Draw every seed and, as far as half of them were trained, their median; return its line."""
    for curve in curves:
        seen = np.isfinite(curve)
        axes.plot(steps[seen], curve[seen], lw=0.6, alpha=0.3, **look)
    kept, middle = median_of_seeds(curves)
    return axes.plot(steps[kept], middle, lw=1.9, **look)[0]


def median_of_seeds(
    curves: Float[np.ndarray, "run n"],
) -> tuple[np.ndarray, Float[np.ndarray, " kept"]]:
    """Where at least half of the seeds were trained, and their median there.

    >>> kept, middle = median_of_seeds(np.array([[1.0, 2.0, 3.0], [3.0, np.nan, np.nan],
    ...                                          [5.0, 4.0, np.nan]]))
    >>> kept.tolist(), middle.tolist()
    ([True, True, False], [3.0, 3.0])
    """
    kept = np.isfinite(curves).mean(axis=0) >= 0.5
    return kept, np.nanmedian(curves[:, kept], axis=0)
