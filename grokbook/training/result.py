"""What a run leaves behind: its curves, and the labelled dataset that is stored and read."""

import math
from dataclasses import dataclass, field

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from torch import Tensor

from grokbook.measures import MEASURES
from grokbook.measures.contraction import OF_ONE_STEP
from grokbook.measures.onset import onsets
from grokbook.measures.slingshots import slingshots
from grokbook.training import provenance
from grokbook.training.following import EXTREMES, ONSETS, SIDES, of_onsets
from grokbook.training.frames import Frames
from grokbook.training.request import Request
from grokbook.training.run import Run
from grokbook.training.trajectory import Evaluation
from grokbook.training.watching import AT_SITES, OVERALL

COLLAPSE = "softmax_collapse"
CURVES = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
STORED_POINTS = 400  # of a curve; onsets are found on the whole grid before it is thinned


@dataclass
class Curves:
    """Everything logged so far, at full resolution; it travels with the checkpoint."""

    values: dict[str, list[float]] = field(default_factory=dict)
    diverged_at: float = math.nan
    seconds: float = 0.0  # of wall time, over all sittings
    frames: Frames = field(default_factory=lambda: Frames(0, 1))

    @classmethod
    def empty(cls, request: Request) -> "Curves":
        """No evaluation yet."""
        return cls(frames=Frames(request.frames, request.evaluate_every))

    def append(self, step: int, numbers: dict[str, float]) -> None:
        """Add one evaluation."""
        for name, value in {"step": float(step), **numbers}.items():
            self.values.setdefault(name, []).append(value)

    def complete(self, numbers: dict[str, float]) -> None:
        """Fill in what the step from the newest evaluation did."""
        for name, value in numbers.items():
            self.values[name][-1] = value

    def record(
        self, step: int, train: Evaluation, test: Evaluation, measured: dict[str, float]
    ) -> None:
        """Add one evaluation of both parts, and what the measures say of the weights."""
        both = {
            f"{part}_{item}": getattr(evaluation, item)
            for part, evaluation in (("train", train), ("test", test))
            for item in ("loss", "accuracy")
        }
        collapse = {f"{COLLAPSE}/{logit}": share for logit, share in train.collapse.items()}
        self.append(step, both | collapse | measured)

    def last_step(self) -> float:
        """Step of the last evaluation, -1 before the first."""
        return self.values["step"][-1] if self.values else -1.0

    def latest(self) -> dict[str, float]:
        """The newest evaluation."""
        return {name: column[-1] for name, column in self.values.items()}

    def tensor(self, name: str) -> Float[Tensor, " n"]:
        """One column."""
        return torch.tensor(self.values.get(name, []), dtype=torch.float64)

    def arrays(self) -> dict[str, np.ndarray]:
        """The columns as arrays, for a checkpoint."""
        columns = {f"curve_{name}": np.array(column) for name, column in self.values.items()}
        return (
            columns
            | self.frames.arrays()
            | {"diverged_at": np.array(self.diverged_at), "seconds": np.array(self.seconds)}
        )

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "Curves":
        """Read `arrays` back."""
        columns = {
            name.removeprefix("curve_"): column.tolist()
            for name, column in arrays.items()
            if name.startswith("curve_")
        }
        numbers = float(arrays["diverged_at"]), float(arrays["seconds"])
        return cls(columns, *numbers, Frames.from_arrays(arrays))

    def take(self, other: "Curves") -> None:
        """Become another record."""
        self.values, self.diverged_at = other.values, other.diverged_at
        self.seconds, self.frames = other.seconds, other.frames

    def serves(self, request: Request) -> bool:
        """Whether these were logged on the request's grid, with all its measures and frames."""
        if request.frames not in (0, self.frames.most):
            return False
        steps = self.values.get("step", [])
        if not steps:
            return True
        watched = any(name.startswith(f"{AT_SITES[0]}/") for name in self.values)
        if request.frames and request.follow_radial != watched:
            return False  # frames of weights, and of activations, are not each other's
        # A last look off the grid would count as an evaluation of the longer run.
        on_grid = all(step == i * request.evaluate_every for i, step in enumerate(steps))
        whole = {name for name, column in self.values.items() if len(column) == len(steps)}
        asked = {COLLAPSE, *request.measures, *(OF_ONE_STEP if request.follow_norm else ())}
        asked |= set(AT_SITES) if request.follow_radial else set()
        return on_grid and asked <= {name.split("/")[0] for name in whole}


def dataset(
    run: Run, request: Request, curves: Curves, weights: dict[str, Tensor], *, device: str
) -> xr.Dataset:
    """One run as a labelled dataset with a `run` dimension of length 1 (design of the archive).

    Curves are thinned to at most 400 points, onsets are those of the whole grid. Weights are
    rounded to half precision and stored as float32, since NetCDF has no half.
    """
    steps = np.array(curves.values.get("step", []))
    kept = thin(len(steps))
    variables: dict[str, tuple] = {
        name: (("run", "step"), np.array(curves.values.get(name, []))[None, kept])
        for name in CURVES
    }
    labels = {}
    dimensions = {name: MEASURES[name].dimension for name in request.measures}
    if request.follow_norm:
        dimensions |= dict.fromkeys(OF_ONE_STEP, "parameter")
        variables |= {
            name: (("run", "step"), np.array(curves.values.get(name, []))[None, kept])
            for name in EXTREMES
        }
    if request.follow_radial:
        dimensions |= dict.fromkeys(AT_SITES, "site")
        variables |= {
            name: (("run", "step"), np.array(curves.values.get(name, []))[None, kept])
            for name in OVERALL
        }
    for name, dimension in {COLLAPSE: "logit", **dimensions}.items():
        columns = {
            key.removeprefix(f"{name}/"): column
            for key, column in curves.values.items()
            if key.startswith(f"{name}/")
        }
        labels[dimension] = list(columns)
        stacked = np.array(list(columns.values())).reshape(len(columns), len(steps))
        variables[name] = (("run", "step", dimension), stacked.T[None, kept])
    found = onsets(
        curves.tensor("step"),
        curves.tensor("train_accuracy"),
        curves.tensor("test_accuracy"),
        request.rule,
    )
    if request.follow_norm:
        columns = {name: curves.tensor(name) for name in curves.values}
        onset_steps = {name: t.item() for name, t in found.items()}
        variables |= of_onsets(curves.tensor("step"), columns, onset_steps)
        labels |= {"onset": list(ONSETS), "side": list(SIDES)}
    bursts = slingshots(curves.tensor("step"), curves.tensor("train_loss"), found["t_mem"])
    begun = np.searchsorted(bursts.numpy(), steps, side="right")
    variables["slingshots"] = (("run", "step"), begun[None, kept].astype(float))
    numbers = {name: t.item() for name, t in found.items()} | {
        "budget": curves.last_step(),
        "diverged_at": curves.diverged_at,
        "wall_seconds": curves.seconds,
        "first_slingshot": bursts[0].item() if len(bursts) else math.nan,
    }
    variables |= {name: ("run", [value]) for name, value in numbers.items()}
    variables["censored"] = ("run", [math.isnan(numbers["t_grok"])])
    for name, weight in weights.items():
        dims = ("run", *(f"{name}_{axis}" for axis in range(weight.ndim)))
        variables[f"final_{name}"] = (dims, weight.half().float().numpy()[None])
    return xr.Dataset(variables, {"step": steps[kept], **labels, **_labels(run, request, device)})


def thin(n: int, most: int = STORED_POINTS) -> np.ndarray:
    r"""At most `most` of `n` indices: 0, the whole numbers nearest to $1.02^k$, and the last.

    The grid does not depend on where a run ended, so that runs laid side by side share it; beyond
    50,000 evaluations it is coarser.

    >>> thin(5).tolist(), len(thin(4_000)), len(thin(1_000_000)) <= 400
    ([0, 1, 2, 3, 4], 272, True)
    """
    for ratio in (1.02, 1.03, 1.05, 1.1, 1.5):
        powers = ratio ** np.arange(math.ceil(math.log(max(n, 2)) / math.log(ratio)))
        kept = np.unique(np.concatenate([[0, n - 1], powers.round()]).astype(int))
        kept = kept[(kept >= 0) & (kept < n)]
        if len(kept) <= most:
            break
    return kept


def _labels(run: Run, request: Request, device: str) -> dict[str, tuple]:
    """Coordinates along `run`: hyper-parameters by short name, and where the run came from."""
    values = {key: math.nan if value is None else value for key, value in run.coordinates().items()}
    # One variable cannot hold numbers and words, so that a batch size is always a word.
    values["batch_size"] = "full" if run.batch.size is None else str(run.batch.size)
    values |= {
        "name": run.name,
        "run_json": run.to_json(),
        "protocol": request.protocol,
        "evaluate_every": request.evaluate_every,
        "onset_level": float(request.rule.level),
        "onset_sustained": request.rule.sustained,
        "device": device if device == "cpu" else torch.cuda.get_device_name(device),
        "code_digest": provenance.code_digest(),
        "versions": provenance.versions(),
        "git_commit": provenance.git_commit(),
    }
    return {name: ("run", [value]) for name, value in values.items()}
