"""What the frames of a run say of its circuit, read with the key frequencies of its end.

The key frequencies are those that carry 95 % of the power of the map from neurons to logits in the
last weights; restricted and excluded loss {cite}`nanda2023progress` at every earlier frame are of
the same frequencies.
"""

import math

import numpy as np
import torch
import xarray as xr
from jaxtyping import Bool, Float, Int
from torch import Tensor

from grokbook.measures import circuits, clock_pizza, fourier, reading
from grokbook.measures.neurons import best_frequency, neuron_shares, single_frequency_share
from grokbook.models import Decoder
from grokbook.training.frames import Frames
from grokbook.training.layout import Layout
from grokbook.training.run import Run

TRIPLES = 100  # as many as Zhong et al. draw
# Those that nothing else has.
DIMENSIONS = ("frame", "frequency", "neuron", "element", "dimension", "sample")
AT_THE_END = (
    "single_frequency_neurons",
    "dead_neurons",
    "margin_smallest",
    "margin_mean",
    "circularity",
    "gradient_symmetricity",
    "distance_irrelevance",
)  # one number a run
FRAME, WAVES = ("run", "frame"), ("run", "frame", "frequency")


def refuse_unreadable(run: Run) -> None:
    """Raise `ValueError` for a run whose frames these measures cannot read."""
    if run.task.operation != "add":
        raise ValueError(
            f"operation = {run.task.operation!r} has no frames: the circuits are those of add."
        )
    layers = getattr(run.model, "hidden_layers", 1)
    if isinstance(run.model, Decoder) or layers > 1:
        raise ValueError(f"model = {run.model.kind!r} has no frames: one hidden layer is read.")


@torch.no_grad()
def looked_back(
    run: Run, layout: Layout, frames: Frames, theta: Float[Tensor, " P"], step: int, device: str
) -> xr.Dataset:
    """Read every frame, and the weights at the end, step `step`, as the last of them.

    Losses are cross-entropies in nats over the p classes, whatever the run minimises; the embedding
    of every frame is kept in half precision.
    """
    theta = theta.to(device)
    reader = _Reader(run, layout, theta)
    steps = [each for each in frames.steps if each < step]
    weights = [frames.tensor(index, device) for index in range(len(steps))]
    rows = [reader.frame(each) for each in [*weights, theta]]
    columns = {name: torch.stack([row[name] for row in rows]).cpu() for name in rows[0]}
    kept = columns.pop("frame_W_E").half().float()
    variables = {
        name: (WAVES if column.ndim == 2 else FRAME, column.float().numpy()[None])
        for name, column in columns.items()
    }
    variables["frame_W_E"] = (("run", "frame", "element", "dimension"), kept.numpy()[None])
    coordinates = {
        "frame": np.array([*steps, step]),
        "frequency": np.arange(run.task.p // 2 + 1),
    }
    return xr.Dataset(variables | reader.end(theta), coordinates)


class _Reader:
    """One run's task and model, the key frequencies of its last weights, and the measures."""

    def __init__(self, run: Run, layout: Layout, theta: Float[Tensor, " P"]) -> None:
        self.run, self.layout, self.n, device = run, layout, run.task.p, theta.device
        pairs, _, _ = run.task.table()
        self.pairs: Int[Tensor, "N 2"] = torch.from_numpy(pairs).to(device)
        train = np.zeros(len(pairs), dtype=bool)
        train[run.split.indices(len(pairs))[0]] = True
        self.train: Bool[Tensor, "n n"] = torch.from_numpy(train.reshape(self.n, -1)).to(device)
        W_L = reading.neuron_logits(run.model, layout.views(theta), self.n)
        self.keys: Bool[Tensor, " K"] = fourier.key_frequencies(fourier.power(W_L.T))

    def logits(self, θ: dict[str, Tensor]) -> Float[Tensor, "n n n"]:
        """The whole table, other tokens' logits cut off."""
        return self.run.model.forward(θ, self.pairs)[:, : self.n].unflatten(0, (self.n, self.n))

    def frame(self, theta: Float[Tensor, " P"]) -> dict[str, Tensor]:
        """One frame's numbers and spectra, by name."""
        θ, keys = self.layout.views(theta), self.keys
        L, W_E = self.logits(θ), reading.embedding(θ, self.n)
        W_L = reading.neuron_logits(self.run.model, θ, self.n).T
        full = circuits.losses(L, self.train)
        restricted = circuits.losses(circuits.restricted(L, keys), self.train)
        excluded = circuits.losses(circuits.excluded(L, keys), self.train)
        right = L.argmax(-1) == circuits.sums(self.n, L.device)
        power = fourier.power(W_E)
        return {
            "frame_train_loss": full.train,
            "frame_test_loss": full.test,
            "frame_test_accuracy": right[~self.train].double().mean(),
            "frame_squared_norm": theta.double().square().sum(),
            "restricted_loss": restricted.all,
            "restricted_test_loss": restricted.test,
            "excluded_loss": excluded.train,
            "variance_explained": circuits.variance_explained(L, keys),
            "gini_embedding": fourier.gini(power[1:].sqrt()),
            "gini_logit_map": fourier.gini(fourier.power(W_L)[1:].sqrt()),
            "excluded_by_frequency": circuits.excluded_by_frequency(L, self.train, keys),
            "embedding_power": power,
            "logit_amplitude": circuits.amplitudes(L),
            "frame_W_E": W_E,
        }

    def end(self, theta: Float[Tensor, " P"]) -> dict[str, tuple]:
        """What is asked of the last weights alone."""
        θ, model = self.layout.views(theta), self.run.model
        L = self.logits(θ)
        shares = neuron_shares(reading.neurons(model, θ, self.pairs).unflatten(0, (self.n, -1)))
        single, margins = single_frequency_share(shares), circuits.margin(L)
        values = (
            *single,
            margins.smallest,
            margins.mean,
            clock_pizza.circularity(reading.embedding(θ, self.n)),
            self._symmetricity(θ),
            self._irrelevance(L),
        )
        numbers = dict(zip(AT_THE_END, values, strict=True))
        best = shares.nan_to_num(0.0).amax(0), best_frequency(shares)
        return {name: ("run", [float(value)]) for name, value in numbers.items()} | {
            "key": (("run", "frequency"), self.keys.cpu().numpy()[None]),
            "neuron_share": (("run", "neuron"), best[0].float().cpu().numpy()[None]),
            "neuron_frequency": (("run", "neuron"), best[1].cpu().numpy()[None]),
            "phase_locking": (
                ("run", "frequency"),
                fourier.phase_locking(reading.embedding(θ, self.n)).cpu().numpy()[None],
            ),
        }

    @torch.enable_grad()
    def _symmetricity(self, θ: dict[str, Tensor]) -> float:
        if "W_E" not in θ:
            return math.nan
        logits = clock_pizza.from_embeddings(self.run.model, θ, self.n)
        drawn = clock_pizza.triples(self.n, min(TRIPLES, self.n**3), seed=0)
        drawn = drawn.to(self.pairs.device)
        return clock_pizza.gradient_symmetricity(logits, θ["W_E"][: self.n], drawn).item()

    def _irrelevance(self, L: Float[Tensor, "n n n"]) -> float:
        if self.n % 2 == 0:
            return math.nan  # sum and distance do not name a pair
        right = L.gather(2, circuits.sums(self.n, L.device)[..., None])[..., 0]
        return clock_pizza.distance_irrelevance(right).item()
