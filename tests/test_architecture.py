"""The plan of the package: short files, imports that flow one way, shapes in every signature."""

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import get_args, get_origin

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "grokbook").rglob("*.py"))

# Data flows from left to right, and an import may only look left. What is not named here (the
# command line, the Sphinx extension) stands at the end of the stream.
STREAM = [
    *("groups", "tasks", "models", "measures", "training", "protocols"),
    *("archive", "statistics", "claims", "figures"),
]
BESIDE = "theory"


def module_name(path: Path) -> str:
    """Return the dotted name of a module of the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(name: str) -> str:
    """Return the room of a dotted name: the part after `grokbook`, empty for the public door."""
    return name.split(".")[1] if "." in name else ""


def imported(path: Path) -> Iterator[str]:
    """Yield the absolute name of everything that a module imports, at any depth of its code."""
    name = module_name(path)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.rsplit(".", node.level - 1)[0] if node.level else ""
            source = ".".join(part for part in (above, node.module) if part)
            if source == "grokbook":
                yield from (f"grokbook.{alias.name}" for alias in node.names)
            else:
                yield source


def test_every_file_is_short_enough_to_read():
    lengths = {module_name(p): len(p.read_text(encoding="utf-8").splitlines()) for p in MODULES}
    assert {name: length for name, length in lengths.items() if length > 260} == {}


def test_imports_follow_the_stream():
    assert len(MODULES) > 10
    rank = {name: position for position, name in enumerate(STREAM)}
    wrong = []
    for path in MODULES:
        here = room(module_name(path))
        for name in imported(path):
            if name.split(".")[0] != "grokbook" or here not in rank or room(name) == here:
                continue
            there = room(name)
            from_beside = there == BESIDE and rank[here] >= rank["claims"]
            if not from_beside and rank.get(there, len(STREAM)) > rank[here]:
                wrong.append(f"{module_name(path)} imports {name}")
    assert wrong == []


def test_theory_knows_sympy_z3_and_numpy_only():
    modules = [path for path in MODULES if room(module_name(path)) == BESIDE]
    assert modules
    allowed = {"sympy", "numpy", "z3", "jaxtyping", *sys.stdlib_module_names}
    strangers = [
        f"{module_name(path)} imports {name}"
        for path in modules
        for name in imported(path)
        if name.split(".")[0] not in allowed and not name.startswith(f"grokbook.{BESIDE}")
    ]
    assert strangers == []


def training_modules() -> list[Path]:
    """Return the modules that a bare GPU box runs: the stream up to the statistics."""
    rooms = STREAM[: STREAM.index("statistics") + 1]
    return [path for path in MODULES if room(module_name(path)) in rooms]


def test_training_imports_declared_dependencies_only():
    with (ROOT / "pyproject.toml").open("rb") as file:
        core = tomllib.load(file)["project"]["dependencies"]
    declared = {name for line in core for name in re.findall(r"[a-z]\w*", line)}  # extras too
    strangers = [
        f"{module_name(path)} imports {name}"
        for path in training_modules()
        for name in imported(path)
        if name.split(".")[0] not in {"grokbook", *declared, *sys.stdlib_module_names}
    ]
    assert strangers == []


WITHOUT_THE_BOOK = """
import importlib, runpy, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"{{name}} must not be imported here", name=name)

sys.meta_path.insert(0, Refuse())
for name in {modules!r}:
    importlib.import_module(name)
sys.argv = ["grokbook", "run", "--help"]
runpy.run_module("grokbook", run_name="__main__", alter_sys=True)
"""


def test_training_needs_nothing_of_the_book():
    modules = [module_name(path) for path in training_modules()]
    assert len(modules) > 5
    blocked = {"sympy", "matplotlib", "papermill", "sphinx", "beartype", "IPython"}
    code = WITHOUT_THE_BOOK.format(blocked=blocked, modules=modules)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout.lower()


def builds_itself(kind: type) -> bool:
    """Say whether a class has a constructor of this package, not of a foreign base class."""
    owner = next(base for base in kind.__mro__ if "__init__" in vars(base))
    return owner.__module__.startswith("grokbook")


def public_callables() -> Iterator[tuple[str, Callable]]:
    """Yield every public function, class and method of the package with its name."""
    package = importlib.import_module("grokbook")
    for found in pkgutil.walk_packages(package.__path__, "grokbook."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        for name, thing in vars(module).items():
            if name.startswith("_") or getattr(thing, "__module__", None) != found.name:
                continue
            if inspect.isfunction(thing) or (inspect.isclass(thing) and builds_itself(thing)):
                yield f"{found.name}.{name}", thing
            if inspect.isclass(thing):
                for key, value in vars(thing).items():
                    method = getattr(value, "__func__", value)  # class and static methods
                    if inspect.isfunction(method) and (key == "__call__" or key[0] != "_"):
                        yield f"{found.name}.{name}.{key}", method


def is_shapeless(annotation: object) -> bool:
    """Say whether an annotation names an array somewhere without giving its shape."""
    if annotation in (torch.Tensor, torch.nn.Parameter, np.ndarray):
        return True
    if get_origin(annotation) is np.ndarray:
        return True
    # The arguments of a callable are another signature's business, and parameters by name have
    # one shape each, which their model states.
    if get_origin(annotation) in (Callable, Mapping, dict):
        return False
    return any(is_shapeless(part) for part in get_args(annotation))


def test_every_array_parameter_states_its_shape():
    seen, wrong = 0, []
    for name, thing in public_callables():
        try:
            signature = inspect.signature(thing, eval_str=True)
        except ValueError:  # an exception or an enumeration has no signature of its own
            continue
        for key, parameter in signature.parameters.items():
            if key in {"self", "cls", "mcs"}:
                continue
            seen += 1
            if parameter.annotation is parameter.empty:
                wrong.append(f"{name}({key}) has no annotation")
            elif is_shapeless(parameter.annotation):
                wrong.append(f"{name}({key}: {parameter.annotation}) has no shape")
    assert seen > 50
    assert wrong == []
