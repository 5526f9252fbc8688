"""Pure functions of weights or curves, and the table of those that a run can log as it trains."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from grokbook.measures.norms import squared_norm
from grokbook.measures.participation import participation


class Measure(NamedTuple):
    """A function from parameters to named numbers, and the dimension that the names run along."""

    function: Callable[[dict[str, Tensor]], dict[str, Tensor]]
    dimension: str


MEASURES = {
    "squared_norm": Measure(squared_norm, "parameter"),
    "participation": Measure(participation, "part"),
}
