"""`grokbook execute`: strict about names before anything starts, tidy afterwards."""

import os
from pathlib import Path

import nbformat
import pytest

from grokbook.__main__ import main
from grokbook.commands import execute

PARAMETERS = """p: int = 113  # modulus
weight_decay: float = 1.0  # decoupled
"""
REFUSE = "from grokbook.parameters import refuse_unknown\n\nrefuse_unknown(globals())"
SHOW = "import os\n\nprint(p, weight_decay, os.path.basename(os.getcwd()))"


def notebook(*cells: str):
    """Return a notebook whose first code cell holds the parameters."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.cells[0].metadata["tags"] = ["parameters"]
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    made.metadata["language_info"] = {"name": "python"}
    return made


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A book of two small chapters; the second checks its parameters."""
    folder = tmp_path / "a book"
    folder.mkdir()
    nbformat.write(notebook(PARAMETERS, SHOW), folder / "01_small.ipynb")
    nbformat.write(notebook(PARAMETERS, REFUSE, SHOW), folder / "02_strict.ipynb")
    monkeypatch.setattr(execute, "BOOK", folder)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))  # of the kernel
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def started(monkeypatch):
    """Return the chapters that papermill is asked to execute, and execute none."""
    chapters = []
    monkeypatch.setattr(execute, "_execute", lambda chapter, *_: chapters.append(chapter.stem))
    return chapters


def printed(path: Path) -> str:
    """Return what the cells of an executed notebook printed."""
    made = nbformat.read(path, as_version=4)
    outputs = [output for cell in made.cells for output in cell.get("outputs", [])]
    return "".join(output["text"] for output in outputs if output["output_type"] == "stream")


# -------------------------------------------------------------------------- before anything starts


@pytest.mark.parametrize(
    "words, sentence",
    [
        (
            "01_small -p weight_decya 1",
            "unknown parameter 'weight_decya': this chapter takes p, weight_decay. "
            "Did you mean 'weight_decay'?",
        ),
        ("01_small 02_strict -p q 1", "unknown parameter 'q': this chapter takes p, weight_decay."),
        ("03_missing", "there is no chapter '03_missing': choose from 01_small, 02_strict."),
        ("01_small -f nothing.yml", "there is no preset nothing.yml: presets lie in book/presets."),
        ("01_small --store -p p 5", "--store keeps the outputs of the default parameters: give"),
        ("01_small -f list.yml", "the preset list.yml is not flat: write a line `name: value`"),
        ("01_small -f broken.yml", "the preset broken.yml is no YAML: "),
        ("01_small -f unknown.yml", "unknown parameter 'modulus': this chapter takes p, "),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(book, started, refusal, words, sentence):
    Path("list.yml").write_text("- p\n- 5\n")
    Path("broken.yml").write_text("p: [5\nweight_decay: {\n")
    Path("unknown.yml").write_text("modulus: 5\n")
    assert sentence in refusal("execute", *words.split())
    assert started == []


def test_all_chapters_are_checked_before_the_first_is_executed(book, started, refusal):
    other = notebook("steps: int = 10  # budget", "print(steps)")
    nbformat.write(other, book / "03_other.ipynb")
    assert "unknown parameter 'p'" in refusal("execute", "01_small", "03_other", "-p", "p", "5")
    assert started == []


def test_a_preset_may_be_empty_and_a_word_overrides_it(book, monkeypatch):
    given = []
    monkeypatch.setattr(execute, "_execute", lambda chapter, out, values: given.append(values))
    Path("empty.yml").write_text("# nothing\n")
    Path("some.yml").write_text("p: 7\nweight_decay: 0.5\n")
    assert main(["execute", "01_small", "-f", "empty.yml"]) == 0
    assert main(["execute", "book/01_small.ipynb", "-f", "some.yml", "-p", "p", "5"]) == 0
    assert given == [{}, {"p": 5, "weight_decay": 0.5}]


# --------------------------------------------------------------------------------- in the notebook


def test_a_chapter_is_executed_in_its_own_folder_and_stored_elsewhere(book, capsys):
    before = (book / "01_small.ipynb").read_bytes()
    Path("some.yml").write_text("weight_decay: 0.5\n")
    words = ["execute", "01_small", "-f", "some.yml", "-p", "p", "5", "--out", "out"]
    assert main(words) == 0
    assert capsys.readouterr().out == f"01_small: {Path('out', '01_small.ipynb')}\n"
    assert printed(Path("out", "01_small.ipynb")) == "5 0.5 a book\n"
    assert os.listdir("out") == ["01_small.ipynb"]
    assert (book / "01_small.ipynb").read_bytes() == before


def test_a_value_of_the_wrong_kind_is_refused_by_the_notebook(book, refusal):
    sentence = refusal("execute", "02_strict", "-p", "p", "7.5", "--out", "out")
    assert sentence == "02_strict: ParameterError: p = 7.5 is not of type int."
    assert printed(Path("out", "02_strict.ipynb")) == ""  # left to be looked at


def test_stored_outputs_say_nothing_of_when_and_where(book):
    assert main(["execute", "01_small", "--store"]) == 0
    path = book / "01_small.ipynb"
    assert printed(path) == "113 1.0 a book\n"
    text = path.read_text()
    for trace in ("papermill", "start_time", "iopub", 'execution"', "duration", str(book)):
        assert trace not in text
    made = nbformat.read(path, as_version=4)
    assert [cell.execution_count for cell in made.cells] == [1, 2]
    assert made.cells[0].metadata["tags"] == ["parameters"]
    assert sorted(os.listdir(book)) == ["01_small.ipynb", "02_strict.ipynb"]


def test_a_chapter_that_fails_is_not_stored_and_leaves_nothing_in_the_book(book, refusal):
    nbformat.write(notebook(PARAMETERS, "1 / 0"), book / "03_failing.ipynb")
    before = (book / "03_failing.ipynb").read_bytes()
    sentence = refusal("execute", "03_failing", "--store")
    assert sentence == "03_failing: ZeroDivisionError: division by zero"
    assert (book / "03_failing.ipynb").read_bytes() == before
    assert len(os.listdir(book)) == 3
