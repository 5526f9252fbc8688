r"""The Hessian of a loss, by products with vectors alone: trace, largest eigenvalue, scale-aware.

A product $Hv$ costs two gradients and no matrix. The loss is a function of one flat vector of
weights; `torch.func` differentiates it.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import grad, vjp

Loss = Callable[[Tensor], Tensor]


class Trace(NamedTuple):
    """A trace by random probes: the mean, and its standard error."""

    value: float
    error: float


def hessian_product(loss: Loss, theta: Float[Tensor, " P"]) -> Callable[[Tensor], Tensor]:
    r"""Return $v \mapsto \nabla^2 L(\theta)\,v$."""
    _, back = vjp(grad(loss), theta)
    return lambda v: back(v)[0]


def hessian_trace(
    loss: Loss, theta: Float[Tensor, " P"], *, probes: int = 100, seed: int = 0
) -> Trace:
    r"""$\mathrm{Tr}\,\nabla^2 L$ by Hutchinson's estimator, the mean of $z^\top H z$ (chapter 04).

    z has independent signs. Raises `ValueError` for fewer than two probes.
    """
    return _trace(loss, theta, torch.ones_like(theta), probes, seed)


def scaled_trace(
    loss: Loss, theta: Float[Tensor, " P"], *, probes: int = 100, seed: int = 0
) -> Trace:
    r"""$\sum_i \theta_i^2 H_{ii}$: the trace where each weight is measured in its own size.

    It does not change when a layer is scaled and the next one takes it back, as the plain trace
    does. Raises `ValueError` for fewer than two probes.
    """
    return _trace(loss, theta, theta, probes, seed)


def _trace(
    loss: Loss, theta: Float[Tensor, " P"], scale: Float[Tensor, " P"], probes: int, seed: int
) -> Trace:
    if probes < 2:
        raise ValueError(f"probes = {probes} gives no standard error: give 2 or more.")
    product = hessian_product(loss, theta)
    generator = torch.Generator().manual_seed(seed)
    values = torch.empty(probes, dtype=torch.float64)
    for i in range(probes):
        signs = torch.randint(0, 2, theta.shape, generator=generator) * 2.0 - 1
        z = signs.to(theta) * scale
        values[i] = (z * product(z)).sum()
    return Trace(values.mean().item(), (values.std() / probes**0.5).item())


def top_eigenvalue(
    loss: Loss,
    theta: Float[Tensor, " P"],
    *,
    iterations: int = 100,
    tolerance: float = 1e-6,
    seed: int = 0,
) -> float:
    r"""$\lambda_{max}(\nabla^2 L)$ by Lanczos with full reorthogonalisation (chapter 04).

    It ends when the largest Ritz value has a residual of `tolerance` of itself, or after
    `iterations` products. The largest, not the largest in size: a negative one is not taken for it.
    """
    product = hessian_product(loss, theta)
    generator = torch.Generator().manual_seed(seed)
    v = torch.randn(theta.shape, generator=generator, dtype=torch.float64).to(theta)
    basis, diagonal, off = [v / v.norm()], [], []
    value = float("nan")
    for _ in range(min(iterations, theta.numel())):
        w = product(basis[-1])
        diagonal.append(torch.dot(w, basis[-1]).item())
        for _ in range(2):  # once is not enough in finite precision
            for each in basis:
                w = w - torch.dot(w, each) * each
        norm = w.norm().item()
        matrix = torch.diag(torch.tensor(diagonal, dtype=torch.float64))
        if off:
            beside = torch.tensor(off, dtype=torch.float64)
            matrix += torch.diag(beside, 1) + torch.diag(beside, -1)
        values, vectors = torch.linalg.eigh(matrix)
        value = values[-1].item()
        if norm * abs(vectors[-1, -1].item()) <= tolerance * abs(value):
            break
        off.append(norm)
        basis.append(w / norm)
    return value


def preconditioned_sharpness(
    loss: Loss,
    theta: Float[Tensor, " P"],
    preconditioner: Float[Tensor, " P"],
    *,
    iterations: int = 100,
    tolerance: float = 1e-6,
) -> float:
    r"""$\lambda_{max}(D^{-1/2}\,\nabla^2 L\,D^{-1/2})$: the curvature that the optimiser sees.

    D is diagonal, $\sqrt{\hat v}+\epsilon$ for Adam, which is unstable where η times this is above
    $\frac{2(1+\beta_1)}{1-\beta_1}$ (chapter 04; {cite:p}`cohen2022adaptive`).
    """
    scale = preconditioner.rsqrt()
    start = torch.zeros_like(theta)

    def scaled(moved: Tensor) -> Tensor:
        return loss(theta + scale * moved)

    return top_eigenvalue(scaled, start, iterations=iterations, tolerance=tolerance)
