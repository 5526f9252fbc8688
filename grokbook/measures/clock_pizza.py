r"""Clock or pizza: how a network that adds modulo n puts its two operands together.

The three measures of Zhong et al. 2023 (arXiv 2306.17844), on one run's tensors, in float64. A
network that sees $E_a + E_b$ alone has gradient symmetricity 1 and, if it is a pizza, distance
irrelevance 0; the ideal clock has 0 and no value at all, since its correct logits are constant.
Neither tells a circuit from none: before training a network that answers at "=" has symmetricity
1, and noise has irrelevance near 1.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grokbook.models import MLP, Decoder, Transformer

Logits = Callable[[Float[Tensor, "t d"], Float[Tensor, "t d"]], Float[Tensor, "t classes"]]

CONSTANT = 1e-12  # deviations below this share of the largest value are rounding


def triples(n: int, count: int, *, seed: int) -> Int[Tensor, "count 3"]:
    r"""Draw different (a, b, c) of $\mathbb Z_n^3$ at random, on the CPU.

    Raises `ValueError` unless 1 ≤ count ≤ n³.

    >>> triples(59, 100, seed=0).shape
    torch.Size([100, 3])
    """
    if not 1 <= count <= n**3:
        raise ValueError(f"count = {count} different triples of {n} elements: give 1 to {n**3}.")
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randperm(n**3, generator=generator)[:count]
    return torch.stack([drawn // n**2, drawn // n % n, drawn % n], dim=1)


def from_embeddings(
    model: Transformer | MLP | Decoder, parameters: dict[str, Float[Tensor, "..."]], n: int
) -> Logits:
    r"""Return a network's logits as a function of its operands' embeddings, in float64.

    The operands share one table $W_E$, and its gradient adds their two. Here the t examples bring
    a table of 2t rows, one for each operand of each example, and the special tokens' rows after
    them. Raises `ValueError` for a network that embeds no operands.
    """
    if "W_E" not in parameters:
        raise ValueError(f"{model!r} has no embedding W_E: give a network that learns one.")
    weights = {name: weight.double() for name, weight in parameters.items()}
    special = weights["W_E"][n:]

    def logits(
        left: Float[Tensor, "t d"], right: Float[Tensor, "t d"]
    ) -> Float[Tensor, "t classes"]:
        first = torch.arange(left.shape[0], device=left.device)
        pairs = torch.stack([first, first + left.shape[0]], dim=1)
        return model.reference(weights | {"W_E": torch.cat([left, right, special])}, pairs)

    return logits


def gradient_symmetricity(
    logits: Logits, embedding: Float[Tensor, "n d"], triples: Int[Tensor, "t 3"]
) -> Float[Tensor, ""]:
    r"""Mean cosine of $\partial\ell_c/\partial E_a$ and $\partial\ell_c/\partial E_b$.

    `logits` maps the embeddings of t pairs to their logits, each row by itself; `embedding` holds
    the operands' rows. Triples (a, b, c) where a gradient vanishes are left out: NaN if all are.

    >>> product = lambda left, right: left * right @ torch.tensor([[1.0, 1], [2, 3]]).double()
    >>> points = torch.tensor([[1.0, 0], [0, 1]])
    >>> one = torch.tensor([[0, 0, 0]])
    >>> gradient_symmetricity(product, points, one).item()
    1.0
    """
    left, right = (embedding.double()[triples[:, place]] for place in (0, 1))

    def chosen(left: Float[Tensor, "t d"], right: Float[Tensor, "t d"]) -> Float[Tensor, ""]:
        return logits(left, right).gather(1, triples[:, 2:]).sum()

    to_left, to_right = torch.func.grad(chosen, argnums=(0, 1))(left, right)
    # 0/0, and left out, where a gradient vanishes.
    cosines = (to_left * to_right).sum(1) / (to_left.norm(dim=1) * to_right.norm(dim=1))
    return cosines.nanmean()


def distance_irrelevance(correct: Float[Tensor, "n n"]) -> Float[Tensor, ""]:
    r"""Deviation of the correct logits at a fixed distance a − b, against that of all.

    `correct` holds the logit of a + b for every pair (a, b). With $O(s, d)$ at the sum and the
    distance, modulo n: $\mathrm{mean}_d\,\mathrm{std}_s\,O/\mathrm{std}\,O$. At most
    $\sqrt{1 - \eta^2}$, where $\eta^2$ is the share of the variance that the distance explains. NaN
    for constant logits. Raises `ValueError` unless n is odd: only then do sum and distance name a
    pair.

    >>> by_distance = torch.tensor([[4.0, 1, 2], [2, 4, 1], [1, 2, 4]])
    >>> distance_irrelevance(by_distance).item()
    0.0
    """
    n = correct.shape[-1]
    if n % 2 == 0 or n < 3:
        raise ValueError(f"n = {n}: sum and distance name a pair for odd n of at least 3 only.")
    sums = torch.arange(n, device=correct.device)[:, None]
    distances = torch.arange(n, device=correct.device)
    half = (n + 1) // 2
    table = correct.double()[(sums + distances) * half % n, (sums - distances) * half % n]
    whole = table.std(correction=0)
    ratio = table.std(dim=0, correction=0).mean() / whole
    return torch.where(whole > CONSTANT * table.abs().amax(), ratio, torch.nan)


def circularity(embedding: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    r"""Mean share of one frequency in the first four principal components of an embedding.

    For a component v of norm 1 the share is $\max_k \frac2n|\sum_t v_t e^{2\pi ikt/n}|^2$ over
    $1 \le k < n/2$. An embedding of rank below 4 has fewer components; two frequencies of equal
    strength share theirs, and lower the value. Raises `ValueError` for fewer than 3 tokens.

    >>> angles = 2 * torch.pi / 7 * torch.arange(7)
    >>> round(circularity(torch.stack([angles.cos(), angles.sin()], dim=1)).item(), 6)
    1.0
    """
    n = embedding.shape[0]
    if n < 3:
        raise ValueError(f"{n} tokens have no frequency: give an embedding of at least 3.")
    centred = embedding.double() - embedding.double().mean(0)
    directions, strengths, _ = torch.linalg.svd(centred, full_matrices=False)
    waves = torch.fft.fft(directions[:, :4], dim=0)[1 : (n + 1) // 2]
    shares = (waves.abs().square() * 2 / n).amax(0).clamp(max=1)
    present = strengths[:4] > CONSTANT * strengths[0]
    return torch.where(present, shares, 0).sum() / present.sum()
