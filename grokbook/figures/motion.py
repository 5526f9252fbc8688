r"""The figure in which a reader watches a few activations move: out and in, and round.

Each dot is one example: its distance from the centre is $\|h\|/\sqrt d$, its angle from the line to
the right that of its direction from where it will end. The page needs no kernel: whole numbers
stand in the HTML, and a plain script (`book/_static/motion.js`) moves the dots. Without it the HTML
shows the last frame.
"""

import json
from dataclasses import dataclass
from html import escape

import numpy as np
from jaxtyping import Float, Int
from xarray import Dataset

from .labels import count
from .style import INK, QUIET, RULE, TEST

WIDTH, HEIGHT = 320, 196
CENTRE, REACH = (160, 160), 138  # of a plot, in its own units
FINE = 10  # the numbers in the page are tenths of a unit
LIMIT = 60_000  # bytes of HTML


@dataclass(frozen=True)
class Motion:
    """Radius and angle of the same examples under several arms, frame by frame.

    `radius` and `angle` (radians) have an entry an arm, of shape (frames, examples); all arms share
    the frames at `steps`: one that has none there shows its last one before. The text form gives
    the medians at the first and the last frame; nbval compares it.
    """

    site: str
    steps: Int[np.ndarray, " frame"]
    steps_an_epoch: int
    radius: dict[str, Float[np.ndarray, "frame example"]]
    angle: dict[str, Float[np.ndarray, "frame example"]]

    @property
    def scale(self) -> float:
        """Units of a plot for each √d: the largest radius, and the sphere, fit in."""
        return REACH / max(1.15, *(float(r.max()) for r in self.radius.values()))

    def sentence(self, frame: int) -> str:
        """What the readout says of a frame."""
        step = int(self.steps[frame])
        when = f"Step {count(step)}"
        if self.steps_an_epoch > 1:
            when += f" (epoch {count(step // self.steps_an_epoch)})"
        each = [
            f"{name} ‖h‖ is {np.median(radius[frame]):.2f} √d, "
            f"{np.degrees(np.median(self.angle[name][frame])):.0f}° from its last direction"
            for name, radius in self.radius.items()
        ]
        return f"{when}: {'; '.join(each)}."

    def __repr__(self) -> str:
        examples = next(iter(self.radius.values())).shape[1]
        return (
            f"{examples} activations at {self.site}, {len(self.steps)} frames, medians. "
            f"{self.sentence(0)} {self.sentence(-1)}"
        )

    def places(self, name: str) -> Int[np.ndarray, "frame example two"]:
        """Where the dots of an arm lie, in tenths of a unit from the corner of its plot."""
        radius, angle = self.scale * self.radius[name], self.angle[name]
        x = CENTRE[0] + radius * np.cos(angle)
        y = CENTRE[1] - radius * np.sin(angle)
        return np.rint(FINE * np.stack([x, y], axis=-1)).astype(int)

    def _repr_html_(self) -> str:
        """The figure; raises ValueError where it takes more bytes than its limit."""
        last = len(self.steps) - 1
        places = {name: self.places(name) for name in self.radius}
        data = {
            "fine": FINE,
            "arms": [each.reshape(last + 1, -1).tolist() for each in places.values()],
            "texts": [self.sentence(frame) for frame in range(last + 1)],
        }
        packed = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        plots = "".join(self._plot(name, each) for name, each in places.items())
        html = (
            f'<figure class="motion" aria-label="Activations at {escape(self.site)} as they move">'
            f'<div class="motion-plots">{plots}</div>'
            f"<label hidden><span>step <b>{count(int(self.steps[-1]))}</b></span>"
            f'<input type="range" min="0" max="{last}" step="1" value="{last}" '
            f'aria-label="optimisation step" aria-valuetext="{escape(self.sentence(-1))}"></label>'
            f'<output aria-live="polite">{escape(self.sentence(-1))}</output>'
            f'<script type="application/json">{packed}</script></figure>'
        )
        if (size := len(html.encode())) > LIMIT:
            raise ValueError(f"the motion takes {size:,} bytes, more than {LIMIT:,}: show less.")
        return html

    def _plot(self, name: str, places: Int[np.ndarray, "frame example two"]) -> str:
        (x, y), sphere = CENTRE, round(self.scale, 1)
        arc = f"M{x - sphere},{y}A{sphere},{sphere} 0 0 1 {x + sphere},{y}"
        trails = "".join(
            f'<path d="{trail(places[:, example])}"/>' for example in range(places.shape[1])
        )
        dots = "".join(
            f'<circle cx="{px / FINE:g}" cy="{py / FINE:g}" r="4.5"/>'
            for px, py in places[-1].tolist()
        )
        label = f"{name}: {self.sentence(-1)}"
        return (
            f'<div><p>{escape(name)}</p><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{escape(label)}">'
            f'<line x1="8" x2="{WIDTH - 8}" y1="{y}" y2="{y}" stroke="{RULE}"/>'
            f'<path d="{arc}" fill="none" stroke="{INK}" stroke-dasharray="6 4"/>'
            f'<circle cx="{x}" cy="{y}" r="2" fill="{QUIET}"/>'
            f'<text x="{x + sphere:g}" y="{y + 19}" text-anchor="middle">√d</text>'
            f'<text x="{WIDTH - 6}" y="{y - 7}" text-anchor="end">0°</text>'
            f'<text x="6" y="{y - 7}">180°</text>'
            f'<g class="trails" fill="none" stroke="{QUIET}">{trails}</g>'
            f'<g class="dots" fill="{TEST}" stroke="white">{dots}</g></svg></div>'
        )


def trail(places: Int[np.ndarray, "frame two"]) -> str:
    """The way of one dot as an SVG path.

    >>> trail(np.array([[10, 25], [30, 40]]))
    'M1,2.5L3,4'
    """
    return "M" + "L".join(f"{x / FINE:g},{y / FINE:g}" for x, y in places.tolist())


def motion(arms: dict[str, Dataset], site: str, *, steps_an_epoch: int = 1) -> Motion:
    """Return the figure of one run an arm, at one site.

    Raises ValueError for an arm of several runs, or without frames.
    """
    for name, run in arms.items():
        if run.sizes["run"] != 1 or "frame_radius" not in run:
            raise ValueError(f"arm {name!r} is not one run with frames of activations.")
    # Runs that were read together share their frames; where one has none of its own stands NaN.
    seen = {
        name: run.isel(run=0).sel(site=site).dropna("frame", subset=["frame_radius"])
        for name, run in arms.items()
    }
    steps = np.unique(np.concatenate([one["frame"].values for one in seen.values()]))
    radius, angle = {}, {}
    for name, one in seen.items():
        at = np.searchsorted(one["frame"].values, steps, side="right") - 1
        one = one.transpose("frame", "sample", ...)
        radius[name] = one["frame_radius"].values[at].astype(float)
        angle[name] = one["frame_angle"].values[at].astype(float)
    return Motion(site, steps.astype(int), steps_an_epoch, radius, angle)
