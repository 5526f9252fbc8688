"""The peers: the loops that a user of `torch.nn` and `torch.optim` would write, and no slower.

Each is a module, an optimiser at its defaults, and one step on the protocol's own batch; there is
no evaluation and no logging. A test holds them to a loop written there.
"""

from collections.abc import Callable

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from grokbook.training.run import Run


class OneLayerTransformer(nn.Module):
    """Nanda et al.'s network: no norms, biases in the MLP alone, an answer at the last position."""

    def __init__(self, p: int, d: int = 128, heads: int = 4, width: int = 512) -> None:
        super().__init__()
        self.heads = heads
        self.embed = nn.Embedding(p + 1, d)
        self.positions = nn.Parameter(torch.randn(3, d) / d**0.5)
        self.qkv = nn.Linear(d, 3 * d, bias=False)
        self.out = nn.Linear(d, d, bias=False)
        self.mlp = nn.Sequential(nn.Linear(d, width), nn.ReLU(), nn.Linear(width, d))
        self.unembed = nn.Linear(d, p + 1, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits at the last position."""
        x = self.embed(tokens) + self.positions
        n, length, d = x.shape
        qkv = self.qkv(x).view(n, length, 3, self.heads, d // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        z = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(z.transpose(1, 2).reshape(n, length, d))
        x = x + self.mlp(x)
        return self.unembed(x[:, -1])


class Encoder(nn.Module):
    """norm_separation26's network: `torch.nn.TransformerEncoderLayer`, a norm, a linear map."""

    def __init__(self, p: int, d: int = 128, heads: int = 4, width: int = 512) -> None:
        super().__init__()
        self.embed = nn.Embedding(p, d)
        self.positions = nn.Embedding(2, d)
        self.layer = nn.TransformerEncoderLayer(
            d, heads, width, dropout=0.0, activation="gelu", batch_first=True
        )
        self.norm = nn.LayerNorm(d)
        self.unembed = nn.Linear(d, p)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits at the last position."""
        places = torch.arange(tokens.shape[1], device=tokens.device)
        x = self.layer(self.embed(tokens) + self.positions(places))
        return self.unembed(self.norm(x[:, -1]))


class OneHotMLP(nn.Module):
    """One hidden layer over two one-hot vectors."""

    def __init__(self, p: int, width: int = 128) -> None:
        super().__init__()
        self.p = p
        self.layers = nn.Sequential(nn.Linear(2 * p, width), nn.ReLU(), nn.Linear(width, p))

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits of the pairs."""
        return self.layers(F.one_hot(tokens, self.p).flatten(1).float())


def step(run: Run, device: str = "cpu") -> Callable[[], None]:
    """Return the textbook loop's step for a run: same data, batch, loss precision, optimiser."""
    module = _module(run).to(device)
    optimizer = torch.optim.AdamW(
        module.parameters(),
        lr=run.optimizer.learning_rate,
        betas=(run.optimizer.beta1, run.optimizer.beta2),
        weight_decay=run.optimizer.weight_decay,
    )
    pairs, labels, _ = run.task.table()
    chosen, _ = run.split.indices(len(pairs))
    x, y = torch.from_numpy(pairs[chosen]).to(device), torch.from_numpy(labels[chosen]).to(device)
    if isinstance(module, OneLayerTransformer):
        x = torch.cat([x, torch.full_like(x[:, :1], run.task.p)], dim=1)
    dtype = getattr(torch, run.loss.precision)

    def take() -> None:
        inputs, answers = x, y
        if run.batch.size is not None:
            drawn = torch.randint(len(y), (run.batch.size,), device=device)
            inputs, answers = x[drawn], y[drawn]
        optimizer.zero_grad()
        F.cross_entropy(module(inputs).to(dtype), answers).backward()
        optimizer.step()

    return take


def _module(run: Run) -> nn.Module:
    if run.model.kind == "mlp":
        return OneHotMLP(run.task.p, run.model.width)
    kind = OneLayerTransformer if run.model.tokens == 3 else Encoder
    return kind(run.task.p, run.model.d_model, run.model.heads, run.model.d_mlp)
