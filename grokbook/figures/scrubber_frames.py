"""What the scrubber knows of a training: the numbers of every frame, and the words for them."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int
from xarray import Dataset

from .frames import StepAxis, key_frequencies, onsets, shares, step_axis
from .labels import count
from .planes import flat, plane, rings

Real = float | int


@dataclass(frozen=True, eq=False)
class Film:
    """One training, frame by frame; accuracies are those of the curves at the frames' steps."""

    steps: Float[np.ndarray, "frames"]
    share: Float[np.ndarray, "frames frequencies"]  # of non-constant power; column 0 is k = 1
    keys: tuple[int, ...]
    frequency: int  # whose plane is shown
    places_in_plane: Float[np.ndarray, "frames p 2"]
    axis: StepAxis
    curves: dict[str, Float[np.ndarray, "points 2"]]  # train, test: step and accuracy
    onsets: list[tuple[str, float, str]]

    @property
    def p(self) -> int:
        """The number of residues."""
        return self.places_in_plane.shape[1]

    @property
    def held(self) -> Float[np.ndarray, "frames"]:
        """The share of the power that key frequencies hold."""
        return self.share[:, [k - 1 for k in self.keys]].sum(axis=1)

    @property
    def train(self) -> Float[np.ndarray, "frames"]:
        """The training accuracy at each frame."""
        return np.interp(self.steps, *self.curves["train"].T)

    @property
    def test(self) -> Float[np.ndarray, "frames"]:
        """The test accuracy at each frame."""
        return np.interp(self.steps, *self.curves["test"].T)

    @property
    def most(self) -> float:
        """The largest share of all frames, to which bars are drawn: at least 5 %."""
        return max(float(self.share.max()), 0.05)

    @property
    def reach(self) -> float:
        """The largest coordinate of all frames, to which points are drawn."""
        return float(np.abs(self.places_in_plane).max())

    @property
    def bars(self) -> Int[np.ndarray, "frames frequencies"]:
        """Heights of the bars, in per mille of the largest."""
        return np.rint(1000 * self.share / self.most).astype(int)

    @property
    def points(self) -> Int[np.ndarray, "frames p 2"]:
        """Places of the residues, in per mille of the largest coordinate, y downwards."""
        return np.rint(1000 * self.places_in_plane / self.reach * [1, -1]).astype(int)

    @property
    def order(self) -> Int[np.ndarray, "p"]:
        """The residues in the order in which lines join them."""
        return rings(self.p, self.frequency).ravel()

    @property
    def places(self) -> list[int]:
        """Where the frames stand on the axis of steps."""
        return [self.axis.place(step) for step in self.steps.tolist()]

    def permille(self, split: str) -> Int[np.ndarray, "frames"]:
        """The accuracy at each frame in per mille."""
        return np.rint(1000 * getattr(self, split)).astype(int)

    def texts(self, at: int) -> list[str]:
        """What is written of a frame: step, both accuracies, share in key frequencies."""
        found = (float(values[at]) for values in (self.train, self.test, self.held))
        return [count(self.steps[at]), *map(per_cent, found)]

    def words(self, at: int) -> str:
        """A frame in words, as the slider says it."""
        step, train, test, _ = self.texts(at)
        return f"step {step}: train accuracy {train}, test accuracy {test}"

    def thinned(self, most: int) -> "Film":
        """At most so many frames, evenly chosen, with the first and the last."""
        if self.steps.size <= most:
            return self
        kept = np.linspace(0, self.steps.size - 1, most).round().astype(int)
        return replace(
            self,
            steps=self.steps[kept],
            share=self.share[kept],
            places_in_plane=self.places_in_plane[kept],
        )


def per_cent(share: Real) -> str:
    """Write a share in whole per cent, with one digit more where it is nearly all.

    >>> per_cent(0.123), per_cent(0.996), per_cent(1.0)
    ('12 %', '99.6 %', '100 %')
    """
    return (
        f"{100 * share:.1f} %".replace("100.0", "100") if share > 0.99 else f"{100 * share:.0f} %"
    )


def film(run: Dataset) -> Film:
    """Return the film of one run, without the frames that it did not reach.

    Raises ValueError where frames, frequencies or accuracies do not fit together.
    """
    run, share = shares(run)
    W_E = run["frame_W_E"].transpose("frame", "element", "dimension").to_numpy().astype(float)
    p = W_E.shape[1]
    if share.shape[1] != p // 2:
        raise ValueError(
            f"{p} residues have frequencies 0 to {p // 2}, and the run has 0 to {share.shape[1]}."
        )
    if not np.isfinite(W_E).all():
        raise ValueError("an embedding of the run is not finite; it cannot be drawn.")
    keys = tuple(key_frequencies(run).tolist())
    paired = [k for k in keys if 2 * k < p] or range(1, (p + 1) // 2)
    frequency = max(paired, key=lambda k: share[-1, k - 1])
    directions = plane(W_E[-1], frequency)
    curves = {split: _curve(run, split) for split in ("train", "test")}
    steps = run["frame"].to_numpy().astype(float)
    return Film(
        steps=steps,
        share=share,
        keys=keys,
        frequency=frequency,
        places_in_plane=np.stack([flat(frame, directions) for frame in W_E]),
        axis=step_axis(steps),
        curves=curves,
        onsets=onsets(run),
    )


def _curve(run: Dataset, split: str) -> Float[np.ndarray, "points 2"]:
    """Steps and accuracies of a curve as far as it goes, in order."""
    values = run[f"{split}_accuracy"].sortby("step")
    curve = np.stack([values["step"].to_numpy(), values.to_numpy()], axis=1).astype(float)
    curve = curve[np.isfinite(curve[:, 1])]
    if not len(curve):
        raise ValueError(f"the run has no {split} accuracy at any step.")
    return curve
