"""One sitting of an ensemble: steps and looks until the last of its members has left."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from grokbook.training import engine
from grokbook.training.ensemble import Ensemble
from grokbook.training.request import Request
from grokbook.training.result import Curves
from grokbook.training.run import Run
from grokbook.training.trajectory import Evaluation, Trajectory

Report = Callable[[Run, int, dict[str, float]], None]


@dataclass(eq=False)
class Member:
    """One run of an ensemble: its state at rest, what is known of it, and where it is saved."""

    trajectory: Trajectory
    curves: Curves
    path: Path | None
    end: float

    @property
    def run(self) -> Run:
        """The run itself."""
        return self.trajectory.run


class Sitting:
    """One ensemble, from where its members were taken up to the end of the last of them."""

    def __init__(
        self,
        members: list[Member],
        request: Request,
        device: str,
        finish: Callable[[Member], None],
    ) -> None:
        self.members, self.request, self.finish = members, request, finish
        self.ensemble = Ensemble([member.trajectory for member in members], device)
        self.counted = time.monotonic()

    def go(
        self, *, checkpoint_seconds: float | int, report: Report | None, stop: Callable[[], bool]
    ) -> None:
        """Step until every member has left."""
        saved = reported = time.monotonic()
        self._let_go()
        while self.members:
            now = time.monotonic()
            if (stopped := stop()) or now - saved > checkpoint_seconds:
                self._let_go()
                self._save()
                saved = now
            if stopped and self.members:
                step, n = self.ensemble.done, len(self.members)
                raise engine.StoppedError(f"{n} runs were stopped at step {step}")
            if report is not None and now - reported > engine.REPORT_SECONDS:
                for member in self.members:
                    report(member.run, self.ensemble.done, engine.told(member.curves, self.request))
                reported = now
            self._advance()

    def _advance(self) -> None:
        """On the grid look, then step those whose end that was not; as for a run alone."""
        full = self.ensemble.run.batch.size is None
        if not full:
            self._look()  # before a batch is drawn: a longer run must draw it
        if self.members:
            self.ensemble.differentiate()
        if full:
            self._look()
        if self.members:
            self.ensemble.step()
            self._follow()
        if any(self.ensemble.done >= member.end for member in self.members):
            self._let_go()

    def _follow(self) -> None:
        """Complete the rows of the evaluations that the step was taken from."""
        rows = [m.curves.last_step() == self.ensemble.done - 1 for m in self.members]
        if self.ensemble.follower and any(rows):
            for member, numbers, now in zip(
                self.members, self.ensemble.followed(), rows, strict=True
            ):
                if now:
                    member.curves.complete(numbers)

    def _look(self) -> None:
        """Evaluate the members that it is due for, and let those go whose end that was."""
        done, every = self.ensemble.done, self.request.evaluate_every
        due = [m for m in self.members if done % every == 0 and m.curves.last_step() < done]
        if not due:
            return
        self._let_go()  # a member that has diverged is past it
        if due := [member for member in due if member in self.members]:
            # A full batch has already given the training side of the evaluation.
            full = self.ensemble.run.batch.size is None
            self._record(due, self.ensemble.seen() if full else self.ensemble.evaluate("train"))
            self._let_go()

    def _record(self, due: list[Member], train: list[Evaluation]) -> None:
        """Add one evaluation of some members, the training side given for all."""
        test = self.ensemble.evaluate("test")
        measured = self.ensemble.measured(
            self.request.measures, follow_radial=self.request.follow_radial
        )
        rows = zip(self.members, self.ensemble.theta, train, test, measured, strict=True)
        for member, theta, *numbers in rows:
            if member in due:
                member.curves.record(self._at(member), *numbers)
                self._keep_frame(member, theta)
                member.end = self.request.end(engine.last_onset(member.curves, self.request))

    def _keep_frame(self, member: Member, theta: Float[Tensor, " P"]) -> None:
        if self.request.frames:
            trajectory, views = member.trajectory, self.ensemble.layout.views(theta)
            pairs = trajectory.train[0]
            frame = engine.framed(member.run, self.request, theta, views, pairs)
            member.curves.frames.take(self._at(member), frame)

    def _at(self, member: Member) -> int:
        """The step at which a member stands: where it diverged, or that of the ensemble."""
        diverged_at = member.curves.diverged_at
        return self.ensemble.done if math.isnan(diverged_at) else int(diverged_at)

    def _let_go(self) -> None:
        """Take a last look at the members that diverged or are at their end, and let them leave."""
        for member, step in zip(self.members, self.ensemble.diverged_at.tolist(), strict=True):
            if math.isnan(member.curves.diverged_at):  # a checkpoint of a diverged run knows
                member.curves.diverged_at = step
        leaving = [
            member
            for member in self.members
            if self.ensemble.done >= member.end or not math.isnan(member.curves.diverged_at)
        ]
        if not leaving:
            return
        unseen = [member for member in leaving if member.curves.last_step() < self._at(member)]
        if unseen:
            self._record(unseen, self.ensemble.evaluate("train"))
        self._save(leaving)
        rows = [row for row, member in enumerate(self.members) if member not in leaving]
        self.members = [self.members[row] for row in rows]
        self.ensemble.keep(rows)
        try:
            for member in leaving:
                self.finish(member)
        except Exception:
            self._save()
            raise

    def _save(self, members: list[Member] | None = None) -> None:
        """Bring trajectories and clocks up to date, and write the checkpoints of some or all."""
        now = time.monotonic()
        for member in self.members:
            member.curves.seconds += (now - self.counted) / len(self.members)
        self.counted = now
        self.ensemble.hand_back()
        for member in self.members if members is None else members:
            engine.save(member.trajectory, member.curves, member.path)
