"""`Trajectory`: the moving state of one run, one optimiser step at a time.

All parameters are views into one flat vector, so that the optimiser's update is a handful of
operations however many tensors the model has.
"""

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from grokbook.training.run import Run

EVALUATION_CHUNK = 2048  # examples; keeps the activations of a large test set in cache


class Trajectory:
    """Weights, optimiser state, batch generator and step count of one run on one device."""

    def __init__(self, run: Run, device: str) -> None:
        self.run, self.device, self.done = run, device, 0
        pairs, labels, _ = run.task.table()
        train, test = run.split.indices(len(pairs))
        self.train = self._examples(pairs, labels, train)
        self.test = self._examples(pairs, labels, test)
        dtype = getattr(torch, run.precision)
        start = run.model.initialise(run.task.p, seed=run.init_seed)
        self.theta = torch.cat([w.flatten() for w in start.values()]).to(device, dtype)
        sizes = [w.numel() for w in start.values()]
        self.parameters = {
            name: view.view(w.shape).detach().requires_grad_()
            for (name, w), view in zip(start.items(), self.theta.split(sizes), strict=True)
        }
        self.moments = run.optimizer.start(self.theta)
        self.generator = torch.Generator().manual_seed(run.batch.seed)

    def _examples(
        self,
        pairs: Int[np.ndarray, "n 2"],
        labels: Int[np.ndarray, " n"],
        rows: Int[np.ndarray, " m"],
    ) -> tuple[Int[Tensor, "m 2"], Int[Tensor, " m"]]:
        chosen = torch.from_numpy(pairs[rows]), torch.from_numpy(labels[rows])
        return chosen[0].to(self.device), chosen[1].to(self.device)

    # -- one step -------------------------------------------------------------------------------

    def gradient(self) -> tuple[float, float, Float[Tensor, " P"]]:
        """Loss (nats), accuracy and flat gradient on the next batch, at the present weights."""
        pairs, labels = self._batch()
        logits = self.run.model.forward(self.parameters, pairs)
        loss = self.loss(logits, labels)
        gradients = torch.autograd.grad(loss, list(self.parameters.values()))
        flat = torch.cat([g.flatten() for g in gradients])
        return loss.item(), _accuracy(logits, labels), flat

    def step(self, gradient: Float[Tensor, " P"]) -> None:
        """Take one optimiser step."""
        with torch.no_grad():
            self.run.optimizer.step(self.theta, gradient, self.moments, self.done)
        self.done += 1

    def _batch(self) -> tuple[Int[Tensor, "n 2"], Int[Tensor, " n"]]:
        size = self.run.batch.size
        if size is None:
            return self.train
        pairs, labels = self.train
        # Drawn on the CPU, so that a batch seed means the same batches on any device.
        chosen = torch.randint(len(labels), (size,), generator=self.generator).to(self.device)
        return pairs[chosen], labels[chosen]

    def loss(
        self, logits: Float[Tensor, "n classes"], labels: Int[Tensor, " n"]
    ) -> Float[Tensor, ""]:
        """Mean cross-entropy in nats, at the run's loss precision."""
        return F.cross_entropy(logits.to(getattr(torch, self.run.loss.precision)), labels)

    @torch.no_grad()
    def evaluate(self, part: str) -> tuple[float, float]:
        """Loss (nats) and accuracy over the whole of "train" or "test"."""
        pairs, labels = getattr(self, part)
        loss = accuracy = 0.0
        for chunk, answers in zip(
            pairs.split(EVALUATION_CHUNK), labels.split(EVALUATION_CHUNK), strict=True
        ):
            logits = self.run.model.forward(self.parameters, chunk)
            loss += self.loss(logits, answers).item() * len(answers)
            accuracy += _accuracy(logits, answers) * len(answers)
        return loss / len(labels), accuracy / len(labels)

    # -- checkpoints ----------------------------------------------------------------------------

    def state(self) -> dict[str, np.ndarray]:
        """Everything that the next step depends on, as arrays."""
        arrays = {"theta": self.theta} | {f"moment_{k}": v for k, v in self.moments.items()}
        return {name: value.cpu().numpy() for name, value in arrays.items()} | {
            "done": np.array(self.done),
            "generator": self.generator.get_state().numpy(),
        }

    @torch.no_grad()
    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Put back what `state` returned; the run then continues bit for bit."""
        self.theta.copy_(torch.from_numpy(arrays["theta"]))
        for name, moment in self.moments.items():
            moment.copy_(torch.from_numpy(arrays[f"moment_{name}"]))
        self.done = int(arrays["done"])
        self.generator.set_state(torch.from_numpy(arrays["generator"]))


def _accuracy(logits: Float[Tensor, "n classes"], labels: Int[Tensor, " n"]) -> float:
    return (logits.argmax(-1) == labels).double().mean().item()
