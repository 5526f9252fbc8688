"""Where to look in a network of one hidden layer: its embedding, its neurons, what these write."""

from jaxtyping import Float, Int
from torch import Tensor

from grokbook.models import MLP, Quadratic, Transformer
from grokbook.models.layers import ACTIVATIONS, linear

Parameters = dict[str, Tensor]
Model = Transformer | MLP | Quadratic


def embedding(parameters: Parameters, n: int) -> Float[Tensor, "n d"]:
    """The vector of each element: rows of `W_E`, or of `W_1` where operands are one-hot vectors.

    Of `W_1` the rows for the first operand.
    """
    return (parameters["W_E"] if "W_E" in parameters else parameters["W_1"])[:n]


def neurons(
    model: Model, parameters: Parameters, pairs: Int[Tensor, "N 2"]
) -> Float[Tensor, "N neuron"]:
    """Activation of every hidden neuron on each pair, at the position that is read out.

    Raises `ValueError` for a network with several hidden layers.
    """
    seen: dict[str, Tensor] = {}
    model.forward(parameters, pairs, watch=seen)
    if "mlp_in" in seen:
        hidden = linear(seen["mlp_in"], parameters["W_in"], parameters.get("b_in"))
        return ACTIVATIONS[model.activation](hidden)
    _check_one_layer(model)
    return seen["hidden_1"]


def neuron_logits(model: Model, parameters: Parameters, n: int) -> Float[Tensor, "neuron n"]:
    """The linear map from neurons to the logits of the n elements, biases and norms left out.

    $W_{out} W_U$ in a transformer, the read-out alone elsewhere. Raises `ValueError` for a network
    with several hidden layers.
    """
    _check_one_layer(model)
    if "W_out" in parameters:
        return parameters["W_out"] @ parameters["W_U"][:, :n]
    return parameters["W_2"] if isinstance(model, Quadratic) else parameters["W_U"]


def _check_one_layer(model: Model) -> None:
    if isinstance(model, MLP) and model.hidden_layers > 1:
        raise ValueError(f"hidden_layers = {model.hidden_layers}: neurons are read of one layer.")
