"""A pre-norm decoder for sequences of tokens, as nanoGPT builds it.

Two forms compute the same logits. `reference` is the textbook: one query, one position after the
other. `forward` takes all positions at once.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from grokbook.models.attention import batched_attention
from grokbook.models.feed_forward import feed_forward
from grokbook.models.layers import layer_norm, linear, normal

Parameters = dict[str, Tensor]

STD = 0.02  # of all weights; of those that write to the stream less, by the root of their number


@dataclass(frozen=True)
class GPT:
    r"""Layers of causal attention and GELU MLP, a final norm, and the embedding as unembedding.

    Reads `context` tokens of a vocabulary that has `special` ones besides the task's own, and
    answers at the last `answer` positions. No biases, norms with weights only; weights start from
    $N(0, .02^2)$, those that write to the residual stream from $N(0, .02^2/2L)$, as in nanoGPT
    {cite}`karpathy2022nanogpt` at its defaults. Raises `ValueError` for heads that do not divide
    the width, and for an answer that is longer than the context.
    """

    kind: ClassVar[str] = "gpt"

    layers: int = 6
    d_model: int = 384
    heads: int = 6
    context: int = 11
    answer: int = 4
    special: int = 2

    def __post_init__(self) -> None:
        for name in ("layers", "d_model", "heads", "context", "answer"):
            if (value := getattr(self, name)) < 1:
                raise ValueError(f"{name} = {value} is too few: give 1 or more.")
        if self.special < 0:
            raise ValueError(f"special = {self.special} is too few: give 0 or more.")
        if self.d_model % self.heads:
            raise ValueError(
                f"d_model = {self.d_model} does not divide into {self.heads} heads: "
                "choose a multiple of the number of heads."
            )
        if self.answer > self.context:
            raise ValueError(
                f"answer = {self.answer} is longer than the context of {self.context}: give less."
            )

    # -- parameters -----------------------------------------------------------------------------

    def shapes(self, order: int) -> dict[str, tuple[int, ...]]:
        """Shape of each parameter for a task with `order` tokens, in the order they are drawn."""
        d = self.d_model
        block = {"norm1_w": (d,), "W_QKV": (d, 3 * d), "W_O": (d, d)}
        block |= {"norm2_w": (d,), "W_in": (d, 4 * d), "W_out": (4 * d, d)}
        shapes = {"W_E": (order + self.special, d), "W_pos": (self.context, d)}
        for layer in range(1, self.layers + 1):
            shapes |= {f"{name}_{layer}": shape for name, shape in block.items()}
        return shapes | {"norm_w_final": (d,)}

    def initialise(self, order: int, *, seed: int) -> Parameters:
        """Draw the parameters of one run in float32, on the CPU whatever the device."""
        generator = torch.Generator().manual_seed(seed)
        parameters = {}
        for name, shape in self.shapes(order).items():
            if name.startswith("norm"):
                parameters[name] = torch.ones(shape)
                continue
            writes = name.startswith(("W_O_", "W_out_"))
            std = STD / math.sqrt(2 * self.layers) if writes else STD
            parameters[name] = normal(shape, std, generator)
        return parameters

    # -- the two forms --------------------------------------------------------------------------

    def reference(
        self, θ: Parameters, tokens: Int[Tensor, "n position"]
    ) -> Float[Tensor, "n answer classes"]:
        """Logits, each position asking what stands before it, one after the other."""
        x = θ["W_E"][tokens] + θ["W_pos"][: tokens.shape[1]]
        e = self.d_model // self.heads
        for layer in range(1, self.layers + 1):
            q, k, v = (self._norm(θ, "norm1", layer, x) @ θ[f"W_QKV_{layer}"]).chunk(3, -1)
            attended = torch.zeros_like(x)
            for t in range(tokens.shape[1]):
                for head in range(self.heads):
                    part = slice(head * e, (head + 1) * e)
                    scores = (k[:, : t + 1, part] * q[:, t, None, part]).sum(-1) / math.sqrt(e)
                    weighed = scores.softmax(-1)[..., None] * v[:, : t + 1, part]
                    attended[:, t, part] = weighed.sum(1)
            x = x + attended @ θ[f"W_O_{layer}"]
            hidden = F.gelu(self._norm(θ, "norm2", layer, x) @ θ[f"W_in_{layer}"])
            x = x + hidden @ θ[f"W_out_{layer}"]
        return self._read_out(θ, x)

    def forward(
        self,
        θ: Parameters,
        tokens: Int[Tensor, "n position"],
        *,
        fused: bool = False,
        watch: dict[str, Tensor] | None = None,
    ) -> Float[Tensor, "n answer classes"]:
        """The same logits, all positions at once.

        Its blocks have no biases, so that `fused` changes nothing; `watch` is given what they add
        to the residual stream, at every position ("attention_out_1", "mlp_out_1", …).
        """
        x = F.embedding(tokens, θ["W_E"]) + θ["W_pos"][: tokens.shape[1]]
        for layer in range(1, self.layers + 1):
            read = self._norm(θ, "norm1", layer, x)
            q, k, v = (
                part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
                for part in linear(read, θ[f"W_QKV_{layer}"]).chunk(3, -1)
            )
            mixed = batched_attention(q, k, v)
            attended = linear(mixed.transpose(1, 2).flatten(2), θ[f"W_O_{layer}"])
            x = x + attended
            read, weights = self._norm(θ, "norm2", layer, x), (θ[f"W_in_{layer}"], None)
            added = feed_forward(read, *weights, θ[f"W_out_{layer}"], None, activation="gelu")
            x = x + added
            if watch is not None:
                watch |= {f"attention_out_{layer}": attended, f"mlp_out_{layer}": added}
        return self._read_out(θ, x)

    def _norm(
        self, θ: Parameters, name: str, layer: int | str, x: Float[Tensor, "*batch d"]
    ) -> Float[Tensor, "*batch d"]:
        weight = θ[f"{name}_w_{layer}"]
        return layer_norm(x, weight, torch.zeros_like(weight))

    def _read_out(
        self, θ: Parameters, x: Float[Tensor, "n position d"]
    ) -> Float[Tensor, "n answer classes"]:
        x = self._norm(θ, "norm", "final", x[:, -self.answer :])
        return linear(x, θ["W_E"].T)
