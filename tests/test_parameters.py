"""A chapter refuses what it does not know, in one line, whoever executes it."""

from pathlib import Path
from typing import Any, Literal

import nbformat
import papermill
import pytest

from grokbook.parameters import ParameterError, described, fits, refuse_unknown, unknown

KNOWN = {"p": int, "weight_decay": float, "operation": str, "recompute": bool}
DEFAULTS = {"p": 113, "weight_decay": 1.0, "operation": "add", "recompute": False}


def namespace(**given: Any) -> dict[str, Any]:
    """Return what a notebook's globals hold after its parameters cell."""
    kernel = {"In": [""], "Out": {}, "exit": 0, "quit": 0, "get_ipython": 0, "open": 0, "_i1": ""}
    own = {"__annotations__": KNOWN, "__name__": "__main__", "refuse_unknown": refuse_unknown}
    return kernel | own | DEFAULTS | given


def test_known_parameters_of_their_kind_pass():
    refuse_unknown(namespace())
    refuse_unknown(namespace(p=59, weight_decay=0, operation="divide", recompute=True))


@pytest.mark.parametrize(
    "given, sentence",
    [
        (
            {"weight_decya": 1},
            "unknown parameter 'weight_decya': this chapter takes p, weight_decay, operation, "
            "recompute. Did you mean 'weight_decay'?",
        ),
        (
            {"x": 1},
            "unknown parameter 'x': this chapter takes p, weight_decay, operation, recompute.",
        ),
        ({"p": 59.0}, "p = 59.0 is not of type int."),
        ({"p": "59"}, "p = '59' is not of type int."),
        ({"p": True}, "p = True is not of type int."),
        ({"weight_decay": "1"}, "weight_decay = '1' is not of type float."),
        ({"recompute": 1}, "recompute = 1 is not of type bool."),
        ({"operation": None}, "operation = None is not of type str."),
    ],
    ids=str,
)
def test_anything_else_is_refused_in_one_sentence(given, sentence):
    with pytest.raises(ParameterError) as caught:
        refuse_unknown(namespace(**given))
    assert str(caught.value) == sentence
    assert caught.value._render_traceback_() == [f"ParameterError: {sentence}"]


@pytest.mark.parametrize(
    "value, kind, answer",
    [
        (1, float, True),
        (1.0, int, False),
        (True, float, False),
        (None, int | None, True),
        (True, int | None, False),
        ("relu", Literal["relu", "gelu"], True),
        ("tanh", Literal["relu", "gelu"], False),
        (True, Literal[1, 2], False),
        ([1], list[int], True),
        ((1,), list[int], False),
        ("anything", Any, True),
    ],
)
def test_a_value_fits_its_kind_or_not(value, kind, answer):
    assert fits(value, kind) is answer


def test_kinds_are_described_in_words():
    assert described(list[int]) == "of type list[int]"
    assert described(Literal[2, 3]) == "one of 2, 3"


def test_a_far_name_gets_no_hint():
    assert unknown("zzz", ["p"]) == "unknown parameter 'zzz': this chapter takes p."


def test_papermill_itself_shows_the_one_sentence(tmp_path, monkeypatch):
    # Not by `grokbook execute`, which would have refused before: as a reader calls it.
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))  # of the kernel
    cells = [
        "p: int = 113  # modulus\nweight_decay: float = 1.0  # decoupled",
        "from grokbook.parameters import refuse_unknown\n\nrefuse_unknown(globals())",
        "print('trained for an hour')",
    ]
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.cells[0].metadata["tags"] = ["parameters"]
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    made.metadata["language_info"] = {"name": "python"}
    nbformat.write(made, tmp_path / "chapter.ipynb")
    with pytest.raises(papermill.PapermillExecutionError) as caught:
        papermill.execute_notebook(
            str(tmp_path / "chapter.ipynb"),
            str(tmp_path / "out.ipynb"),
            {"weight_decya": 1},
            progress_bar=False,
        )
    sentence = (
        "unknown parameter 'weight_decya': this chapter takes p, weight_decay. "
        "Did you mean 'weight_decay'?"
    )
    assert caught.value.evalue == sentence
    shown = str(caught.value).strip().splitlines()
    assert shown[-1] == f"ParameterError: {sentence}"
    assert len(shown) <= 3, shown  # a rule, the cell, the sentence
    assert "trained for an hour" not in str(
        nbformat.read(tmp_path / "out.ipynb", 4).cells[-1].outputs
    )
