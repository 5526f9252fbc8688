r"""What a step $\theta' = (1 - \eta\lambda)\theta - \eta u$ does to $V = \|\theta\|^2$.

The gradient g and the update direction u are the same for plain descent only: for AdamW
$u = \hat m / (\sqrt{\hat v} + \epsilon)$.
"""

import torch
from jaxtyping import Float
from torch import Tensor

Real = float | int

# What is logged of one step, each a sum over the weights of a parameter group.
OF_ONE_STEP = (
    "theta_dot_gradient",
    "gradient_squared_norm",
    "theta_dot_direction",
    "direction_squared_norm",
    "squared_norm_after",
)
WINDOW = 100  # steps, of the published fit after memorisation


def of_one_step(
    before: Float[Tensor, "*run P"],
    after: Float[Tensor, "*run P"],
    gradient: Float[Tensor, "*run P"],
    direction: Float[Tensor, "*run P"],
) -> dict[str, Float[Tensor, "*run"]]:
    r"""$\langle\theta,g\rangle$, $\|g\|^2$, $\langle\theta,u\rangle$, $\|u\|^2$ and $V'$, float64.

    >>> theta, u = torch.tensor([3.0, 4.0]), torch.tensor([1.0, 0.0])
    >>> found = of_one_step(theta, 0.5 * theta - 0.5 * u, u, u)
    >>> [found[name].item() for name in OF_ONE_STEP]
    [3.0, 1.0, 3.0, 1.0, 5.0]
    """
    theta, g, u = before.double(), gradient.double(), direction.double()
    sums = (theta * g, g.square(), theta * u, u.square(), after.double().square())
    return {name: each.sum(-1) for name, each in zip(OF_ONE_STEP, sums, strict=True)}


def next_squared_norm(
    squared_norm: Float[Tensor, "*step"],
    theta_dot_direction: Float[Tensor, "*step"],
    direction_squared_norm: Float[Tensor, "*step"],
    learning_rate: Real,
    weight_decay: Real,
) -> Float[Tensor, "*step"]:
    r"""The exact one-step identity of chapter 03.

    $V' = (1-\eta\lambda)^2 V - 2\eta(1-\eta\lambda)\langle\theta,u\rangle + \eta^2\|u\|^2$.

    >>> V, dot, square = torch.tensor(25.0), torch.tensor(3.0), torch.tensor(1.0)
    >>> next_squared_norm(V, dot, square, learning_rate=0.5, weight_decay=1.0).item()
    5.0
    """
    kept = 1 - learning_rate * weight_decay
    return (
        kept**2 * squared_norm
        - 2 * learning_rate * kept * theta_dot_direction
        + learning_rate**2 * direction_squared_norm
    )


def contraction_rate(
    steps: Float[Tensor, " n"], squared_norm: Float[Tensor, " n"], start: Real, end: Real
) -> Float[Tensor, ""]:
    r"""$-\log(V_{t_1}/V_{t_0})/(t_1 - t_0)$ a step; NaN where an end is not on the grid.

    >>> steps = torch.tensor([0.0, 50.0, 100.0])
    >>> round(contraction_rate(steps, torch.exp(-0.002 * steps), 0, 100).item(), 6)
    0.002
    """
    first, last = (squared_norm[steps == step] for step in (start, end))
    if not (first.numel() and last.numel() and end > start):
        return torch.tensor(torch.nan, dtype=squared_norm.dtype)
    return -(last / first).log()[0] / (end - start)
