"""The weights along the way, kept so that they can be read with what is only known at the end.

Which frequencies a network has settled on is known when it has; what they did before is asked of
its earlier weights.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor


@dataclass
class Frames:
    """Weights at the multiples of `every`, at most `most` of them.

    How long a run takes is not known beforehand: where they become too many, every second one is
    let go, and the grid is twice as coarse from there on. More than half of `most` stay.

    >>> frames = Frames(most=4, every=10)
    >>> for step in range(0, 100, 10):
    ...     frames.take(step, torch.full((2,), float(step)))
    >>> frames.steps, frames.every
    ([0, 40, 80], 40)
    """

    most: int
    every: int
    steps: list[int] = field(default_factory=list)
    weights: list[np.ndarray] = field(default_factory=list)

    def take(self, step: int, theta: Float[Tensor, " P"]) -> None:
        """Keep the weights of this step, if it is on the grid and later than the last one kept."""
        late = not self.steps or step > self.steps[-1]
        if not self.most or step % self.every or not late:
            return
        self.steps.append(step)
        self.weights.append(theta.detach().cpu().numpy().copy())
        while len(self.steps) > self.most:
            self.every *= 2
            kept = [i for i, each in enumerate(self.steps) if each % self.every == 0]
            self.steps = [self.steps[i] for i in kept]
            self.weights = [self.weights[i] for i in kept]

    def tensor(self, index: int, device: str = "cpu") -> Float[Tensor, " P"]:
        """The flat weights of one frame."""
        return torch.from_numpy(self.weights[index]).to(device)

    def arrays(self) -> dict[str, np.ndarray]:
        """What a checkpoint keeps of them; nothing where none are asked for."""
        if not self.most:
            return {}
        return {
            "frames": np.array([self.most, self.every]),
            "frame_steps": np.array(self.steps, dtype=np.int64),
            "frame_weights": np.array(self.weights),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "Frames":
        """Read `arrays` back."""
        if "frames" not in arrays:
            return cls(0, 1)
        most, every = arrays["frames"].tolist()
        return cls(most, every, arrays["frame_steps"].tolist(), list(arrays["frame_weights"]))
