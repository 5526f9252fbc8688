"""The floor: the matrix products of the factored form, forward and backward, and nothing else."""

from collections.abc import Callable

import torch

from grokbook.training.run import Run


def step(run: Run, device: str = "cpu") -> Callable[[], None]:
    """Return one step's matrix products, each $XW$ with both of its gradients, $X^TG$ and $GW^T$.

    The products: keys and values of the tables, queries, scores, the output of attention, the two
    of the MLP, the unembedding. Gathers, activations, norms, loss and update cost nothing here.
    """
    products = [_product(*shape, device) for shape in shapes(run)]

    def take() -> None:
        for x, w, g in products:
            torch.matmul(x, w)
            torch.matmul(x.mT, g)
            torch.matmul(g, w.mT)

    return take


def shapes(run: Run) -> list[tuple[int, ...]]:
    """Of each product of a step: rows, inputs and outputs, and the number of heads for scores."""
    p = run.task.p
    n = run.batch.size or len(run.split.indices(len(run.task.table().pairs))[0])
    if run.model.kind == "mlp":
        return [(n, run.model.width, p)]
    d, width, heads = run.model.d_model, run.model.d_mlp, run.model.heads
    table = 2 * p + (run.model.tokens == 3)
    asking = p if run.model.tokens == 2 else 1
    classes = p + (run.model.tokens == 3 and run.model.equals_is_class)
    attention = [(table, d, 2 * d), (asking, d, d), (table, d // heads, asking, heads), (n, d, d)]
    return [*attention, (n, d, width), (n, width, d), (n, d, classes)]


def _product(rows: int, inputs: int, outputs: int, *rest: object) -> tuple[torch.Tensor, ...]:
    *heads, device = rest
    sizes = (rows, inputs), (inputs, outputs), (rows, outputs)
    return tuple(torch.randn(*heads, *size, device=device) for size in sizes)
