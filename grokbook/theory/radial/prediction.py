"""Chapter 04's formulas in float64: the penalty, its balance, the radial share and its nulls."""

import numpy as np
from jaxtyping import Bool, Float, Integer

Number = float | int | Float[np.ndarray, "*shape"]
Vectors = Float[np.ndarray, "*n d"]
POINTS = 400_001  # of the grid on which a distribution function is inverted


def penalty(h: Vectors, lam: float | int) -> float | Float[np.ndarray, "*n"]:
    r"""Return $\frac\lambda d(\|h\| - \sqrt d)^2$ of each activation.

    >>> float(penalty(np.array([0.0, 0.0, 0.0, 4.0]), 0.5))
    0.5
    """
    d = h.shape[-1]
    return lam / d * (np.linalg.norm(h, axis=-1) - np.sqrt(d)) ** 2


def penalty_gradient(h: Vectors, lam: float | int) -> Vectors:
    r"""Return $\frac{2\lambda}d(\|h\| - \sqrt d)\hat h$; it points inwards outside the sphere.

    >>> penalty_gradient(np.array([0.0, 0.0, 0.0, 4.0]), 0.5)
    array([0. , 0. , 0. , 0.5])
    """
    d = h.shape[-1]
    r = np.linalg.norm(h, axis=-1, keepdims=True)
    return 2 * lam / d * (1 - np.sqrt(d) / r) * h


def penalty_hessian(h: Float[np.ndarray, "d"], lam: float | int) -> Float[np.ndarray, "d d"]:
    r"""Return $\frac{2\lambda}d[(1 - \frac{\sqrt d}r)I + \frac{\sqrt d}r\hat h\hat h^\top]$.

    >>> np.diag(penalty_hessian(np.array([0.0, 0.0, 0.0, 1.0]), 2.0))
    array([-1., -1., -1.,  1.])
    """
    d, r = h.size, np.linalg.norm(h)
    short = np.sqrt(d) / r
    return 2 * lam / d * ((1 - short) * np.eye(d) + short * np.outer(h, h) / r**2)


def excess(push: Number, width: int, lam: Number) -> Number:
    r"""Return $u^* = g_r d/(2\lambda)$, how far beyond $\sqrt d$ a free activation rests.

    >>> excess(0.5, 512, 2)
    64.0
    """
    return push * width / (2 * lam)


def relaxation_time(width: int, lam: Number) -> Number:
    r"""Return $d/(2\lambda)$, in units of the flow's time: steps times learning rate.

    >>> relaxation_time(512, 0.05)
    5120.0
    """
    return width / (2 * lam)


def radial_energy(h: Vectors, g: Vectors) -> float | Float[np.ndarray, "*n"]:
    r"""Return $\tilde\Phi = d\,\langle\hat h, g\rangle^2/\|g\|^2$, NaN for a gradient of 0.

    1 in the mean over isotropic g, d where g is along h, 0 where it is across.

    >>> h = np.full((3, 2), [3.0, 0.0])
    >>> radial_energy(h, np.array([[2.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
    array([2., 0., 1.])
    """
    along, size = (h * g).sum(-1) ** 2, (h * h).sum(-1) * (g * g).sum(-1)
    return h.shape[-1] * np.where(size > 0, along / np.where(size > 0, size, 1), np.nan)


def masked_null(h: Vectors, active: Bool[np.ndarray, "*n d"]) -> float | Float[np.ndarray, "*n"]:
    r"""Return $\frac d{|S|}\|h_S\|^2/\|h\|^2$, the mean of $\tilde\Phi$ for g isotropic on S.

    >>> h = np.array([[3.0, -1.0, -1.0, -1.0]])
    >>> masked_null(h, h > 0).round(9), masked_null(h, h < 9)
    (array([3.]), array([1.]))
    """
    share = np.where(active, h, 0.0)
    return h.shape[-1] / active.sum(-1) * (share**2).sum(-1) / (h**2).sum(-1)


def null_quantile(share: float, width: int) -> float:
    r"""Return the quantile of $d\cos^2$ of a random direction, $d\,$Beta(½, (d−1)/2).

    >>> [round(null_quantile(0.5, d), 3) for d in (2, 128, 512)]
    [1.0, 0.46, 0.456]
    """
    # cos φ has the density sin φ^(d − 2) dφ.
    angle = np.linspace(0, np.pi / 2, POINTS)
    density = np.sin(angle) ** (width - 2)
    below = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    at = np.interp(1 - share, below / below[-1], angle)
    return float(width * np.cos(at) ** 2)


def confidence_energy(
    gap: float | Float[np.ndarray, "*n"], h: Vectors, g: Vectors
) -> float | Float[np.ndarray, "*n"]:
    r"""Return $d(\ell - H)^2/(\|h\|^2\|\nabla\ell\|^2)$, the same where only ReLUs follow.

    >>> h, g = np.array([2.0, 0.0]), np.array([0.3, 0.4])
    >>> round(float(confidence_energy(np.array(0.6), h, g) / radial_energy(h, g)), 12)
    1.0
    """
    return h.shape[-1] * gap**2 / ((h * h).sum(-1) * (g * g).sum(-1))


def margin_energy(
    z: Float[np.ndarray, "n classes"],
    labels: Integer[np.ndarray, " n"],
    h: Float[np.ndarray, "n d"],
    jacobian: Float[np.ndarray, "n classes d"],
) -> Float[np.ndarray, " n"]:
    r"""Return $d\,\gamma^2/(\|h\|^2\|\nabla\gamma\|^2)$, the radial share by the mean margin.

    $\gamma = \sum_{c \ne y}w_c(z_y - z_c)$, w the softmax of the wrong classes; the same as
    `radial_energy` where only ReLUs follow. `jacobian` holds $\nabla_hz_c$.

    >>> h = np.array([[3.0, 4.0]])
    >>> margin_energy(h @ np.eye(2), np.array([1]), h, np.eye(2)[None]).round(9)
    array([0.04])
    """
    right = np.eye(z.shape[1])[labels]
    wrong = np.where(right > 0, -np.inf, z)
    rival = np.exp(wrong - wrong.max(1, keepdims=True))
    weight = right - rival / rival.sum(1, keepdims=True)  # γ = Σ weight z
    slope = np.einsum("nc,ncd->nd", weight, jacobian)
    margin = (weight * z).sum(1)
    return h.shape[-1] * margin**2 / ((h * h).sum(-1) * (slope * slope).sum(-1))


def balanced_ratio(gap: Number, lam: Number) -> Number:
    r"""Return $\varrho = \frac12(1 + \sqrt{1 - 2(\mathrm{CE} - H)/\lambda})$, where layers rest.

    `gap` is CE − H in nats; 1 where the predictions are calibrated, and NaN where they are
    over-confident by more than λ/2, which no radius balances.

    >>> balanced_ratio(0.0, 0.05), round(balanced_ratio(-0.3, 0.05), 3)
    (1.0, 2.303)
    """
    inside = 1 - 2 * gap / lam
    root = np.where(np.asarray(inside) < 0, np.nan, np.sqrt(np.abs(inside)))
    return (1 + root) / 2 if np.ndim(inside) else float((1 + root) / 2)


def mean_penalty(
    W: Float[np.ndarray, "d inputs"], x: Float[np.ndarray, "n inputs"]
) -> tuple[float, float]:
    r"""Return $E L_{norm}$ of h = Wx exactly, and the published $\mathrm{Tr}(W\Sigma W^\top)/d$.

    >>> mean_penalty(np.eye(4), 4 * np.eye(4))
    (1.0, 4.0)
    """
    d = W.shape[0]
    trace = np.trace(W @ (x.T @ x / len(x)) @ W.T)
    length = np.linalg.norm(x @ W.T, axis=-1).mean()
    return float((trace - 2 * np.sqrt(d) * length + d) / d), float(trace / d)


def relative_error(ratio: Number) -> Number:
    r"""Return $(2\varrho - 1)/(\varrho - 1)^2$, the published form's error at $\varrho\sqrt d$.

    >>> [round(relative_error(ratio), 2) for ratio in (2, 5, 10, 21.5)]
    [3.0, 0.56, 0.23, 0.1]
    """
    return (2 * ratio - 1) / (ratio - 1) ** 2


def one_hot_spectrum(pairs: Integer[np.ndarray, "n 2"], p: int) -> Float[np.ndarray, " eigenvalue"]:
    r"""Return the eigenvalues of $\Sigma = E[xx^\top]$ of concatenated one-hots, times p, in order.

    >>> pairs = np.stack(np.divmod(np.arange(25), 5), -1)
    >>> one_hot_spectrum(pairs, 5).round(9) + 0.0
    array([0., 1., 1., 1., 1., 1., 1., 1., 1., 2.])
    """
    x = np.zeros((len(pairs), 2 * p))
    rows = np.arange(len(pairs))
    x[rows, pairs[:, 0]], x[rows, p + pairs[:, 1]] = 1, 1
    return p * np.linalg.eigvalsh(x.T @ x / len(pairs))


def ranks(h: Float[np.ndarray, "n d"]) -> dict[str, float]:
    r"""Return what is called the rank of a batch: stable, participation ratio, entropy.

    $\|h\|_F^2/\|h\|^2$, $\mathrm{Tr}^2/\mathrm{Tr}(C^2)$ and $\exp(-\mathrm{Tr}\,C\log C)$, the
    last two of $C = h^\top h$, scaled to trace 1 for the last.

    >>> {name: round(value, 3) for name, value in ranks(np.diag([2.0, 1.0])).items()}
    {'stable_rank': 1.25, 'participation_ratio': 1.471, 'entropy_rank': 1.649}
    """
    C = h.T @ h
    share = np.clip(np.linalg.eigvalsh(C) / np.trace(C), 1e-300, None)
    return {
        "stable_rank": float(np.trace(C) / np.linalg.norm(h, 2) ** 2),
        "participation_ratio": float(np.trace(C) ** 2 / np.sum(C**2)),
        "entropy_rank": float(np.exp(-np.sum(share * np.log(share)))),
    }


def adam_edge(beta1: float = 0.9) -> float:
    r"""Return $\frac{2(1+\beta_1)}{1-\beta_1}$: Adam is unstable where ηs is above it.

    >>> round(adam_edge(), 9)
    38.0
    """
    return 2 * (1 + beta1) / (1 - beta1)


def safe_curvature(rate: float, epsilon: float = 1e-8, beta1: float = 0.9) -> float:
    r"""Return $\frac{2(1+\beta_1)}{1-\beta_1}\frac\epsilon\eta$, below which no s gets to the edge.

    >>> round(safe_curvature(1e-3), 9)
    0.00038
    """
    return adam_edge(beta1) * epsilon / rate


def steps_to_edge(
    sharpness: Number, rate: float, beta1: float = 0.9, beta2: float = 0.999
) -> Number:
    r"""Return $2\ln\frac{2(1+\beta_1)}{(1-\beta_1)\eta s}/\ln\frac1{\beta_2}$, in steps.

    What a preconditioned sharpness s takes to the edge while v is forgotten and nothing else moves.

    >>> round(steps_to_edge(380.0, 1e-3) - steps_to_edge(3_800.0, 1e-3))
    4603
    """
    return 2 * np.log(adam_edge(beta1) / (rate * sharpness)) / np.log(1 / beta2)
