"""`Request`: how long and how closely to follow a run; it never changes where the run goes."""

import dataclasses
import json
import math
from dataclasses import dataclass, field

from grokbook.measures import MEASURES
from grokbook.measures.onset import COMMON_RULES, Rule


@dataclass(frozen=True)
class Request:
    """Budget, evaluation grid, stop rule and what to log, for any number of runs.

    `steps` is the budget; `evaluate_every` the grid, in steps; `rule` the protocol's published
    onset rule; `stop_after_grok` ends a run that many steps after its last onset (None: never);
    `keep_weights` keeps the final weights, rounded to half precision; `frames` is how many earlier
    weights are held, at most, to be read with what is known at the end; `follow_norm` logs what
    single steps do to the squared norm; `follow_radial` how large activations are and how much of
    their gradient is radial, and its frames hold the activations of a few examples in the place of
    weights; `closing` asks at the end how curved the loss is, and how many directions the layers
    use; `protocol` is a label.
    """

    steps: int
    evaluate_every: int = 10
    rule: Rule = field(default_factory=Rule)
    stop_after_grok: int | None = None
    measures: tuple[str, ...] = ("squared_norm",)
    keep_weights: bool = False
    frames: int = 0
    follow_norm: bool = False
    follow_radial: bool = False
    closing: bool = False
    protocol: str = ""

    def __post_init__(self) -> None:
        for name, least in (
            ("steps", 0),
            ("evaluate_every", 1),
            ("stop_after_grok", 0),
            ("frames", 0),
        ):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name} = {value} is too small: give {least} or more.")
        unknown = set(self.measures) - set(MEASURES)
        if unknown:
            raise ValueError(f"unknown measures {sorted(unknown)}: choose from {sorted(MEASURES)}.")
        if self.follow_norm and "squared_norm" not in self.measures:
            raise ValueError("follow_norm needs the measure squared_norm: name it among measures.")

    def to_json(self) -> str:
        """The request as JSON, for a worker process."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Request":
        """Read `to_json` back."""
        values = json.loads(text)
        return cls(
            **values | {"rule": Rule(**values["rule"]), "measures": tuple(values["measures"])}
        )

    def end(self, last_onset: float) -> float:
        """Step at which a run ends whose last onset is known (NaN: not reached), at most `steps`.

        An onset counts once the evaluations that sustain it are in, so no run ends before.

        >>> Request(steps=100, stop_after_grok=20).end(50.0), Request(steps=100).end(50.0)
        (70.0, 100.0)
        """
        if self.stop_after_grok is None or math.isnan(last_onset):
            return float(self.steps)
        sustained = max(rule.sustained for rule in (self.rule, *COMMON_RULES.values()))
        sustaining = (sustained - 1) * self.evaluate_every
        return min(float(self.steps), last_onset + max(self.stop_after_grok, sustaining))
