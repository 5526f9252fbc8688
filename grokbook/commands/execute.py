"""`grokbook execute CHAPTER`: papermill, but strict about names, folders and values."""

import argparse
import tempfile
from pathlib import Path
from typing import Any

HELP = "execute chapters with other parameters; unknown ones are refused before anything starts"
BOOK = Path(__file__).parents[2] / "book"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("chapters", nargs="+", metavar="CHAPTER", help="such as 01_phenomenon")
    parser.add_argument("-f", "--file", type=Path, metavar="PRESET", help="parameters as flat YAML")
    parser.add_argument(
        "-p", "--parameter", nargs=2, action="append", default=[], metavar=("KEY", "VALUE")
    )
    parser.add_argument("--out", type=Path, default=Path("executed"), help="folder for the results")
    parser.add_argument(
        "--store", action="store_true", help="refresh the outputs stored in the book instead"
    )


def act(chosen: argparse.Namespace) -> int:
    """Check all parameters, then execute chapter after chapter."""
    given = _given(chosen)
    if chosen.store and given:
        raise ValueError("--store keeps the outputs of the default parameters: give none with it.")
    chapters = [_chapter(name) for name in chosen.chapters]
    for chapter in chapters:
        _check(chapter, given)
    for chapter in chapters:
        out = chapter if chosen.store else chosen.out / chapter.name
        _execute(chapter, out, given)
        print(f"{chapter.stem}: {'stored' if chosen.store else out}")
    return 0


def _given(chosen: argparse.Namespace) -> dict[str, Any]:
    from grokbook.commands.run import literal

    given: dict[str, Any] = {}
    if chosen.file is not None:
        if not chosen.file.exists():
            raise ValueError(f"there is no preset {chosen.file}: presets lie in book/presets.")
        given |= _preset(chosen.file)
    return given | {key: literal(value) for key, value in chosen.parameter}


def _preset(path: Path) -> dict[str, Any]:
    import yaml

    try:
        values = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        where = " ".join(str(error).split())
        raise ValueError(f"the preset {path} is no YAML: {where}.") from error
    if not isinstance(values or {}, dict):
        raise ValueError(f"the preset {path} is not flat: write a line `name: value` a parameter.")
    return values or {}


def _chapter(name: str) -> Path:
    chapter = BOOK / f"{Path(name).stem}.ipynb"
    if not chapter.exists():
        known = ", ".join(sorted(path.stem for path in BOOK.glob("*.ipynb")))
        raise ValueError(f"there is no chapter {name!r}: choose from {known}.")
    return chapter


def _check(chapter: Path, given: dict[str, Any]) -> None:
    import papermill

    from grokbook.parameters import ParameterError, unknown

    known = papermill.inspect_notebook(str(chapter))
    for name in given:
        if name not in known:
            raise ParameterError(unknown(name, known))


def _execute(chapter: Path, out: Path, given: dict[str, Any]) -> None:
    import nbformat
    import papermill

    from grokbook.kernels import started_again

    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        # What fails on the way to the book must not be seen there; elsewhere it is worth a look.
        executed = Path(folder) / out.name if out == chapter else out
        try:
            started_again(papermill.execute_notebook)(
                str(chapter), str(executed), given, cwd=str(chapter.parent), progress_bar=False
            )
        except papermill.PapermillExecutionError as error:
            raise ValueError(f"{chapter.stem}: {error.ename}: {error.evalue}") from error
        if out == chapter:
            notebook = nbformat.read(executed, as_version=4)
            _tidy(notebook)
            nbformat.write(notebook, out)


def _tidy(notebook: Any) -> None:
    """Leave no trace of when and where: what is stored changes only when a result does."""
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs = _merged(cell.outputs)


def _merged(outputs: list[Any]) -> list[Any]:
    """Streams in one piece: where a kernel cuts them depends on the moment."""
    merged: list[Any] = []
    for output in outputs:
        last = merged[-1] if merged else {}
        if output.output_type == "stream" and last.get("name") == output.name:
            last["text"] += output.text
        else:
            merged.append(output)
    return merged
