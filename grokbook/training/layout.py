"""How the named parameters of a model lie in one flat vector."""

import math

from jaxtyping import Float
from torch import Tensor


class Layout:
    """Names, shapes and places of a model's parameters, in the order in which they are drawn.

    >>> import torch
    >>> layout = Layout({"W": (2, 3), "b": (2,)})
    >>> layout.views(torch.arange(8.0))["b"].tolist()
    [6.0, 7.0]
    """

    def __init__(self, shapes: dict[str, tuple[int, ...]]) -> None:
        self.shapes = shapes
        self.sizes = [math.prod(shape) for shape in shapes.values()]

    def segments(self, flat: Float[Tensor, "*run P"]) -> dict[str, Float[Tensor, "*run _"]]:
        """Each parameter as a stretch of the flat vector: a view of it."""
        return dict(zip(self.shapes, flat.split(self.sizes, dim=-1), strict=True))

    def views(self, flat: Float[Tensor, "*run P"]) -> dict[str, Float[Tensor, "..."]]:
        """Each parameter in its own shape: a view of the flat vector."""
        return {
            name: part.unflatten(-1, self.shapes[name])
            for name, part in self.segments(flat).items()
        }
