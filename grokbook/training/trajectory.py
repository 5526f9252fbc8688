"""`Trajectory`: the moving state of one run, one optimiser step at a time.

All parameters are views into one flat vector, so that the optimiser's update is one pass over the
memory however many tensors the model has.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from grokbook.training.batches import Batches
from grokbook.training.following import Follower, Taken
from grokbook.training.interventions import Moment
from grokbook.training.layout import Layout
from grokbook.training.losses import collapsed
from grokbook.training.objective import begun, criterion, objective
from grokbook.training.run import Run

EVALUATION_CHUNK = 2048  # examples; keeps the activations of a large test set in cache


class Evaluation(NamedTuple):
    """Mean loss (nats), accuracy, and the shares of examples whose loss gradient is exactly 0."""

    loss: float
    accuracy: float
    collapse: dict[str, float]


class Trajectory:
    """Weights, optimiser state, interventions, batches and step count of one run on one device."""

    def __init__(self, run: Run, device: str, *, follow: bool = False) -> None:
        self.run, self.device, self.done = run, device, 0
        self.train, self.test = (self._examples(*part) for part in parts(run))
        start = run.model.initialise(run.task.p, seed=run.init_seed)
        self.layout = Layout({name: tuple(w.shape) for name, w in start.items()})
        dtype = getattr(torch, run.precision)
        self.theta = torch.cat([w.flatten() for w in start.values()]).to(device, dtype)
        self.parameters = {
            name: view.detach().requires_grad_()
            for name, view in self.layout.views(self.theta).items()
        }
        self.moments = run.optimizer.start(self.theta)
        self.states = [
            each.start(self.theta, self.layout) | state
            for each, state in zip(
                run.interventions, begun(run, self.parameters, *self.train), strict=True
            )
        ]
        self.follower = Follower(self.layout, self.theta) if follow else None
        self.batches = Batches(
            run.batch.seed, run.batch.size, len(self.train[1]), epochs=run.batch.epochs
        )
        self.fused = device == "cpu"
        self.ahead = self.states
        self._logits: Float[Tensor, "n *answer classes"] | None = None

    def _examples(
        self, pairs: Int[np.ndarray, "n operands"], labels: Int[np.ndarray, "n *answer"]
    ) -> tuple[Int[Tensor, "n operands"], Int[Tensor, "n *answer"]]:
        # Each column on its own in memory: the gathers read one at a time.
        columns = torch.from_numpy(np.asfortranarray(pairs))
        return columns.to(self.device), torch.from_numpy(labels).to(self.device)

    # -- one step -------------------------------------------------------------------------------

    def gradient(self) -> tuple[float, Float[Tensor, " P"]]:
        """Loss (nats) and flat gradient on the next batch, at the present weights."""
        pairs, labels = self.batch()
        found = objective(self.run, self.parameters, pairs, labels, self.states, fused=self.fused)
        gradients = torch.autograd.grad(found.minimised, list(self.parameters.values()))
        # They count once the step is taken: an evaluation at the end of a run takes none.
        self.ahead = [{k: v.detach() for k, v in state.items()} for state in found.states]
        self._logits = found.logits.detach()
        return found.loss.item(), torch.cat([g.flatten() for g in gradients])

    @torch.no_grad()
    def step(self, gradient: Float[Tensor, " P"]) -> None:
        """Take one optimiser step, with what the interventions make of it."""
        self.states = self.ahead
        move(
            self.run,
            self.theta,
            gradient,
            self.moments,
            self.states,
            self._moment(),
            self.follower,
        )
        self.done += 1

    def _moment(self) -> Moment:
        return Moment(self.theta, self.layout, self.done, [self.run.init_seed])

    def batch(self) -> tuple[Int[Tensor, "n operands"], Int[Tensor, "n *answer"]]:
        """The examples of the next step."""
        pairs, labels = self.train
        chosen = self.batches.next()
        if chosen is None:
            return self.train
        chosen = chosen.to(self.device)
        return pairs[chosen], labels[chosen]

    # -- evaluation -----------------------------------------------------------------------------

    def seen(self, loss: float) -> Evaluation:
        """The evaluation of a full batch, from the logits that its gradient came from."""
        if self._logits is None:
            raise RuntimeError("no gradient was taken yet")
        labels = self.train[1]
        return Evaluation(
            loss, accuracy(self._logits, labels), self._collapse(self._logits, labels, len(labels))
        )

    @torch.no_grad()
    def evaluate(self, part: str) -> Evaluation:
        """Loss, accuracy and collapse over the whole of "train" or "test"."""
        pairs, labels = getattr(self, part)
        total, right, collapse = 0.0, 0.0, {}
        for chunk, answers in zip(
            pairs.split(EVALUATION_CHUNK), labels.split(EVALUATION_CHUNK), strict=True
        ):
            logits = self.run.model.forward(self.parameters, chunk, fused=self.fused)
            share = len(answers) / len(labels)
            total += criterion(self.run, logits, answers, fused=self.fused).item() * share
            right += accuracy(logits, answers) * share
            if part == "train":
                for name, value in self._collapse(logits, answers, len(labels)).items():
                    collapse[name] = collapse.get(name, 0.0) + value * share
        return Evaluation(total, right, collapse)

    @torch.enable_grad()
    def _collapse(
        self,
        logits: Float[Tensor, "n *answer classes"],
        labels: Int[Tensor, "n *answer"],
        batch: int,
    ) -> dict[str, float]:
        """Shares of examples without a gradient, as the mean over a batch of this size gives it."""
        logits = logits.detach().requires_grad_()
        mean = criterion(self.run, logits, labels, fused=self.fused) * (len(labels) / batch)
        (gradient,) = torch.autograd.grad(mean, logits)
        zero = collapsed(gradient, labels)
        return {name: examples.double().mean().item() for name, examples in zero.items()}

    # -- checkpoints ----------------------------------------------------------------------------

    def state(self) -> dict[str, np.ndarray]:
        """Everything that the next step depends on, as arrays."""
        arrays = {"theta": self.theta} | {f"moment_{k}": v for k, v in self.moments.items()}
        for i, state in enumerate(self.states):
            arrays |= {f"intervention_{i}_{name}": value for name, value in state.items()}
        return {name: value.cpu().numpy() for name, value in arrays.items()} | {
            "done": np.array(self.done),
            **self.batches.state(),
            **(self.follower.state() if self.follower else {}),
        }

    @torch.no_grad()
    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Put back what `state` returned; the run then continues bit for bit."""
        self.theta.copy_(torch.from_numpy(arrays["theta"]))
        for name, moment in self.moments.items():
            moment.copy_(torch.from_numpy(arrays[f"moment_{name}"]))
        self.states = [
            {
                name: torch.from_numpy(arrays[f"intervention_{i}_{name}"]).to(value.device)
                for name, value in state.items()
            }
            for i, state in enumerate(self.states)
        ]
        self.ahead, self.done = self.states, int(arrays["done"])
        self.batches.restore(arrays)
        if self.follower:
            self.follower.restore(arrays)


def parts(run: Run) -> list[tuple[Int[np.ndarray, "n operands"], Int[np.ndarray, "n *answer"]]]:
    """Training and test examples of a run, each in the order of its split."""
    pairs, labels, _ = run.task.table()
    return [(pairs[rows], labels[rows]) for rows in run.split.indices(len(pairs))]


def move(
    run: Run,
    theta: Float[Tensor, "*run P"],
    gradient: Float[Tensor, "*run P"],
    moments: dict[str, Tensor],
    states: list[dict[str, Tensor]],
    moment: Moment,
    follower: Follower | None = None,
) -> None:
    """One optimiser step with all flat hooks of the interventions, in place, maybe followed."""
    start, plain = theta.clone() if follower else theta, gradient
    hooks = list(zip(run.interventions, states, strict=True))
    for each, state in hooks:
        gradient = each.gradient(gradient, moment, state)
    if any(each.changes("update") for each in run.interventions):
        before = theta.clone()
        run.optimizer.step(theta, gradient, moments, moment.done)
        update = theta - before
        for each, state in hooks:
            update = each.update(update, moment._replace(theta=before), state)
        torch.add(before, update, out=theta)
    else:
        run.optimizer.step(theta, gradient, moments, moment.done)
    for each, state in hooks:
        each.weights(moment, state)
    if follower:
        direction = run.optimizer.direction(start, moments, moment.done)
        follower.follow(Taken(start, theta, plain, direction))


def accuracy(logits: Float[Tensor, "n *answer classes"], labels: Int[Tensor, "n *answer"]) -> float:
    """Share of examples whose largest logit is the right one, at every place of the answer."""
    right = logits.argmax(-1) == labels
    return right.view(len(right), -1).all(-1).double().mean().item()
