"""`Run`: everything that fixes one trajectory, and nothing else.

Its canonical JSON is complete (every field is written, defaults too), so that a file says what was
run without this package's defaults. Budget, evaluation grid, measures and device are no part of it:
they belong to the request. A field that comes later is left out of the JSON at the value that means
"as before", so that the names of older runs stay.
"""

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from grokbook.models import GPT, MLP, MODELS, BitMLP, Decoder, Quadratic, Transformer
from grokbook.tasks import TASKS, Characters, DigitAddition, SparseParity, Split, Task
from grokbook.training.interventions import INTERVENTIONS, Intervention
from grokbook.training.optimizers import OPTIMIZERS, SGD, Adam, AdamW


@dataclass(frozen=True)
class Loss:
    r"""Mean cross-entropy in nats, its log-softmax in `precision`, or another `function`.

    In float32 the cross-entropy cannot fall below about 1e-7, and that floor itself changes
    grokking. "mean_squared_error" is $\frac1{nC}\sum_{ic}(z_{ic} - 1[c = y_i])^2$.
    """

    precision: Literal["float64", "float32"] = "float64"
    function: Literal["cross_entropy", "mean_squared_error"] = "cross_entropy"


@dataclass(frozen=True)
class Batch:
    """The whole training set at every step, or `size` examples drawn by `seed` with replacement.

    Dealt by `epochs`, the training set is shuffled and dealt out in batches of `size`, the last
    one shorter, before it is shuffled anew.
    """

    size: int | None = None
    seed: int = 0
    epochs: bool = False

    def __post_init__(self) -> None:
        if self.size is not None and self.size < 1:
            raise ValueError(f"batch_size = {self.size} is no batch: give 1 or more, or none.")
        if self.size is None:  # nothing is drawn, so that the seed must not make two runs of one
            object.__setattr__(self, "seed", 0)
            object.__setattr__(self, "epochs", False)


@dataclass(frozen=True)
class Run:
    """A frozen description of one training trajectory; the hash of its JSON is its name.

    >>> run = Run(Task("add", 59), Split(0.3, seed=0), Transformer())
    >>> run.replace(weight_decay=1, seed=3).optimizer.weight_decay
    1.0
    """

    task: Task | SparseParity | DigitAddition | Characters
    split: Split
    model: Transformer | MLP | Decoder | Quadratic | BitMLP | GPT
    optimizer: AdamW | Adam | SGD = field(default_factory=AdamW)
    loss: Loss = Loss()
    batch: Batch = Batch()
    precision: Literal["float32", "float64"] = "float32"
    interventions: tuple[Intervention, ...] = ()
    init_seed: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "interventions", tuple(self.interventions))
        kinds = [intervention.kind for intervention in self.interventions]
        if len(set(kinds)) < len(kinds):
            raise ValueError(f"interventions {kinds} name one kind twice: join them into one.")
        if sum(i.changes("criterion") for i in self.interventions) > 1:
            raise ValueError(f"interventions {kinds} replace the loss more than once: keep one.")
        if not 0 <= self.init_seed < 2**63:
            raise ValueError(f"init_seed = {self.init_seed} is no seed: give an integer from 0.")

    # -- names ----------------------------------------------------------------------------------

    def to_json(self) -> str:
        """Canonical JSON: every field, keys sorted, no white space."""
        return json.dumps(_plain(self), sort_keys=True, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "Run":
        """Read `to_json` back; raises `ValueError` for JSON that is no run of this package."""
        try:
            values = json.loads(text)
            return cls(
                _choose(TASKS, {"kind": ""} | values.pop("task")),
                Split(**values.pop("split")),
                _choose(MODELS, values.pop("model")),
                _choose(OPTIMIZERS, values.pop("optimizer")),
                Loss(**values.pop("loss")),
                Batch(**values.pop("batch")),
                interventions=tuple(
                    _choose(INTERVENTIONS, each) for each in values.pop("interventions", ())
                ),
                **values,
            )
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"this JSON does not describe a run: {error}") from error

    @property
    def name(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    # -- hyper-parameters by their short names ---------------------------------------------------

    def coordinates(self) -> dict[str, Any]:
        """Every hyper-parameter under its short name, the coordinates of the run's dataset."""
        flat = {"precision": self.precision, "init_seed": self.init_seed}
        for part in _PARTS:
            owner = getattr(self, part)
            if hasattr(owner, "kind"):
                flat[part] = owner.kind
            for item in _fields(owner):
                flat[_SHORT.get((part, item), item)] = getattr(owner, item)
        flat["interventions"] = "+".join(each.kind for each in self.interventions)
        for each in self.interventions:
            flat |= {f"{each.kind}_{item}": getattr(each, item) for item in _fields(each)}
        return flat

    def replace(self, **changes: Any) -> "Run":
        """Change hyper-parameters by their short names; `seed` sets split, init and batch at once.

        Raises `ValueError` for a name that this run does not have.
        """
        if "seed" in changes:
            seed = changes.pop("seed")
            changes = {"split_seed": seed, "init_seed": seed, "batch_seed": seed} | changes
        own, parts, inner = {}, {}, {}
        for name, value in changes.items():
            part, item = self._find(name)
            if part is None:
                own[item] = value
            elif part in _PARTS:
                parts.setdefault(part, {})[item] = value
            else:
                inner.setdefault(part, {})[item] = value
        for part, values in parts.items():
            own[part] = dataclasses.replace(getattr(self, part), **values)
        if inner:
            own["interventions"] = tuple(
                dataclasses.replace(each, **inner.get(each.kind, {}))
                for each in own.get("interventions", self.interventions)
            )
        return dataclasses.replace(self, **own)

    def _find(self, name: str) -> tuple[str | None, str]:
        """Owner and field of a short name; the owner is a part, the kind of an intervention, or
        None for the run itself."""
        if name in ("precision", "init_seed", "interventions"):
            return None, name
        for each in self.interventions:
            start = f"{each.kind}_"
            if name.startswith(start) and name.removeprefix(start) in _fields(each):
                return each.kind, name.removeprefix(start)
        for part in _PARTS:
            for item in _fields(getattr(self, part)):
                if _SHORT.get((part, item), item) == name:
                    return part, item
        known = ", ".join(sorted({*self.coordinates(), "seed"}.difference(_PARTS)))
        raise ValueError(f"a run has no {name!r}: choose from {known}.")


def grid(run: Run, **values: Iterable[Any]) -> list[Run]:
    """Every combination of the given hyper-parameter values, the last name varying fastest.

    >>> run = Run(Task("add", 59), Split(0.3, seed=0), Transformer())
    >>> [(r.optimizer.weight_decay, r.init_seed) for r in grid(run, weight_decay=[0, 1], seed=[7])]
    [(0.0, 7), (1.0, 7)]
    """
    combinations = itertools.product(*(list(choices) for choices in values.values()))
    return [run.replace(**dict(zip(values, chosen, strict=True))) for chosen in combinations]


_PARTS = ("task", "split", "model", "optimizer", "loss", "batch")

# Fields that came later: at these values they are left out of the JSON, so that older names stay.
_LATER = {
    "interventions": (),
    "epochs": False,
    "group": "",
    "function": "cross_entropy",
    "attention_rate": 1.0,
    "decay_until": None,
    "embedding_scale": 1.0,
    "after": 0,
    "norm": "none",
    "norm_affine": True,
    "unit": "sqrt_d",
    "at": "answer",
}

# Names that would clash, or say too little, when the parts are laid side by side.
_SHORT = {
    ("split", "seed"): "split_seed",
    ("split", "method"): "split_method",
    ("batch", "seed"): "batch_seed",
    ("batch", "size"): "batch_size",
    ("batch", "epochs"): "batch_epochs",
    ("loss", "precision"): "loss_precision",
    ("loss", "function"): "loss_function",
}


def _fields(owner: Any) -> list[str]:
    return [item.name for item in dataclasses.fields(owner)]


def _plain(value: Any) -> Any:
    """Dataclasses as dictionaries; a part that could be one of several carries its kind."""
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if not dataclasses.is_dataclass(value):
        return value
    items = {name: getattr(value, name) for name in _fields(value)}
    kept = {k: v for k, v in items.items() if k not in _LATER or v != _LATER[k]}
    plain = {name: _plain(item) for name, item in kept.items()}
    return plain | ({"kind": value.kind} if hasattr(value, "kind") else {})


def _choose(kinds: dict[str, type], values: dict[str, Any]) -> Any:
    return kinds[values.pop("kind")](**values)
