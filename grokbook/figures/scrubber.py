"""The figure that a reader can run: one training, frame by frame, under a slider.

Power by frequency, the circle of the strongest key frequency, and both accuracies move together.
The page needs no kernel: whole numbers stand in the HTML, and a plain script
(`book/_static/scrubber.js`) draws the frame that is chosen. Without it the HTML shows the last one.
"""

import json
from dataclasses import dataclass
from html import escape

from xarray import Dataset

from .frames import single
from .labels import count
from .scrubber_curves import CURVE, OVER, curves_plot
from .scrubber_frames import Film, film
from .scrubber_plot import HIGH, TOP, bars_plot, circle_plot

LIMIT = 150_000  # bytes of HTML: chapters store it in the repository
_FRAMES = (60, 45, 30, 20, 12, 6, 2)  # at most; the first that fits is taken
_NEEDED = ("embedding_power", "key", "frame_W_E", "train_accuracy", "test_accuracy")


@dataclass(frozen=True, eq=False)
class Scrubber:
    """The frames of one training, shown as HTML that a script brings to life.

    The text form names the key frequencies, their share of the power and both accuracies, at the
    first and at the last frame; nbval compares it.
    """

    film: Film

    def __repr__(self) -> str:
        film = self.film
        steps = f"{count(film.steps[0])} to {count(film.steps[-1])}"
        keys, ends = "no key frequency", []
        if film.keys:
            keys = f"key frequencies {', '.join(map(str, film.keys))}"
        for name, at in (("first", 0), ("last", -1)):
            _, train, test, held = film.texts(at)
            power = f"{held} of the power in key frequencies, " if film.keys else ""
            ends.append(f"at the {name} frame {power}train accuracy {train}, test accuracy {test}")
        memorised, grokked = (words for _, _, words in film.onsets)
        return (
            f"The embedding of {film.p} residues over training, {film.steps.size} frames from step "
            f"{steps}: {keys}, strongest {film.frequency}; {'; '.join(ends)}; {memorised}; "
            f"{grokked}."
        )

    def _repr_html_(self) -> str:
        """The figure, with as many frames, evenly chosen, as its limit of bytes allows.

        Raises ValueError if even two frames take more than that.
        """
        for most in _FRAMES:
            html = _html(self.film.thinned(most))
            if (size := len(html.encode())) <= LIMIT:
                return html
        raise ValueError(
            f"the scrubber takes {size:,} bytes, more than {LIMIT:,}; show a smaller p."
        )


def scrubber(run: Dataset) -> Scrubber:
    """Return the figure of one run whose frames a slider moves through.

    The circle is drawn in a fixed plane, that of the strongest key frequency in the last frame's
    embedding (of all frequencies, where none is key), so that noise is seen to turn into it.

    Raises ValueError unless it is one run with all that is drawn and two frames or more.
    """
    needed = (*_NEEDED, "t_mem", "t_grok", "frame", "step", "frequency")
    return Scrubber(film(single(run, needed, "a scrubber")))


def _html(film: Film) -> str:
    last, words = film.steps.size - 1, film.words(-1)
    data = {
        "heights": {"top": TOP, "high": HIGH, "over": OVER, "curve": CURVE},
        "bars": film.bars.tolist(),
        "points": film.points[:, film.order].reshape(last + 1, -1).tolist(),
        "places": film.places,
        "levels": [film.permille("train").tolist(), film.permille("test").tolist()],
        "texts": [film.texts(at) for at in range(last + 1)],
    }
    packed = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return (
        f'<figure class="scrubber" aria-label="The embedding of {film.p} residues over training">'
        f'<div class="scrubber-plots">{bars_plot(film)}{circle_plot(film)}'
        f"{curves_plot(film)}</div>"
        f'<p class="scrubber-still">The last of {last + 1} frames, {escape(words)}. '
        "Where scripts may run, a slider moves through the training.</p>"
        '<div class="scrubber-controls" hidden>'
        '<button type="button" aria-label="play the training">'
        '<svg viewBox="0 0 20 20" aria-hidden="true"><path class="play" d="M5 3v14l12-7z"/>'
        '<path class="pause" d="M4 3h4v14h-4zM12 3h4v14h-4z"/></svg></button>'
        f"<label><span>step <b>{count(film.steps[-1])}</b></span>"
        f'<input type="range" min="0" max="{last}" step="1" value="{last}" '
        f'aria-label="optimisation step" aria-valuetext="{escape(words)}"></label></div>'
        f'<script type="application/json">{packed}</script></figure>'
    )
