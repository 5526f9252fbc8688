"""The papers' experiments by name: what was run, for how long, and how it was read.

A protocol follows what the paper's code does where text and code disagree, and says so.
"""

from grokbook.protocols.grokfast24 import grokfast24
from grokbook.protocols.gromov23 import gromov23
from grokbook.protocols.nanda23 import nanda23
from grokbook.protocols.nanda23_circuits import nanda23_circuits
from grokbook.protocols.nanda23_sweeps import nanda23_data, nanda23_weight_decay
from grokbook.protocols.norm_separation26 import norm_separation26
from grokbook.protocols.norm_separation26_controls import (
    norm_separation26_multiplication,
    norm_separation26_necessity,
    norm_separation26_parity,
    norm_separation26_sgd,
    norm_separation26_sgd_tuned,
)
from grokbook.protocols.norm_separation26_sweeps import (
    norm_separation26_joint,
    norm_separation26_large_decay,
    norm_separation26_learning_rate,
    norm_separation26_modulus,
    norm_separation26_predictor,
    norm_separation26_small_decay,
    norm_separation26_small_rate,
    norm_separation26_weight_decay,
)
from grokbook.protocols.power22 import power22, power22_data, power22_operations
from grokbook.protocols.prieto25 import prieto25
from grokbook.protocols.products import products
from grokbook.protocols.protocol import Protocol
from grokbook.protocols.radial26 import radial26_batches, radial26_full_batch
from grokbook.protocols.radial26_arms import (
    radial26,
    radial26_beta2,
    radial26_beta2_arms,
    radial26_controls,
    radial26_details,
    radial26_longer,
    radial26_moduli,
    radial26_more_radii,
    radial26_more_strengths,
    radial26_radius,
    radial26_strength,
    radial26_weight_decay,
)
from grokbook.protocols.radial26_sequences import (
    radial26_digits,
    radial26_nanogpt,
    radial26_text,
    radial26_transformer,
    radial26_transformer_decay,
)
from grokbook.protocols.zhong23 import zhong23

PROTOCOLS = {
    "power22": power22,
    "nanda23": nanda23,
    "gromov23": gromov23,
    "zhong23": zhong23,
    "grokfast24": grokfast24,
    "prieto25": prieto25,
    "norm_separation26": norm_separation26,
    "radial26": radial26,
}

# The same setups over a grid of one or two hyper-parameters, on other tables, or followed closer.
SWEEPS = {
    "power22_data": power22_data,
    "power22_operations": power22_operations,
    "nanda23_weight_decay": nanda23_weight_decay,
    "nanda23_data": nanda23_data,
    "nanda23_circuits": nanda23_circuits,
    "products": products,
    "norm_separation26_weight_decay": norm_separation26_weight_decay,
    "norm_separation26_small_decay": norm_separation26_small_decay,
    "norm_separation26_large_decay": norm_separation26_large_decay,
    "norm_separation26_learning_rate": norm_separation26_learning_rate,
    "norm_separation26_small_rate": norm_separation26_small_rate,
    "norm_separation26_joint": norm_separation26_joint,
    "norm_separation26_modulus": norm_separation26_modulus,
    "norm_separation26_predictor": norm_separation26_predictor,
    "norm_separation26_sgd": norm_separation26_sgd,
    "norm_separation26_sgd_tuned": norm_separation26_sgd_tuned,
    "norm_separation26_multiplication": norm_separation26_multiplication,
    "norm_separation26_parity": norm_separation26_parity,
    "norm_separation26_necessity": norm_separation26_necessity,
    "radial26_full_batch": radial26_full_batch,
    "radial26_batches": radial26_batches,
    "radial26_details": radial26_details,
    "radial26_beta2": radial26_beta2,
    "radial26_beta2_arms": radial26_beta2_arms,
    "radial26_longer": radial26_longer,
    "radial26_weight_decay": radial26_weight_decay,
    "radial26_strength": radial26_strength,
    "radial26_more_strengths": radial26_more_strengths,
    "radial26_radius": radial26_radius,
    "radial26_more_radii": radial26_more_radii,
    "radial26_controls": radial26_controls,
    "radial26_moduli": radial26_moduli,
    "radial26_transformer": radial26_transformer,
    "radial26_transformer_decay": radial26_transformer_decay,
    "radial26_digits": radial26_digits,
    "radial26_nanogpt": radial26_nanogpt,
    "radial26_text": radial26_text,
}

__all__ = [
    "PROTOCOLS",
    "SWEEPS",
    "Protocol",
    "grokfast24",
    "gromov23",
    "nanda23",
    "nanda23_circuits",
    "nanda23_data",
    "nanda23_weight_decay",
    "norm_separation26",
    "norm_separation26_joint",
    "norm_separation26_large_decay",
    "norm_separation26_learning_rate",
    "norm_separation26_modulus",
    "norm_separation26_multiplication",
    "norm_separation26_necessity",
    "norm_separation26_parity",
    "norm_separation26_predictor",
    "norm_separation26_sgd",
    "norm_separation26_sgd_tuned",
    "norm_separation26_small_decay",
    "norm_separation26_small_rate",
    "norm_separation26_weight_decay",
    "power22",
    "power22_data",
    "power22_operations",
    "prieto25",
    "products",
    "radial26",
    "radial26_batches",
    "radial26_beta2",
    "radial26_beta2_arms",
    "radial26_controls",
    "radial26_details",
    "radial26_digits",
    "radial26_full_batch",
    "radial26_longer",
    "radial26_moduli",
    "radial26_more_radii",
    "radial26_more_strengths",
    "radial26_nanogpt",
    "radial26_radius",
    "radial26_strength",
    "radial26_text",
    "radial26_transformer",
    "radial26_transformer_decay",
    "radial26_weight_decay",
    "zhong23",
]  # fmt: skip
