"""Rules for the files of the repository: what is there, sizes, the lock, stored notebooks."""

import ast
import base64
import json
import re
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))
CHAPTERS = [path for path in NOTEBOOKS if path.stem[:2].isdigit()]
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def tree() -> Iterator[Path]:
    """Yield the files that belong to the repository: no environment, cache or build."""
    for top in ROOT.iterdir():
        if top.name in {"_build", "build", "dist"} or top.name.endswith(".egg-info"):
            continue
        if top.name.startswith(".") and top.name not in {".ci", ".github"}:
            continue
        yield from (p for p in ([top] if top.is_file() else top.rglob("*")) if p.is_file())


# ---------------------------------------------------------------------------- files and the lock


def test_the_top_level_is_complete():
    names = "book _config.yml _toc.yml grokbook requirements.txt tests README.md LICENSE Makefile"
    missing = [name for name in names.split() if not (ROOT / name).exists()]
    assert not missing


def test_sizes_stay_small():
    megabyte = 1_000_000
    runs = {path: path.stat().st_size for path in (ROOT / "book" / "runs").glob("*")}
    assert [path.name for path, size in runs.items() if size >= 3 * megabyte] == []
    assert sum(runs.values()) < 25 * megabyte
    sizes = [path.stat().st_size for path in tree() if "__pycache__" not in path.parts]
    assert len(sizes) > 20
    assert sum(sizes) < 60 * megabyte


def requirement_name(line: str) -> str:
    """Return the normalised project name at the start of a requirement."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", line).group()).lower()


def test_the_lock_is_complete_and_portable():
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pins = [line for line in lock.splitlines() if line and not line.startswith("#")]
    locked = {requirement_name(pin) for pin in pins}
    assert len(locked) > 50
    assert [pin for pin in pins if "==" not in pin] == []

    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    extras = project["optional-dependencies"].values()
    direct = [*project["dependencies"], *(one for extra in extras for one in extra)]
    assert {requirement_name(one) for one in direct} - locked == set()
    assert [one for one in direct if f"#   {one}: " not in lock] == []  # the header gives reasons

    assert [pin for pin in pins if re.search(r"==\S*\+", pin)] == []  # a build of one platform
    assert [name for name in locked if re.match(r"nvidia-|cuda-|triton$", name)] == []
    assert re.findall(r"https?://|file:|(?<!\w)/\w+/|--(?:index|extra|find)", lock) == []


# --------------------------------------------------------------------------------- the notebooks


def cells(path: Path, kind: str = "code") -> list[dict]:
    """Return the cells of one kind that hold anything."""
    every = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in every if cell["cell_type"] == kind and "".join(cell["source"]).strip()]


def test_there_are_chapters():
    assert CHAPTERS


@each_notebook
def test_a_notebook_is_stored_with_its_outputs(path):
    code = cells(path)
    assert code
    assert [cell["source"] for cell in code if cell["execution_count"] is None] == []
    assert any(cell["outputs"] for cell in code)
    errors = [out for cell in code for out in cell["outputs"] if out["output_type"] == "error"]
    assert errors == []


@each_notebook
def test_a_notebook_names_no_machine_and_no_time(path):
    text = path.read_text(encoding="utf-8")
    places = [str(ROOT), str(Path.home()), tempfile.gettempdir(), sys.prefix]
    assert [place for place in places if f"{place}/" in text] == []
    assert re.findall(r"(?<![\w.:/])/(?:home|Users|root|tmp|var|mnt|private)/[\w.-]+", text) == []
    book = json.loads(text)
    assert "papermill" not in book["metadata"]
    for cell in book["cells"]:
        assert {"execution", "papermill"}.isdisjoint(cell["metadata"])
        assert "injected-parameters" not in cell["metadata"].get("tags", [])


@each_notebook
def test_pictures_stay_small(path):
    pictures = [
        "".join(output["data"]["image/png"])
        for cell in cells(path)
        for output in cell["outputs"]
        if "image/png" in output.get("data", {})
    ]
    sizes = [len(base64.b64decode(picture)) for picture in pictures]
    assert [size for size in sizes if size > 30 * 1024] == []


@each_chapter
def test_parameters_are_annotated_literals(path):
    from papermill import inspect_notebook

    tagged = [cell for cell in cells(path) if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1
    source = "".join(tagged[0]["source"])
    statements = ast.parse(source).body
    assert statements
    for statement in statements:
        assert isinstance(statement, ast.AnnAssign), ast.unparse(statement)
        assert statement.lineno == statement.end_lineno, ast.unparse(statement)
        ast.literal_eval(statement.value)
        assert "#" in source.splitlines()[statement.lineno - 1], "a parameter needs its help text"
    names = {statement.target.id for statement in statements}
    assert set(inspect_notebook(str(path))) == names  # papermill's reader sees every one of them
