"""The architectures, one file each; `MODELS` finds them by the name that a run's JSON carries."""

from grokbook.models.bit_mlp import BitMLP
from grokbook.models.decoder import Decoder
from grokbook.models.gpt import GPT
from grokbook.models.mlp import MLP
from grokbook.models.quadratic import Quadratic
from grokbook.models.transformer import Transformer

MODELS = {model.kind: model for model in (Transformer, MLP, Decoder, Quadratic, BitMLP, GPT)}
