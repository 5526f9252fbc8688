"""The norm clamp: hold the weights on a sphere, or inside it."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from grokbook.training.interventions.intervention import Intervention, Moment, Real, State
from grokbook.training.layout import Layout


@dataclass(frozen=True)
class NormClamp(Intervention):
    r"""Rescale the whole weight vector after each step, $\theta \leftarrow r\,\theta/\|\theta\|$.

    The first `after` steps are left alone. `radius` is $r$ in Euclidean norm, None the norm at
    that moment. `mode` "equal" keeps the weights on the sphere {cite}`liu2023omnigrok`; "most"
    shrinks them only where they left it. Raises `ValueError` for a radius that is not a positive
    number, another mode, or a negative `after`.
    """

    kind: ClassVar[str] = "norm_clamp"

    radius: Real | None = None
    mode: Literal["equal", "most"] = "equal"
    after: int = 0  # steps

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mode not in ("equal", "most"):
            raise ValueError(f"mode = {self.mode!r} is no clamp: choose 'equal' or 'most'.")
        if self.after < 0:
            raise ValueError(f"after = {self.after} is no number of steps: give 0 or more.")
        if self.radius is None:
            return
        if not 0 < self.radius < float("inf"):
            raise ValueError(f"radius = {self.radius!r} is no norm: give a positive number.")
        object.__setattr__(self, "radius", float(self.radius))

    def start(self, theta: Float[Tensor, " P"], layout: Layout) -> State:
        """The radius, of one entry, so that a run axis can stand before it."""
        radius = theta.new_full((1,), self.radius or 0.0, dtype=torch.float64)
        return {"radius": radius if self.radius is not None else _norm(theta)}

    def weights(self, moment: Moment, state: State) -> None:
        """Rescale them in place; weights that are all 0 have no direction and stay."""
        norm = _norm(moment.theta)
        if moment.done < self.after:
            if self.radius is None:
                state["radius"] = norm
            return
        factor = torch.where(norm > 0, state["radius"] / norm, 1.0)
        if self.mode == "most":
            factor = factor.clamp(max=1)
        moment.theta.mul_(factor.to(moment.theta.dtype))


def _norm(theta: Float[Tensor, "*run P"]) -> Float[Tensor, "*run 1"]:
    return torch.linalg.vector_norm(theta, dim=-1, keepdim=True, dtype=torch.float64)
