"""`Ensemble`: the moving state of several runs that share every step, as a GPU needs it.

Weights, moments and numbers carry a leading run axis. What is written for one run (model, loss,
penalties) is lifted with `torch.func.vmap`, what is written for flat vectors broadcasts. Between
two evaluations nothing is read back from the device: the host only queues work.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.func import grad_and_value, vmap

from grokbook.measures import MEASURES
from grokbook.training.evaluations import evaluations, look, on_host
from grokbook.training.following import Follower
from grokbook.training.interventions import Moment
from grokbook.training.lifting import Numbers, numbers, place, place_flat
from grokbook.training.objective import objective
from grokbook.training.trajectory import EVALUATION_CHUNK, Evaluation, Trajectory, move
from grokbook.training.watching import watched


class Ensemble:
    """Trajectories of equal structure, step count and place in their batches, moved as one.

    It takes its state from trajectories on the CPU, and `hand_back` returns it to them. A run whose
    loss is no longer finite keeps its weights from there on, and `diverged_at` tells the step.
    """

    def __init__(self, trajectories: list[Trajectory], device: str) -> None:
        first = trajectories[0]
        self.trajectories, self.device = list(trajectories), device
        self.run, self.layout, self.done = first.run, first.layout, first.done
        self.numbers = numbers([each.run for each in trajectories], device)
        self.theta = self._stack([each.theta for each in trajectories])
        self.moments = {
            name: self._stack([each.moments[name] for each in trajectories])
            for name in first.moments
        }
        self.states = [
            {name: self._stack([each.states[i][name] for each in trajectories]) for name in state}
            for i, state in enumerate(first.states)
        ]
        self.follower = None
        if first.follower:
            self.follower = Follower(self.layout, self.theta)
            self.follower.extremes = {
                name: self._stack([each.follower.extremes[name] for each in trajectories])
                for name in first.follower.extremes
            }
        self.parts = {
            "train": self._examples([each.train for each in trajectories]),
            "test": self._examples([each.test for each in trajectories]),
        }
        self.diverged_at = torch.full(
            (len(trajectories),), torch.nan, dtype=torch.float64, device=device
        )
        self.used = first.batches.used
        self._block: list[Tensor] = []  # batches to come, of all runs, on the device
        self._found: dict[str, Tensor] = {}
        self._ahead = self.states

    def _stack(self, tensors: list[Tensor]) -> Tensor:
        return torch.stack(tensors).to(self.device)

    def _examples(self, parts: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
        # As in a trajectory, each column of the pairs on its own in memory.
        pairs = self._stack([pairs.T for pairs, _ in parts]).transpose(1, 2)
        return pairs, self._stack([labels for _, labels in parts])

    # -- one step -------------------------------------------------------------------------------

    def differentiate(self) -> None:
        """Loss (nats) and flat gradient of every run on its next batch, at the present weights."""
        self._found = {}
        lifted = vmap(grad_and_value(self._objective, has_aux=True), randomness="error")
        gradient, (_, (loss, logits, states)) = lifted(
            self.theta, self.numbers, *self.batch(), self.states
        )
        self._found = {"loss": loss, "gradient": gradient, "logits": logits}
        self._ahead = states  # they count once the step is taken
        ended = self.diverged_at.isnan() & ~loss.isfinite()
        self.diverged_at = self.diverged_at.masked_fill(ended, float(self.done))

    def _objective(
        self,
        theta: Tensor,
        values: Numbers,
        pairs: Tensor,
        labels: Tensor,
        states: list[dict[str, Tensor]],
    ) -> tuple[Tensor, tuple[Tensor, Tensor, list[dict[str, Tensor]]]]:
        """Of one run: what is minimised, and beside it loss, logits and new states."""
        run, parameters = place(self.run, values), self.layout.views(theta)
        found = objective(run, parameters, pairs, labels, states, fused=False)
        return found.minimised, (found.loss, found.logits, found.states)

    @torch.no_grad()
    def step(self) -> None:
        """Take one optimiser step along the gradient that was found, with all flat hooks."""
        self._take(self._ahead)
        before, seeds = self.theta.clone(), [each.run.init_seed for each in self.trajectories]
        moment = Moment(self.theta, self.layout, self.done, seeds)
        run = place_flat(self.run, self.numbers)
        states = [dict(state) for state in self.states]
        gradient, followed = self._found["gradient"], self.follower
        move(run, self.theta, gradient, self.moments, states, moment, followed)
        self._take(states)
        alive = self.diverged_at.isnan()[:, None]
        torch.where(alive, self.theta, before, out=self.theta)
        self.done += 1

    def _take(self, states: list[dict[str, Tensor]]) -> None:
        """Hold new states, in the dtypes that they had: numbers a run are float64."""
        self.states = [
            {
                name: value.to(old[name].dtype if name in old else value.dtype).contiguous()
                for name, value in new.items()
            }
            for old, new in zip(self.states, states, strict=True)
        ]

    def batch(self) -> tuple[Int[Tensor, "run n operands"], Int[Tensor, "run n *answer"]]:
        """The examples of the next step."""
        pairs, labels = self.parts["train"]
        if self.run.batch.size is None:
            return pairs, labels
        if not self._block:
            self._draw()
        chosen = self._block.pop(0)
        self.used += 1
        runs = torch.arange(len(chosen), device=self.device)[:, None]
        return pairs[runs, chosen], labels[runs, chosen]

    def _draw(self) -> None:
        """Send what is left of each run's block to the device; its own generator draws it."""
        drawn = []
        for each in self.trajectories:
            each.batches.used = self.used  # as far as the steps have gone
            drawn.append(each.batches.rest())
        self.used = self.trajectories[0].batches.used
        block = torch.stack(drawn)
        if torch.device(self.device).type == "cuda":
            block = block.pin_memory()  # or the host would wait for the copy
        block = block.to(self.device, non_blocking=True)
        self._block = list(block.split(self.run.batch.size, dim=1))

    # -- evaluation: here the host waits for the device ------------------------------------------

    def seen(self) -> list[Evaluation]:
        """The evaluations of full batches, from the logits that their gradients came from."""
        labels = self.parts["train"][1]
        n = labels.shape[1]
        seen = look(self.run, self.numbers, self._found["logits"], labels, batch=n, collapse=True)
        return evaluations(seen | {"loss": self._found["loss"]})

    @torch.no_grad()
    def evaluate(self, part: str) -> list[Evaluation]:
        """Loss, accuracy and collapse of every run over the whole of "train" or "test"."""
        pairs, labels = self.parts[part]
        n = labels.shape[1]
        # What a step can hold, an evaluation can.
        chunk = max(EVALUATION_CHUNK, self.run.batch.size or self.parts["train"][1].shape[1])
        total: dict[str, Tensor] = {}
        for some, answers in zip(pairs.split(chunk, 1), labels.split(chunk, 1), strict=True):
            logits = vmap(self._forward)(self.theta, some)
            seen = look(self.run, self.numbers, logits, answers, batch=n, collapse=part == "train")
            for name, mean in seen.items():
                total[name] = total.get(name, 0.0) + mean * (answers.shape[1] / n)
        return evaluations(total)

    def _forward(self, theta: Tensor, pairs: Tensor) -> Tensor:
        return self.run.model.forward(self.layout.views(theta), pairs, fused=False)

    @torch.no_grad()
    def measured(
        self, names: tuple[str, ...], *, follow_radial: bool = False
    ) -> list[dict[str, float]]:
        """What the measures say of the weights of each run, and of its activations if asked."""
        found = [
            {
                f"{name}/{label}": value
                for name in names
                for label, value in MEASURES[name].function(self.layout.views(theta)).items()
            }
            for theta in self.theta
        ]
        columns = {name: torch.stack([one[name] for one in found]) for name in found[0]}
        if self.follower:
            columns |= self.follower.row()
        if follow_radial:
            columns |= self._watched()
        return on_host(columns) if columns else found

    def _watched(self) -> dict[str, Float[Tensor, " run"]]:
        """What activations say, one run after the other: a look differentiates in its middle."""
        pairs, labels = self.parts["train"]
        rows = [
            watched(
                each.run,
                self.layout.views(self.theta[i]),
                pairs[i],
                labels[i],
                [{name: value[i] for name, value in state.items()} for state in self.states],
            )
            for i, each in enumerate(self.trajectories)
        ]
        return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}

    @torch.no_grad()
    def followed(self) -> list[dict[str, float]]:
        """What the last step did to the norm of each run's parameter groups."""
        return on_host(self.follower.step())

    # -- runs leave, and states go back -----------------------------------------------------------

    def keep(self, rows: list[int]) -> None:
        """Go on with these runs only."""
        at = torch.tensor(rows, dtype=torch.long, device=self.device)
        self.trajectories = [self.trajectories[row] for row in rows]
        self.theta, self.diverged_at = self.theta[at], self.diverged_at[at]
        self.moments = {name: moment[at] for name, moment in self.moments.items()}
        self._found = {name: value[at] for name, value in self._found.items()}
        several = {id(each): each for each in (self.states, self._ahead, self.numbers)}
        for rows_of in several.values():
            rows_of[:] = [{name: value[at] for name, value in one.items()} for one in rows_of]
        if self.follower:
            extremes = self.follower.extremes
            self.follower.extremes = {name: value[at] for name, value in extremes.items()}
        for name, (pairs, labels) in self.parts.items():
            self.parts[name] = pairs.transpose(1, 2)[at].transpose(1, 2), labels[at]
        self._block = [batch[at] for batch in self._block]

    @torch.no_grad()
    def hand_back(self) -> None:
        """Put what every run has become into its own trajectory, which then can be saved."""
        theta, diverged_at = self.theta.cpu(), self.diverged_at.tolist()
        moments = {name: moment.cpu() for name, moment in self.moments.items()}
        states = [{name: value.cpu() for name, value in state.items()} for state in self.states]
        for row, each in enumerate(self.trajectories):
            each.theta.copy_(theta[row])
            for name, moment in moments.items():
                each.moments[name].copy_(moment[row])
            each.states = each.ahead = [
                {name: value[row].clone() for name, value in state.items()} for state in states
            ]
            if self.follower:
                for name, value in self.follower.extremes.items():
                    each.follower.extremes[name] = value[row].cpu()
            each.done = self.done if math.isnan(diverged_at[row]) else int(diverged_at[row])
            each.batches.used = self.used
