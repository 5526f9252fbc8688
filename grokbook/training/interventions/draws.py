"""What an intervention draws at a step: a function of init seed and step, and of nothing else.

A counter-based generator has nothing to remember between steps, so that a resumed run, and a run on
another device, meets the same numbers.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

# Streams that never meet, one an intervention.
GRADIENT_NOISE, DROPOUT, ISOTROPIC_FORCE = range(3)


def uniforms(like: Tensor, seeds: list[int], done: int, *stream: int) -> Tensor:
    """U(0, 1) once for each seed, drawn on the CPU, in the shape, dtype and place of `like`.

    `like` has a leading run axis, or none where there is one seed. `stream` is one of those above,
    with a second number where an intervention draws several times in a step.
    """
    size = like.numel() // len(seeds)
    rows = [_generator(seed, done, *stream).random(size, dtype=np.float32) for seed in seeds]
    return _placed(rows, like)


def normals(like: Tensor, seeds: list[int], done: int, *stream: int) -> Tensor:
    """N(0, 1), as `uniforms` draws it."""
    size = like.numel() // len(seeds)
    rows = [
        _generator(seed, done, *stream).standard_normal(size, dtype=np.float32) for seed in seeds
    ]
    return _placed(rows, like)


def everywhere(
    draw: Callable[..., Tensor], places: dict[str, Tensor], seeds: list[int], done: int, stream: int
) -> dict[str, Tensor]:
    """Draw for several places at a step, in the shape of what is there; each has its own part."""
    return {
        name: draw(like, seeds, done, stream, part)
        for part, (name, like) in enumerate(places.items())
    }


def _generator(seed: int, done: int, stream: int, part: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=[seed, done], counter=[0, 0, part, stream]))


def _placed(rows: list[np.ndarray], like: Tensor) -> Tensor:
    return torch.from_numpy(np.stack(rows)).to(like.device, like.dtype).view(like.shape)
